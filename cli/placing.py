"""Data that stands in the project: what was edited since it was added or checked out, and what is pinned there."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from artvcs.pipelines.history import pins
from artvcs.pipelines.history.pins import Pin
from artvcs.vcs import (
    FOLDER,
    ArtError,
    DamagedError,
    Entry,
    Fetched,
    Oid,
    RefMap,
    Repository,
    Version,
    git,
    ref_names,
    storage_errors,
    versions,
    worktree,
)
from artvcs.vcs.worktree import Difference, Placed, Places

from .main import terminal
from .terminal.screen import Counter


@dataclass(frozen=True)
class Edited:
    """A version that stands at a path and was edited.

    Attributes:
        placed: What stood there.
        version: As `NAME@VERSION`; just the name where that version has been deleted.
        difference: What is not as it was.
        error: Why it could not be compared, if it could not.
    """

    placed: Placed
    version: str
    difference: Difference
    error: str | None = None

    @property
    def is_gone(self) -> bool:
        """Whether nothing stands there any more."""
        return self.error is None and not self.path.exists() and not self.path.is_symlink()

    path: Path = Path()


@dataclass(frozen=True)
class Behind:
    """A version that stands at a path while another one is the newest of its name.

    Attributes:
        version: As `NAME@VERSION`; just the name where that version has been deleted.
        newest: The newest, as it would be pinned there.
        was_chosen: Whether it was the newest already when that version was put there.
    """

    version: str
    newest: Pin
    was_chosen: bool

    @property
    def path(self) -> str:
        """Where, from the project's folder, with `/`."""
        return self.newest.path

    def how(self, *, edited: bool) -> str:
        """How the newest is had, where what stands there was edited, or not."""
        where = "OTHER_PATH" if edited else shlex.quote(self.path)
        does = "lays it beside, to put both together" if edited else "brings it"
        return f"`art checkout {shlex.quote(self.newest.artifact)} -o {where}` {does}"


def places(repository: Repository) -> Places:
    """The versions that stand in the project."""
    return Places(repository.layout, repository.project)


def note(repository: Repository, path: Path, version: Version, entry: Entry, *, ignored: bool = False) -> None:
    """Notes that a version stands at a path, also where that is pinned; and has Git leave it alone, if asked to."""
    newest = repository.refs().get(ref_names.newest(version.name))
    spelt = places(repository).note(path, version.name, version.artifact, entry, repository.store, newest)
    if spelt is None:
        if ignored:
            terminal().warn(f"{path} lies outside of the project, so its .gitignore says nothing of it.")
        return
    try:
        pinned = pins.read(repository.project)
    except DamagedError as error:  # what was asked for is done
        terminal().warn(str(error))
        pinned = {}
    if spelt in pinned and pinned[spelt].id != version.artifact:
        pins.save(repository.project, {**pinned, spelt: pin(spelt, version)})
        terminal().tell(f"{pins.FILE_NAME} pins {pin(spelt, version).artifact} at {spelt} now")
    if ignored:
        _ignore(repository, spelt, folder=path.is_dir())


def pin(path: str, version: Version) -> Pin:
    """A version as it is pinned."""
    return Pin(path, version.spelt, version.artifact)


def edited(
    repository: Repository, below: list[str] | None = None, of: Collection[tuple[str, Oid]] | None = None
) -> Iterator[Edited]:
    """What stands in the project and is not as it was added or checked out.

    Args:
        repository: The repository.
        below: Only at these paths, or below them.
        of: Only of these versions: the artifact's name, and its id.
    """
    found, refs = places(repository), repository.refs()
    known = worktree.StatCache(repository.cache, repository.store)
    for placed in found:
        if below is not None and not any(placed.path == each or placed.path.startswith(f"{each}/") for each in below):
            continue
        if of is not None and (placed.name, placed.artifact) not in of:
            continue
        path, difference, error = found.on_disk(placed.path), Difference(), None
        try:
            with Counter(f"comparing {placed.path}", placed.size, live=terminal().live) as counter:
                difference = worktree.compare(repository.store, path, placed.entry, known, counter)
        except ArtError as raised:
            error = str(raised)
        if difference or error is not None:
            yield Edited(placed, _called(refs, placed), difference, error, path)


def behind(repository: Repository) -> Iterator[Behind]:
    """What stands in the project and is not the newest of its name."""
    refs = repository.refs()
    for placed in places(repository):
        newest = versions.newest(refs, placed.name)
        if newest is not None and newest.artifact != placed.artifact:
            was_chosen = newest.artifact == placed.newest
            yield Behind(_called(refs, placed), pin(placed.path, newest), was_chosen)


def around(repository: Repository, path: Path) -> Iterator[str]:
    """The version of each folder that stands in the project and that a path lies in, as `PATH (NAME@VERSION)`."""
    found, refs = places(repository), repository.refs()
    spelt = found.spell(path)
    for placed in found if spelt is not None else ():
        if str(spelt).startswith(f"{placed.path}/") and placed.mode == FOLDER:
            yield f"{placed.path} ({_called(refs, placed)})"


def follow_numbers(repository: Repository, fetched: Fetched) -> None:
    """Has artifacts.lock call what it pins by the numbers that others gave it since."""
    if not fetched.renumbered:
        return
    refs, pinned = repository.refs(), pins.read(repository.project)
    found = {path: versions.by_value(refs, each.name, each.id) for path, each in pinned.items()}
    called = {path: pin(path, version) for path, version in found.items() if version is not None}
    if changed := {path: each for path, each in called.items() if pinned[path] != each}:
        pins.save(repository.project, {**pinned, **changed})
    for path, each in changed.items():
        terminal().tell(f"{pins.FILE_NAME} calls what it pins at {path} {each.artifact} now")


def _called(refs: RefMap, placed: Placed) -> str:
    version = versions.by_value(refs, placed.name, placed.artifact)
    return placed.name if version is None else pin(placed.path, version).artifact


def _ignore(repository: Repository, path: str, *, folder: bool) -> None:
    """Has Git leave a path alone, by a line in the project's .gitignore, unless it does already."""
    if git.is_ignored(repository.project, path):
        return
    file = repository.project / ".gitignore"
    line = f"/{path}{'/' if folder else ''}"
    escaped = "".join(f"\\{char}" if char in "\\*?[]" else char for char in line)
    with storage_errors(f"writing {file}"):
        before = file.read_text() if file.exists() else ""
        file.write_text(f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{escaped}\n")
    terminal().tell(f".gitignore has {escaped} now")
