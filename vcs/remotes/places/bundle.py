"""Files in one file, which can be carried where no network goes: a zip archive, stored as it is.

It is only read from. It is made of a folder that a push has filled, so that a bundle is a remote as any other.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from ...errors import DamagedError, InvalidName, RemoteRefused, UnknownName, writing
from ...storage.disk import durable, system
from ...storage.files import Signature, check_name
from ...storage.local import LocalFiles
from .far_files import PIECE, Reading, ReadOnly
from .traffic import Traffic

_LOCAL = struct.Struct("<4s22xHH")
"""What stands before each file: a mark, and how long its name and what is added to it are."""

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The same for all, so that the same files make the same bundle."""


def make(files: LocalFiles, folders: tuple[str, ...], names: tuple[str, ...], target: Path) -> int:
    """Puts files into a bundle, at once and durably; returns its size in bytes.

    Args:
        files: Where they are.
        folders: All that are below these.
        names: And these.
        target: The bundle; nothing may be there yet.

    Raises:
        InvalidName: There is something already.
        StorageError: It cannot be written.
    """
    if os.path.lexists(target):
        raise InvalidName(f"{target} is there already; move it away, or choose another name.")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with writing(target):
        try:
            with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                for name in (*names, *(name for folder in folders for name in files.list(folder))):
                    _add(archive, files, name)
            with open(unfinished, "rb") as file:
                os.fsync(file.fileno())
            system.rename_new(unfinished, target)  # not a link: a stick may have none
            durable.sync_folder(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)
        return target.stat().st_size


def _add(archive: zipfile.ZipFile, files: LocalFiles, name: str) -> None:
    size = files.size(name)
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    with archive.open(entry, "w", force_zip64=size >= zipfile.ZIP64_LIMIT) as file:
        for start in range(0, size, PIECE):
            file.write(files.read(name, start, PIECE))


class BundleFiles(ReadOnly, Reading):
    """A set of files in a bundle.

    Args:
        path: The bundle.
        traffic: Where is counted what was read.

    Raises:
        UnknownName: It is not there.
        RemoteRefused: It is no bundle.
    """

    def __init__(self, path: Path, traffic: Traffic | None = None) -> None:
        self._path = path
        self.traffic = traffic or Traffic()
        try:
            self._file = open(path, "rb")  # noqa: SIM115  # open as long as this is
            with zipfile.ZipFile(self._file) as archive:
                self._entries = {check_name(each.filename): each for each in archive.infolist()}
        except FileNotFoundError:
            raise UnknownName(f"There is no file {path}; give the path of a bundle.") from None
        except (OSError, zipfile.BadZipFile, InvalidName, NotImplementedError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise RemoteRefused(f"{path} is no bundle that can be read ({reason}); make it anew.") from error
        if any(each.compress_type or each.compress_size != each.file_size for each in self._entries.values()):
            raise RemoteRefused(f"{path} was packed anew by another program; copy it as it was.")
        if sum(each.file_size for each in self._entries.values()) > os.fstat(self._file.fileno()).st_size:
            raise RemoteRefused(
                f"{path} is no bundle that can be read (it claims to hold more than it is); make it anew."
            )

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Files.read`."""
        entry = self._entry(name)
        there = max(0, entry.file_size - start)
        length = there if length is None else min(length, there)
        data = os.pread(self._file.fileno(), length, self._begins(entry) + start) if length else b""
        if len(data) < length:
            raise DamagedError(f"{self._path} is cut off; copy it again.")
        self.traffic.add(received=len(data))
        return data

    def signature(self, name: str) -> Signature:
        """See `Files.signature`."""
        entry = self._entry(name)
        return entry.file_size, entry.CRC, entry.header_offset

    def list(self, folder: str) -> Iterator[str]:
        """See `Files.list`."""
        return (name for name in sorted(self._entries) if name.startswith(f"{check_name(folder)}/"))

    def check(self) -> None:
        """Reads all files, and compares them with the sums that the archive has of them. Raises DamagedError."""
        try:
            with zipfile.ZipFile(self._file) as archive:
                wrong = archive.testzip()
        except (zipfile.BadZipFile, EOFError) as error:
            raise DamagedError(f"{self._path} is damaged ({error}); copy it again.") from error
        if wrong is not None:
            raise DamagedError(f"{self._path} is damaged ({wrong}); copy it again.")

    def refuse(self) -> NoReturn:
        """See `ReadOnly.refuse`."""
        raise RemoteRefused(f"{self._path} is a bundle, which can only be read; `art bundle create` makes another.")

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = self._entries.get(check_name(name))
        if entry is None:
            raise FileNotFoundError(2, "No such file", name)
        return entry

    def _begins(self, entry: zipfile.ZipInfo) -> int:
        """Where the bytes of a file begin."""
        head = os.pread(self._file.fileno(), _LOCAL.size, entry.header_offset)
        if len(head) < _LOCAL.size or not head.startswith(b"PK\3\4"):
            raise DamagedError(f"{self._path} is damaged; copy it again.")
        _, name, more = _LOCAL.unpack(head)
        return entry.header_offset + _LOCAL.size + int(name) + int(more)
