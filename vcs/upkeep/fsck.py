"""Checking everything: every byte of every file, and that whatever is referred to is there.

Never changes and never deletes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ArtError, storage_errors
from ..objects.oid import Oid, hasher
from ..refs.walk import op_chain, pruned, reachable
from ..repository import Repository
from ..storage import pack
from ..storage.layout import GITIGNORE_TEXT, Layout
from ..storage.registers import read_register
from ..storage.segments import Segment


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, and what."""

    where: str
    what: str


def fsck(folder: Path, progress: Callable[[str], None] = lambda _: None) -> Iterator[Problem]:
    """Checks the repository in `folder` (the `.artifacts` folder itself).

    Args:
        folder: The repository.
        progress: Called with the name of each file before it is checked.

    Yields:
        What is wrong; nothing for a repository that is whole.
    """
    layout = Layout(folder)
    with storage_errors(f"checking {folder}"):
        yield from _check_files(layout, progress)
        try:
            repository = Repository(folder, passive=True)
            repository.read_root()
        except ArtError as error:
            yield Problem("repository", str(error))
            return
        progress("references")
        yield from _check_references(repository)


def _check_files(layout: Layout, progress: Callable[[str], None]) -> Iterator[Problem]:
    for path in sorted(layout.folder.rglob("*")):
        folder = path.is_dir() and not path.is_symlink()
        if folder or layout.tmp in path.parents or layout.workspace in path.parents:
            continue
        name = str(path.relative_to(layout.folder))
        progress(name)
        try:
            what = _check_file(layout, path)
        except (ArtError, ValueError, OSError) as error:
            what = str(error)
        if what:
            yield Problem(name, what)


def _check_file(layout: Layout, path: Path) -> str | None:
    """What is wrong with one file, or None."""
    if layout.packs in path.parents:
        return _check_pack(layout, path)
    if path.parent == layout.index:
        Segment.open(path)
        return None
    if path == layout.gitignore:
        return None if path.read_text() == GITIGNORE_TEXT else "is not as artvcs wrote it"
    if path in (layout.lock, layout.gc_lock) or path.parent == layout.running:
        return "should be empty" if path.stat().st_size else None
    if path == layout.stat_cache:
        read_register(path)
        return None
    if path.parent == layout.trust:
        # Any bytes will do: those that are no proof trust nothing.
        return "is not a file" if path.is_symlink() else None
    if path in (layout.format, layout.root):
        return None  # checked when the repository is opened
    if path.parent == layout.incoming and path.suffix in (".pack", ".journal"):
        return None  # what is torn here was never published
    return "is not a file of an artifact repository"


def _check_pack(layout: Layout, path: Path) -> str | None:
    if path != layout.pack(Oid(path.name)):
        return "is not where a pack of this name belongs"
    if hasher("pack").update_mmap(path).hexdigest() != path.name:
        return "is damaged: its bytes do not match its name"
    listed = {at.oid: at for at in pack.read_table(path)}
    if listed != {at.oid: at for at in pack.scan(path, pack.records_end(path))}:
        return "is damaged: its table does not match its records"
    return None


def _check_references(repository: Repository) -> Iterator[Problem]:
    store, newest = repository.store, repository.read_root().op
    found: list[Problem] = []
    for path in repository.layout.pack_files():
        try:
            objects = pack.read_table(path)
        except ArtError:
            continue  # named above
        for at in objects:
            try:
                store.verify(at.oid)
            except ArtError as error:
                yield Problem(f"{at.kind} {at.oid}", str(error))
    if newest is None:
        return
    try:
        for _ in op_chain(store, newest):
            pass
    except ArtError as error:
        yield Problem("history", str(error))

    def note(oid: Oid, error: ArtError) -> None:
        found.append(Problem(f"reference {oid}", str(error)))

    for _ in reachable(store, [newest], note, ends=_pruned(repository)):
        pass
    yield from found


def _pruned(repository: Repository) -> set[Oid]:
    try:
        return pruned(repository.refs())
    except ArtError:
        return set()  # the damaged refs are named on the way
