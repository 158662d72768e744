"""Files in a folder that several machines see: a shared disk, a network file system, a stick.

Nothing is locked: an entry of the log is given its name by a link, which one of several machines can make.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ...errors import DamagedError, InvalidName, RemoteRefused, RemoteUnreachable, disk_is_full
from ...storage.files import Signature, check_name, nothing
from ...storage.layout import EXECUTING, PROBE
from ...storage.local import LocalFiles
from .far_files import PlaceMissing, Reading, pieces_of
from .traffic import Traffic

T = TypeVar("T")

_PASSING = (f"{PROBE}/", f"{EXECUTING}/")
"""What is below these is there for a while only."""

_TRIES = 20


class FolderFiles(Reading):
    """A set of files below a folder elsewhere.

    Args:
        folder: Where they are; it is made when something is first written, the folder above has to be there.
        traffic: Where is counted what was asked.
    """

    def __init__(self, folder: Path, traffic: Traffic | None = None) -> None:
        self._folder = folder
        self._files = LocalFiles(folder, folder / "tmp", locks=False)
        self.traffic = traffic or Traffic()

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Files.read`."""
        with self._asking():
            data = self._files.read(name, start, length)
        self.traffic.add(0, received=len(data))
        return data

    def size(self, name: str) -> int:
        """See `Files.size`."""
        with self._asking():
            return self._files.size(name)

    def signature(self, name: str) -> Signature:
        """See `Files.signature`."""
        with self._asking():
            return self._files.signature(name)

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        with self._asking():
            return self._files.exists(name)

    def put(self, name: str, data: bytes) -> None:
        """See `Files.put`."""
        with self._writing(len(data)):
            _tried_again(lambda: self._files.put(name, data))

    def put_pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        """As `put`, with bytes that come one after the other."""
        with self._writing(0):
            self._files.put_pieces(name, pieces)

    def adopt(self, name: str, path: Path) -> None:
        """See `Files.adopt`; the file is copied, for it may lie on another disk."""
        self.put_pieces(name, pieces_of(path, self.traffic))
        path.unlink()

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        """See `Files.create`."""
        with self._writing(len(data)):
            return _tried_again(lambda: self._files.create(name, data, visible))

    def hint(self, name: str, data: bytes) -> None:
        """See `Files.hint`."""
        with self._writing(len(data)):
            self._files.hint(name, data)

    def list(self, folder: str) -> Iterator[str]:
        """See `Files.list`."""
        with self._asking():
            yield from self._files.list(folder)

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        """See `FarFiles.ages`."""
        mark = f"{PROBE}/{os.urandom(8).hex()}"
        self.put(mark, b"what time is it?")  # a network file system has a clock of its own
        try:
            now = self._written(mark)
        finally:
            self.delete(mark)
        with self._asking():
            for name in self._files.list(folder):
                with suppress(FileNotFoundError, InvalidName):  # a file system may have files of its own there
                    yield name, now - self._written(name)

    def _written(self, name: str) -> float:
        return (self._folder / check_name(name)).lstat().st_mtime

    def delete(self, name: str) -> None:
        """See `Files.delete`."""
        with self._asking():
            self._files.delete(name)
            if name.startswith(_PASSING):  # an empty folder is in the way of a check, and of who lists what is there
                for parent in (self._folder / name).relative_to(self._folder).parents[:-1]:
                    with suppress(OSError):
                        (self._folder / parent).rmdir()

    @contextmanager
    def _writing(self, size: int) -> Iterator[None]:
        with self._asking():
            if not self._folder.parent.is_dir():  # as where a disk is not mounted that should be
                raise RemoteRefused(f"{self._folder.parent} is not there; mount it, or make it first.")
            self._folder.mkdir(exist_ok=True)
            yield
        self.traffic.add(0, sent=size)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turns what the operating system says into errors that say what to do."""
        self.traffic.add()
        try:
            yield
        except FileNotFoundError as error:
            if not self._folder.exists():
                raise PlaceMissing(error.errno, error.strerror, error.filename) from error
            raise
        except RemoteRefused:
            raise
        except (FileExistsError, NotADirectoryError):
            raise RemoteRefused(f"{self._folder} is no folder; name another.") from None
        except DamagedError as error:  # a link where a folder should be
            raise RemoteRefused(str(error)) from error
        except PermissionError as error:
            raise RemoteRefused(
                f"Permission was denied at {error.filename or self._folder}; ask who owns {self._folder}."
            ) from error
        except OSError as error:
            reason = error.strerror or str(error)
            if error.errno == errno.ENOTSUP:
                raise RemoteRefused(f"{self._folder} cannot be shared: {reason}; use another place.") from error
            if disk_is_full(error):
                raise RemoteRefused(f"No space is left at {self._folder}; free some and try again.") from error
            raise RemoteUnreachable(f"{self._folder} gave no good answer: {reason}; try again.") from error


def _tried_again(attempt: Callable[[], T]) -> T:
    """What comes of writing a file: another machine may remove its folder, which was empty, at the same moment."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            return attempt()
    return attempt()
