"""Files in a local folder: written beside their place, made durable, and then put there at once."""

from __future__ import annotations

import errno
import mmap
import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from ..errors import RepositoryBusy
from . import durable
from .files import Buffer, Signature, check_name
from .locks import Lock

_OPEN_FILES = 64
_CREATE_TIMEOUT = 60.0
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class LocalFiles:
    """A set of files below a folder.

    Args:
        folder: Where they are.
        staging: A folder on the same file system, for files not finished yet; a crash may leave some there.
    """

    def __init__(self, folder: Path, staging: Path) -> None:
        self._folder = os.fspath(folder)
        self._staging = staging
        self._fds: OrderedDict[str, int] = OrderedDict()
        self._mutex = threading.Lock()  # a descriptor must not be closed while it is read from

    def __del__(self) -> None:
        self.close()

    def path(self, name: str) -> str:
        """Where a file lies."""
        return f"{self._folder}/{check_name(name)}"

    def read(self, name: str, start: int = 0, length: int | None = None, *, fresh: bool = False) -> bytes:
        """See `Files.read`."""
        if fresh:
            with open(self.path(name), "rb", buffering=0) as file:
                return _read(file.fileno(), start, length)
        with self._mutex:
            return _read(self._fd(name), start, length)

    def map(self, name: str) -> Buffer:
        """See `Files.map`."""
        with open(self.path(name), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""

    def size(self, name: str) -> int:
        """See `Files.size`."""
        return os.stat(self.path(name)).st_size

    def signature(self, name: str) -> Signature:
        """See `Files.signature`."""
        info = os.stat(self.path(name))
        return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        return os.path.exists(self.path(name))

    def put(self, name: str, data: bytes) -> None:
        """See `Files.put`."""
        self._place(self._written(name, data), name)

    def adopt(self, name: str, path: Path) -> None:
        """See `Files.adopt`."""
        with open(path, "rb") as file:
            os.fsync(file.fileno())
        self._place(os.fspath(path), name)

    def create(self, name: str, data: bytes) -> bool:
        """See `Files.create`."""
        staged, target = self._written(name, data), self.path(name)
        try:
            self._link(staged, target)
        except FileExistsError:
            return False
        finally:
            Path(staged).unlink(missing_ok=True)
        durable.sync_folder(Path(target).parent)
        return True

    def hint(self, name: str, data: bytes) -> None:
        """See `Files.hint`."""
        staged = self._stage(name)
        try:
            with open(staged, "wb") as file:
                file.write(data)
            os.replace(staged, self.path(name))
        except BaseException:
            Path(staged).unlink(missing_ok=True)
            raise

    def list(self, folder: str) -> Iterator[str]:
        """See `Files.list`."""
        top = self.path(folder)
        for parent, folders, names in os.walk(top):
            folders.sort()
            below = parent[len(top) :].replace(os.sep, "/").strip("/")
            for name in sorted(names):
                yield "/".join(part for part in (folder, below, name) if part)

    def delete(self, name: str) -> None:
        """See `Files.delete`."""
        with self._mutex:
            if (fd := self._fds.pop(name, None)) is not None:
                os.close(fd)
        Path(self.path(name)).unlink(missing_ok=True)

    def close(self) -> None:
        """Closes the open files; reading opens them again."""
        with self._mutex:
            while self._fds:
                os.close(self._fds.popitem()[1])

    def _fd(self, name: str) -> int:
        if (fd := self._fds.get(name)) is not None:
            self._fds.move_to_end(name)
            return fd
        fd = self._fds[name] = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        if len(self._fds) > _OPEN_FILES:
            os.close(self._fds.popitem(last=False)[1])
        return fd

    def _stage(self, name: str) -> str:
        self._staging.mkdir(exist_ok=True)
        return f"{self._staging}/{name.replace('/', '-')}.{os.getpid()}.{secrets.token_hex(4)}"

    def _written(self, name: str, data: bytes) -> str:
        """A finished, durable file in the staging folder."""
        staged = self._stage(name)
        try:
            with open(staged, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            Path(staged).unlink(missing_ok=True)
            raise
        return staged

    def _place(self, staged: str, name: str) -> None:
        target = Path(self.path(name))
        try:
            if not target.parent.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                durable.sync_folder(target.parent.parent)
            os.replace(staged, target)
        except BaseException:
            Path(staged).unlink(missing_ok=True)
            raise
        durable.sync_folder(target.parent)

    def _link(self, staged: str, target: str) -> None:
        """Gives a file a second name, unless that is taken. Raises FileExistsError."""
        try:
            os.link(staged, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.link(staged, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # A file system without links: among processes of this machine a lock does.
            lock = Lock.wait(self._staging / "create.lock", _CREATE_TIMEOUT)
            if lock is None:
                raise RepositoryBusy(f"Another process keeps {target} busy; try again.") from None
            try:
                if os.path.lexists(target):
                    raise FileExistsError(errno.EEXIST, "File exists", target) from None
                os.rename(staged, target)
            finally:
                lock.release()


def _read(fd: int, start: int, length: int | None) -> bytes:
    # What is asked for may be more than any memory holds: a table may be hostile.
    there = max(0, os.fstat(fd).st_size - start)
    length = there if length is None else min(length, there)
    data = os.pread(fd, length, start)
    while len(data) < length and (more := os.pread(fd, length - len(data), start + len(data))):
        data += more  # the system reads at most 2 GiB at once
    return data
