"""A repository: a set of immutable files and one mutable register, the root.

Start here: `Repository.discover()` finds one, `.transaction()` changes it, `.refs()` and `.store` read it.
"""

from __future__ import annotations

import getpass
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from . import git
from .changes import recovery
from .changes.transaction import Transaction
from .errors import (
    DamagedError,
    RepositoryError,
    RepositoryNotFound,
    UnsupportedFormat,
    storage_errors,
)
from .objects.kinds import Op
from .objects.oid import Oid, check_oid
from .refs.map import RefMap
from .storage import durable
from .storage.layout import FOLDER_NAME, FORMAT_VERSION, GITIGNORE_TEXT, Layout
from .storage.registers import read_register, write_register
from .storage.store import ObjectStore

ENVIRONMENT_VARIABLE = "ARTVCS_DIR"


@dataclass(frozen=True)
class Root:
    """The register's content: the newest op and its sequence number. `op` is None before the first."""

    seq: int
    op: Oid | None


class Repository:
    """An artifact repository on disk.

    Args:
        folder: The `.artifacts` folder itself.
        passive: Change nothing on disk: neither publish what a killed process left nor mend the index.

    Raises:
        RepositoryNotFound: There is none.
        UnsupportedFormat: A newer artvcs wrote it.
        DamagedError: Its format file or root is damaged.
    """

    def __init__(self, folder: Path, *, passive: bool = False) -> None:
        self.layout = Layout(folder)
        self._passive = passive
        with storage_errors(f"opening the repository at {folder}"):
            _check_format(self.layout)
            self.store = ObjectStore(self.layout, self._reindex)
            self._author: str | None = None
            self._mutex = threading.RLock()
            self._lock_depth = 0
            if not passive and os.access(folder, os.W_OK):
                for path in self.layout.folders():
                    path.mkdir(exist_ok=True)  # a copy may have left empty folders out
                if any(self.layout.incoming.iterdir()):
                    recovery.recover(self)

    @classmethod
    def init(cls, folder: Path) -> Self:
        """Makes a repository in `folder` (the `.artifacts` folder itself), or opens the one there.

        Raises:
            StorageError: The folder cannot be written.
        """
        layout = Layout(folder)
        with storage_errors(f"making a repository at {folder}"):
            if not layout.format.exists():
                for path in layout.folders():
                    path.mkdir(parents=True, exist_ok=True)
                # Locked, so that of two who make it at once neither resets what the other has published by then.
                with durable.lock(layout.lock, busy=f"Another process is making {folder} and does not end."):
                    _make_files(layout)
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Opens the repository in `folder`: the `.artifacts` folder, or the one that holds it."""
        inner = folder / FOLDER_NAME
        return cls(inner if inner.is_dir() else folder)

    @classmethod
    def discover(cls, start: Path | None = None, *, create: bool = False) -> Self:
        """Finds the repository from `start` (default: the working directory) upwards, within the Git working tree.

        The environment variable ARTVCS_DIR, where set, names the `.artifacts` folder instead.

        Args:
            start: Where to look first.
            create: Make one, at the Git root or else in `start`, when there is none.

        Raises:
            RepositoryNotFound: There is none and `create` is False.
        """
        start = (start or Path.cwd()).absolute()
        folder = _find(start)
        if folder is None and create:
            folder = (git.find_root(start) or start) / FOLDER_NAME
        if folder is None:
            raise RepositoryNotFound(
                f"There is no artifact repository in {start} or above; run a pipeline or `art init` to make one."
            )
        return cls.init(folder) if create else cls(folder)

    @classmethod
    def locate(cls, start: Path | None = None) -> Path:
        """The `.artifacts` folder that `discover` would open, be it damaged or not.

        Raises:
            RepositoryNotFound: There is none.
        """
        start = (start or Path.cwd()).absolute()
        folder = _find(start)
        if folder is None or not folder.is_dir():
            raise RepositoryNotFound(f"There is no artifact repository in {start} or above; `art init` makes one.")
        return folder

    @property
    def project(self) -> Path:
        """The folder that holds the repository."""
        return self.layout.folder.parent

    # Reading

    def read_root(self) -> Root:
        """The register as it is now.

        Raises:
            DamagedError: It is damaged.
        """
        data = read_register(self.layout.root)
        op = data.get("op")
        if set(data) != {"seq", "op"} or type(data["seq"]) is not int:
            raise DamagedError("The repository's root is damaged; run `art fsck`.")
        return Root(data["seq"], None if op is None else check_oid(op))

    def refs(self) -> RefMap:
        """The refs as they are now."""
        return self.refs_at(self.read_root().op)

    def refs_at(self, op: Oid | None) -> RefMap:
        """The refs as they were after an op."""
        return RefMap(self.store, None if op is None else self.store.record(op, Op).refs)

    # Changing

    def transaction(self, why: str) -> Transaction:
        """Begins a change; `why` is what the op log says about it."""
        with storage_errors(f"writing to {self.layout.folder}"):
            return Transaction(self, why)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the lock under which the root moves. A thread that holds it may ask for it again.

        Raises:
            RepositoryBusy: Another process has held it for too long.
        """
        with self._mutex:
            if self._lock_depth:
                yield
                return
            busy = f"Another process is writing to {self.layout.folder} and does not end; look for it with `ps`."
            with durable.lock(self.layout.lock, busy=busy):
                self._lock_depth += 1
                try:
                    yield
                finally:
                    self._lock_depth -= 1

    def write_root(self, seq: int, op: Oid) -> None:
        """Moves the root, durably. Call under `locked()`, having read the root there."""
        write_register(self.layout.root, {"seq": seq, "op": op}, self.layout.tmp)

    def author(self) -> str:
        """Who makes changes here: Git's user.name and user.email, else the user and host."""
        if self._author is None:
            self._author = git.author(self.project) or f"{_user()}@{socket.gethostname()}"
        return self._author

    def _reindex(self) -> None:
        """Mends the index if it does not name the packs there are; an id that is nowhere costs no more than that."""
        index = self.store.index
        if not index.outdated():
            return
        if self._passive or not os.access(self.layout.index, os.W_OK):
            index.rebuild_in_memory()
            return
        with self.locked():
            index.reload()
            if index.outdated():
                index.rebuild()


def _make_files(layout: Layout) -> None:
    if layout.format.exists():
        return
    if not layout.root.exists() and layout.pack_files():
        raise DamagedError(f"{layout.folder} holds data but its root is lost; restore the file 'root' from a copy.")
    durable.write_file(layout.gitignore, GITIGNORE_TEXT.encode(), staging=layout.tmp)
    layout.gc_lock.touch()
    if not layout.root.exists():
        write_register(layout.root, {"seq": 0, "op": None}, layout.tmp)
    # Last: a folder with a format file is a repository.
    versions = {"read": FORMAT_VERSION, "write": FORMAT_VERSION, "gc": FORMAT_VERSION}
    write_register(layout.format, versions, layout.tmp)


def _find(start: Path) -> Path | None:
    """The `.artifacts` folder named by the environment, or else the nearest one upwards."""
    if override := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(override).absolute()
    for folder in (start, *start.parents):
        if (folder / FOLDER_NAME / "packs").is_dir():
            return folder / FOLDER_NAME
        if (folder / ".git").exists():
            return None  # what lies above belongs to another project
    return None


def _check_format(layout: Layout) -> None:
    if not layout.format.exists():
        raise RepositoryNotFound(f"{layout.folder} is not an artifact repository; `art init` makes one.")
    versions = read_register(layout.format)
    newest = max((v for v in versions.values() if isinstance(v, int)), default=FORMAT_VERSION + 1)
    if newest > FORMAT_VERSION:
        raise UnsupportedFormat(
            f"{layout.folder} has format {newest} and this artvcs reads {FORMAT_VERSION}; upgrade artvcs."
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise RepositoryError(f"The user's name is unknown ({error}); set USER.") from error
