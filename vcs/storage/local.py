"""Files in a local folder: written beside their place, made durable, and then put there at once."""

from __future__ import annotations

import errno
import mmap
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import DamagedError, RepositoryBusy
from .disk import durable, mutexes, system
from .disk.locks import Lock
from .disk.plain import look_plain, open_plain
from .files import Buffer, Signature, check_name, nothing

_OPEN_FILES = 64
_HINT = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_CREATE_TIMEOUT = 60.0
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class LocalFiles:
    """A set of files below a folder.

    Args:
        folder: Where they are.
        staging: A folder on the same file system, for files not finished yet; a crash may leave some there.
        locks: Whether all who write there are processes of this machine, so that a lock keeps them apart where the
            file system can neither link nor rename only where there is nothing.

    Attributes:
        lasting: Whether what is put here has to survive a power cut; an outpost's goes elsewhere.
    """

    def __init__(self, folder: Path, staging: Path, *, locks: bool = True) -> None:
        self._folder = os.fspath(folder)
        self._staging = staging
        self._locks = locks
        self.lasting = True
        self._fds: OrderedDict[str, tuple[int, int]] = OrderedDict()  # name → descriptor, inode
        self._mutex = mutexes.own(self)  # a descriptor must not be closed while it is read from

    def __del__(self) -> None:
        self.close()

    def path(self, name: str) -> str:
        """Where a file lies."""
        return f"{self._folder}/{check_name(name)}"

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Files.read`."""
        with self._mutex:
            fd, size = self._open(name)
            # What is asked for may be more than any memory holds: a table may be hostile.
            there = max(0, size - start)
            length = there if length is None else min(length, there)
            data = os.pread(fd, length, start) if length else b""
            while len(data) < length and (more := os.pread(fd, length - len(data), start + len(data))):
                data += more  # the system reads at most 2 GiB at once
        return data

    def map(self, name: str) -> Buffer:
        """See `Files.map`."""
        fd, info = open_plain(self.path(name))
        try:
            return mmap.mmap(fd, info.st_size, access=mmap.ACCESS_READ) if info.st_size else b""
        finally:
            os.close(fd)

    def size(self, name: str) -> int:
        """See `Files.size`."""
        return look_plain(self.path(name)).st_size

    def signature(self, name: str) -> Signature:
        """See `Files.signature`."""
        info = look_plain(self.path(name))
        return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        return os.path.lexists(self.path(name))

    def put(self, name: str, data: bytes) -> None:
        """See `Files.put`."""
        self._replace(name, data)

    def adopt(self, name: str, path: Path) -> None:
        """See `Files.adopt`."""
        check_name(name)
        if self.lasting:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
        self._place(os.fspath(path), name, lasting=self.lasting)

    def put_pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        """As `put`, with bytes that come one after the other."""
        self._staging.mkdir(exist_ok=True)
        staged = self._staged(name)
        try:
            with open(staged, "wb") as file:
                file.writelines(pieces)
            self.adopt(name, Path(staged))
        except BaseException:
            Path(staged).unlink(missing_ok=True)
            raise

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        """See `Files.create`."""
        staged, target = self._written(name, data), self.path(name)
        try:
            self._link(staged, target)
            visible()
        except FileExistsError:
            return False
        finally:
            Path(staged).unlink(missing_ok=True)
        durable.sync_folder(Path(target).parent)
        return True

    def hint(self, name: str, data: bytes) -> None:
        """See `Files.hint`."""
        # In its place: a rename over another file makes some file systems write it out at once, which takes its time.
        fd = os.open(self.path(name), _HINT, 0o644)
        try:
            durable.write_at(fd, data, 0)
            os.ftruncate(fd, len(data))
        finally:
            os.close(fd)

    def list(self, folder: str) -> Iterator[str]:
        """See `Files.list`."""
        top = self.path(folder)
        for parent, folders, names in os.walk(top, onerror=_unless_gone):
            folders.sort()
            below = parent[len(top) :].replace(os.sep, "/").strip("/")
            for name in sorted(names):
                yield "/".join(part for part in (folder, below, name) if part)

    def delete(self, name: str) -> None:
        """See `Files.delete`."""
        with self._mutex:
            self._forget(name)
        _check_parent(self.path(name))
        Path(self.path(name)).unlink(missing_ok=True)

    def close(self) -> None:
        """Closes the open files; reading opens them again."""
        with self._mutex:
            while self._fds:
                self._forget(next(iter(self._fds)))

    def _open(self, name: str) -> tuple[int, int]:
        """A descriptor of a file, kept open for the next time, and the file's size."""
        path = self.path(name)
        info = look_plain(path)
        if name in self._fds and self._fds[name][1] != info.st_ino:
            self._forget(name)  # replaced since, perhaps by another process
        if name not in self._fds:
            fd, info = open_plain(path)
            self._fds[name] = fd, info.st_ino
            if len(self._fds) > _OPEN_FILES:
                self._forget(next(iter(self._fds)))
        self._fds.move_to_end(name)
        return self._fds[name][0], info.st_size

    def _forget(self, name: str) -> None:
        if (known := self._fds.pop(name, None)) is not None:
            os.close(known[0])

    def _written(self, name: str, data: bytes, *, lasting: bool = True) -> str:
        """A finished file in the staging folder, durable unless it need not be."""
        self._staging.mkdir(exist_ok=True)
        staged = self._staged(name)
        try:
            with open(staged, "wb") as file:
                file.write(data)
                file.flush()
                if lasting:
                    os.fsync(file.fileno())
        except BaseException:
            Path(staged).unlink(missing_ok=True)
            raise
        return staged

    def _staged(self, name: str) -> str:
        return f"{self._staging}/{check_name(name).replace('/', '-')}.{os.getpid()}.{os.urandom(8).hex()}"

    def _replace(self, name: str, data: bytes, *, lasting: bool = True) -> None:
        staged = self._written(name, data, lasting=lasting)
        try:
            self._place(staged, name, lasting=lasting)
        except BaseException:
            Path(staged).unlink(missing_ok=True)
            raise

    def _place(self, staged: str, name: str, *, lasting: bool = True) -> None:
        target = self.path(name)
        _make_parent(target)
        os.replace(staged, target)
        if lasting:
            durable.sync_folder(Path(target).parent)

    def _link(self, staged: str, target: str) -> None:
        """Gives a file a second name, unless that is taken. Raises FileExistsError."""
        _make_parent(target)
        try:
            os.link(staged, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if system.rename_if_new(Path(staged), Path(target)):
                return
            if not self._locks:
                raise OSError(errno.ENOTSUP, "It can create no file only where there is none", target) from error
            # A file system that can do neither: among processes of this machine a lock does.
            lock = Lock.wait(self._staging / "create.lock", _CREATE_TIMEOUT)
            if lock is None:
                raise RepositoryBusy(f"Another process keeps {target} busy; try again.") from None
            try:
                if os.path.lexists(target):
                    raise FileExistsError(errno.EEXIST, "File exists", target) from None
                os.rename(staged, target)
            finally:
                lock.release()


def _check_parent(target: str) -> None:
    """Refuses to write or delete where a folder is a link: what it leads to may be another's. Raises DamagedError."""
    folder = os.path.dirname(target)
    if os.path.islink(folder):
        raise DamagedError(f"{folder} is a link, and a repository's files have to lie in it; run `art fsck --repair`.")


def _make_parent(target: str) -> None:
    """Makes the folder that a file is to be in, durably. Raises as `_check_parent`."""
    _check_parent(target)
    folder = Path(target).parent
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        durable.sync_folder(folder.parent)


def _unless_gone(error: OSError) -> None:
    """A folder that is not there has no files; one that cannot be read may have some."""
    if not isinstance(error, FileNotFoundError):
        raise error
