"""The files of an artifact as people see them: registered ones under their own names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.pipelines.values import store
from artvcs.vcs import FOLDER, ArtError, Artifact, Entry, Oid, Repository, Version, Wanted, ref_names, worktree

REGISTERED = "path"
"""The folder in which the materializer of paths keeps what was registered."""


def bring_here(version: ArtifactVersion) -> None:
    """Sees to it that the data of a version is here. Raises as `values.store.bring_here`."""
    name = f"{version.name}@{version.version}"
    store.bring_here(version.repository, {version.id: name})


def top_of(repository: Repository, payload: Oid) -> Oid:
    """The tree whose names people know: below `path/` for what was registered."""
    entries = list(islice(worktree.entries(repository.store, payload), 2))
    if len(entries) == 1 and entries[0].name == REGISTERED and entries[0].mode == FOLDER:
        return entries[0].id
    return payload


def given_by(repository: Repository, payload: Oid) -> Entry:
    """What is checked out of an artifact: the one file or folder that it is, or a folder of its files."""
    top = top_of(repository, payload)
    first = list(islice(worktree.entries(repository.store, top), 2))
    return first[0] if len(first) == 1 else worktree.measure(repository.store, "files", top)


def is_given(repository: Repository, entry: Entry) -> bool:
    """Whether some version is this very file or folder, whatever its name: then it can be checked out again."""
    refs = repository.refs()
    for _, oid in repository.catalog(refs).versions.select(Wanted(size=entry.size)):
        with suppress(ArtError):  # one that cannot be read gives nothing
            version = refs.record(oid, Version)
            if refs.get(ref_names.pruned(version.artifact)) is not None:
                continue
            given = given_by(repository, refs.record(version.artifact, Artifact).payload)
            if (given.mode, given.id) == (entry.mode, entry.id):
                return True
    return False


def files_of(repository: Repository, payload: Oid) -> dict[str, Entry]:
    """Path → entry of each file of an artifact; of a registered folder, below that folder.

    Raises:
        DamagedError: It claims to be more than any disk holds.
    """
    count_of(repository, payload)
    return dict(sorted(walk(repository, payload)))


def count_of(repository: Repository, payload: Oid) -> int:
    """How many files, links and empty folders an artifact holds. Raises as `files_of`."""
    return worktree.measure(repository.store, "It", payload).files


def walk(repository: Repository, payload: Oid) -> Iterator[tuple[str, Entry]]:
    """Path and entry of each file as `files_of`, folder by folder; read as they are come to."""
    pending = [("", worktree.entries(repository.store, _root(repository, payload)))]
    while pending:
        prefix, entries = pending[-1]
        entry = next(entries, None)
        if entry is None:
            pending.pop()
        elif entry.mode == FOLDER:
            pending.append((f"{prefix}{entry.name}/", worktree.inside(repository.store, entry)))
        else:
            yield prefix + entry.name, entry


def paths_like(repository: Repository, payload: Oid, start: str) -> Iterator[str]:
    """What lies in a folder of an artifact under paths that start so, folders with a slash behind them."""
    folder, slash, begun = start.rpartition("/")
    tree = _root(repository, payload)
    for name in folder.split("/") if slash else ():
        named = worktree.entries(repository.store, tree, name)
        found = next((entry.id for entry in named if (entry.name, entry.mode) == (name, FOLDER)), None)
        if found is None:
            return
        tree = found
    for entry in worktree.entries(repository.store, tree, begun):
        yield f"{folder}{slash}{entry.name}{'/' * (entry.mode == FOLDER)}"


def _root(repository: Repository, payload: Oid) -> Oid:
    """The tree whose files are called by their paths in it."""
    top = top_of(repository, payload)
    if top == payload:
        return top
    return next((entry.id for entry in worktree.entries(repository.store, top) if entry.mode == FOLDER), top)
