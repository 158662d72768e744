"""A repository: a set of immutable files and one commit point, the log of ops.

Start here: `Repository.discover()` finds one, `.transaction()` changes it, `.refs()` and `.store` read it.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from . import git
from .catalog import catalog, file_sizes, pack_memo, stat_cache
from .catalog.catalog import Catalog
from .catalog.database import Database
from .catalog.file_sizes import FileSizes
from .catalog.pack_memo import PackMemo, VettedRuns
from .changes import publish
from .changes.contribution import Contribution, Link
from .changes.journal import leftovers
from .changes.publish import Publisher, now_ms
from .changes.transaction import Transaction
from .errors import DamagedError, RepositoryError, RepositoryNotFound, StorageError, UnsupportedFormat, storage_errors
from .maps.promises import Promises
from .maps.refs import RefMap
from .objects.kinds import Op, State
from .objects.oid import Oid
from .storage.disk import leases, reserve
from .storage.disk.registers import read_register, write_register
from .storage.layout import FOLDER_NAME, FORMAT, FORMAT_VERSION, GITIGNORE_TEXT, OPS, PACKS, Layout, op_name
from .storage.local import LocalFiles
from .storage.op_log import OpLog
from .storage.packs.op_file import Entry
from .storage.store import ObjectStore
from .worktree.files import file_ids

if TYPE_CHECKING:
    from .changes.recovery import Recovered

ENVIRONMENT_VARIABLE = "ARTVCS_DIR"

making: ContextVar[Callable[[Path], object]] = ContextVar("artvcs_making")
"""Told the `.artifacts` folder that was made because there was none."""

VERSIONS = {"read": FORMAT_VERSION, "write": FORMAT_VERSION, "gc": FORMAT_VERSION}
"""What the file `format` says."""


class Supplier(Protocol):
    """Has what is not in a repository that is only an outpost of another."""

    def bring_object(self, oid: Oid) -> bool:
        """Makes an object readable here; whether it is there."""

    def bring_data(self, artifacts: Iterable[Oid]) -> None:
        """Makes readable here what artifacts hold. Raises as `supply.bring`."""


class Repository:
    """An artifact repository on disk. Opening it changes nothing.

    Args:
        folder: The `.artifacts` folder itself.

    Attributes:
        supplier: Has what is not here; None where this is no outpost.

    Raises:
        RepositoryNotFound: There is none.
        UnsupportedFormat: A newer artvcs wrote it.
        DamagedError: Its format file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder)
        self.supplier: Supplier | None = None
        with storage_errors(f"opening the repository at {folder}"):
            check_format(self.layout)
            self.layout.check_folders()
        files = self._files = LocalFiles(folder, self.layout.tmp)
        tables = (*catalog.SCHEMA, *file_sizes.SCHEMA, *pack_memo.SCHEMA, *stat_cache.SCHEMA, *file_ids.SCHEMA)
        self.cache = Database(self.layout.cache, tables, beside=self.layout.format)
        self.store = ObjectStore(files, OpLog(files), PackMemo(self.cache))
        self.vetted = VettedRuns(self.cache, self.store)
        self.file_ids = file_ids.FileIds(self.cache)
        self._author: str | None = None
        self._process = os.getpid()
        self._born = _signature(self.layout.format)
        self._publisher = Publisher(self.store, self.layout, self.author, self.cache)

    @classmethod
    def init(cls, folder: Path) -> Self:
        """Makes a repository in `folder` (the `.artifacts` folder itself), or opens the one there.

        Raises:
            StorageError: The folder cannot be written.
        """
        layout = Layout(folder)
        with storage_errors(f"making a repository at {folder}"):
            if not layout.format.exists():
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

        What killed processes of this user left there is published.

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
        repository = cls._made(folder) if create else cls(folder)
        repository.recover_if_possible()
        return repository

    @classmethod
    def for_run(cls) -> Self:
        """As `discover`, made where there is none; one that this process has open is used again, with what it has read.

        For what is done again and again. What judges what is on disk has to read it.
        """
        start = Path.cwd()
        folder = _find(start) or (git.find_root(start) or start) / FOLDER_NAME
        repository = cls._opened(folder) or cls._made(folder)
        with _mutex:
            _open[folder] = repository
            _open.move_to_end(folder)
            if len(_open) > _MOST_OPEN:
                _open.popitem(last=False)
        repository.recover_if_possible()
        return repository

    @classmethod
    def _made(cls, folder: Path) -> Self:
        """As `init`; that there was none is told who wants to know."""
        is_new = not Layout(folder).format.exists()
        repository = cls.init(folder)
        if is_new and (tell := making.get(None)) is not None:
            tell(folder)
        return repository

    @classmethod
    def _opened(cls, folder: Path) -> Self | None:
        """The repository in a folder as this process has it open, if it is still that one."""
        known = _open.get(folder)
        if known is None or type(known) is not cls or known._process != os.getpid():
            return None
        if known._born != _signature(known.layout.format):
            return None
        with storage_errors(f"opening the repository at {folder}"):
            known.layout.check_folders()
        known._author = None
        known.store.look_again()
        return known

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

    def supplied_by(self, supplier: Supplier) -> None:
        """From now on what is not here is asked for elsewhere."""
        self.supplier = supplier
        self.store.supplier = supplier.bring_object

    def make_temporary(self) -> None:
        """From now on packs that are put here need not survive a power cut: they are copies of what goes elsewhere."""
        self._files.lasting = False

    @property
    def project(self) -> Path:
        """The folder that holds the repository."""
        return self.layout.folder.parent

    # Reading

    def refs(self) -> RefMap:
        """The refs as they are now.

        Raises:
            DamagedError: The newest op is damaged.
        """
        return RefMap(self.store, self.store.refresh().state.refs)

    def catalog(self, refs: RefMap | None = None, *, most: int | None = None) -> Catalog:
        """What the refs (as they are now, or these) say, turned round: who uses a version, and the like.

        Args:
            refs: A state of the refs; by default as they are now.
            most: See `Catalog`.
        """
        return Catalog(self.cache, refs or self.refs(), most)

    def promises(self) -> Promises:
        """What data that is not here repositories elsewhere have."""
        return Promises(self.store, self.layout)

    def stored_size(self) -> int:
        """Bytes of all files that the newest state names."""
        return FileSizes(self.cache, self.store.files).of(self.store.refresh())

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside the block nothing is collected that the newest state of now names: for what takes its time."""
        lease: leases.Lease | None = None
        reader = object()
        try:
            if os.access(self.layout.folder, os.W_OK):  # else nobody collects anything here
                with suppress(OSError):  # a full disk can be read all the same
                    lease = leases.begin(self.layout.leases, self.store.refresh().seq)
            moment = self.store.leased[id(reader)] = self.store.refresh()
            if lease is not None:
                lease.move(moment.seq)
            yield
        finally:
            self.store.leased.pop(id(reader), None)
            if lease is not None:
                lease.end()

    # Changing

    def transaction(self, why: str) -> Transaction:
        """Begins a change; `why` is what the op log says about it."""
        with storage_errors(f"writing to {self.layout.folder}"):
            self.recover()
            return self.begin(why)

    def freeing(self) -> AbstractContextManager[None]:
        """Around what frees space: inside the block a little is there to be used, however full the disk is."""
        return reserve.opened(self.layout.reserve)

    def recover(self) -> list[Recovered]:
        """Publishes what killed processes had landed and not published.

        Raises:
            StorageError: The operating system refused.
        """
        if not leftovers(self.layout):
            return []
        from .changes import recovery  # costs milliseconds, and is hardly ever needed

        return recovery.recover(self.store, self.layout, self.begin)

    def recover_if_possible(self) -> None:
        """As `recover`, where the repository can be written; what cannot be published now stays for the next time."""
        if leftovers(self.layout) and os.access(self.layout.folder, os.W_OK):
            import logging  # costs milliseconds, and there is hardly ever something to tell

            log = logging.getLogger("artvcs")
            try:
                for found in self.recover():
                    log.info("published %d changes that a killed process had finished: %s", found.changes, found.why)
            except StorageError as error:
                log.warning("what a killed process had finished is not published yet: %s", error)

    def begin(self, why: str) -> Transaction:
        """As `transaction`, leaving alone what killed processes left."""
        return Transaction(self.store, self.layout, self._publisher, why)

    def contribute(self, folder: Path, link: Link) -> Contribution:
        """Begins a part of a change that another process makes.

        Args:
            folder: A folder of that process's, for what is not whole yet.
            link: The way to that process.
        """
        with storage_errors(f"writing to {self.layout.folder}"):
            return Contribution(self.store, self.layout, self._publisher.view, folder, link)

    def author(self) -> str:
        """Who makes changes here: Git's user.name and user.email, else the user and host."""
        if self._author is None:
            self._author = git.author(self.project) or f"{_user()}@{os.uname().nodename}"
        return self._author


_MOST_OPEN = 2
"""So many repositories are kept open in a process; a program has one, and may look into another."""

_open: OrderedDict[Path, Repository] = OrderedDict()
_mutex = threading.Lock()


def _signature(path: Path) -> tuple[int, ...] | None:
    """What tells a file from any other that takes its place."""
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino, info.st_mtime_ns, info.st_ctime_ns, info.st_size


def _make_files(layout: Layout) -> None:
    """Makes a new repository; of several processes at once one makes the first op, and the others find it."""
    if any(layout.packs.glob("*/*")) and not any(layout.ops.glob("*")):
        raise DamagedError(f"{layout.folder} holds data but its ops are lost; restore the folder 'ops' from a copy.")
    layout.check_folders()
    for path in layout.folders():
        path.mkdir(parents=True, exist_ok=True)
    layout.gitignore.write_text(GITIGNORE_TEXT)  # if it is lost, Git sees our files: no more than that
    files = LocalFiles(layout.folder, layout.tmp)
    OpLog(files).begin(first_entry(_user()).data)
    # Last: a folder with a format file is a repository.
    write_register(layout.format, VERSIONS, layout.tmp)
    reserve.fill(layout.reserve)


def first_entry(author: str) -> Entry:
    """With what a repository begins."""
    state = State(None, (), (op_name(1),), {}, 0, ())
    return Entry.make(Op(1, None, state, *publish.nonces(), author, now_ms(), "init"), ())


def _find(start: Path) -> Path | None:
    """The `.artifacts` folder named by the environment, or else the nearest one upwards."""
    if override := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(override).absolute()
    for folder in (start, *start.parents):
        with storage_errors(f"reading {folder / FOLDER_NAME}"):
            # A copy may lack the folders that were empty.
            if any((folder / FOLDER_NAME / name).exists() for name in (OPS, PACKS, FORMAT)):
                return folder / FOLDER_NAME
            if (folder / ".git").exists():
                return None  # what lies above belongs to another project
    return None


def is_shared(layout: Layout) -> bool:
    """Whether a repository is one that others push to, who have no leases here."""
    try:
        return "id" in read_register(layout.format)
    except DamagedError:
        return False


def check_format(layout: Layout) -> None:
    """Refuses what no artvcs has written, or a newer one. Raises as `Repository`."""
    if not layout.format.exists():
        raise RepositoryNotFound(f"{layout.folder} is not an artifact repository; `art init` makes one.")
    check_versions(read_register(layout.format), str(layout.folder))


def check_versions(versions: Mapping[str, Any], where: str) -> None:
    """Refuses what a file `format` says of a newer artvcs. Raises UnsupportedFormat."""
    newest = max((v for v in versions.values() if isinstance(v, int)), default=FORMAT_VERSION + 1)
    if newest > FORMAT_VERSION:
        raise UnsupportedFormat(f"{where} has format {newest} and this artvcs reads {FORMAT_VERSION}; upgrade artvcs.")


def _user() -> str:
    import getpass  # costs a millisecond, and only who publishes has to say who that is

    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise RepositoryError(f"The user's name is unknown ({error}); set USER.") from error
