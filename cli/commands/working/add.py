"""`art add`."""

from __future__ import annotations

import contextlib
import os
import shlex
import threading
from pathlib import Path

import click

from artvcs.pipelines.functions import register_artifact
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.vcs import (
    ArtError,
    Conflict,
    Entry,
    Oid,
    Repository,
    RepositoryNotFound,
    StorageError,
    UnknownName,
    versions,
    worktree,
)

from ... import placing
from ...main import terminal
from ...stored.files import top_of
from ...stored.versions import type_of
from ...terminal import output
from ...terminal.screen import Counter

_LARGE = 16 << 20
"""Of a file with less bytes nobody wants to see how far it is."""


@click.command()
@click.argument("path", required=False, type=click.Path(readable=False))
@click.option("--name", help="The artifact's name.")
@click.option("--version", help="An explicit version instead of the next number.")
@click.option("--tag", "tags", multiple=True, help="A label; may be repeated.")
@click.option("-u", "--update", is_flag=True, help="Store what was edited since it was added or checked out.")
@click.option("--gitignore", is_flag=True, help="Have Git leave the path alone.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    path: str | None, name: str | None, version: str | None, tags: tuple[str, ...], update: bool, gitignore: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Store an existing file or folder as a version of an artifact; prints its hash, as b3sum does for a file.

    With -u, store all that was edited since it was added or checked out, each under its name.

    Example: art add data.csv --name prices
    """
    if update:
        if name is not None or version is not None:
            raise click.UsageError("-u stores each path under the name it has; leave --name and --version out.")
        _update(path, tags, as_json=as_json)
        return
    if not path:
        raise click.UsageError("PATH is empty; name a file or folder." if path == "" else "Name a file or folder.")
    if name is None:
        raise click.UsageError("Say what the artifact is called, with --name.")
    added = _add(path, name, version, tags, ignored=gitignore)
    if as_json:
        terminal().document(_document(added))
    else:
        _say(added, path)


def _add(path: str, name: str, version: str | None, tags: tuple[str, ...], *, ignored: bool) -> ArtifactVersion:
    size = os.path.getsize(path) if os.path.isfile(path) else None
    live = terminal().live and (size is None or size >= _LARGE)
    with Counter("storing", size, live=live) as counter:
        if live and size is None:
            threading.Thread(target=_count, args=(path, counter), daemon=True).start()
        before = _newest(name)
        added = register_artifact(Path(path), name, version=version, tags=tags, progress=counter)
    entry = stored_entry(added.repository, added.artifact.payload)
    placing.note(added.repository, Path(path), added.record, entry, ignored=ignored)
    if before is not None and type_of(before) != type_of(added):
        this, that = f"{added.name}@{added.version}", f"{before.name}@{before.version}"
        terminal().warn(
            f"{this} is of type {type_of(added)}, and {that} of type {type_of(before)}; if it is to be something else, "
            f"`art rm {shlex.quote(this)}` takes it back, and another --name tells them apart."
        )
    return added


def _newest(name: str) -> ArtifactVersion | None:
    """The newest version of a name so far."""
    try:
        repository = Repository.discover()
    except RepositoryNotFound:
        return None
    found = versions.newest(repository.refs(), name)
    return None if found is None else ArtifactVersion(repository, found)


def _count(path: str, counter: Counter) -> None:
    """Finds out how much there is to store, beside the storing, which need not wait for it."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):  # gone meanwhile
                total += os.lstat(os.path.join(folder, name)).st_size
    counter.total = total


def _update(path: str | None, tags: tuple[str, ...], *, as_json: bool) -> None:
    """Stores what was edited, and takes note of what is gone."""
    repository = Repository.discover()
    found = placing.places(repository)
    spelt = None if path is None else found.spell(Path(path))
    if path is not None and spelt is None:
        raise UnknownName(f"{path} lies outside of the project; give a path in it.")
    edits = list(placing.edited(repository, None if spelt is None else [spelt]))
    problem: ArtError | None = None
    documents = list[dict[str, object]]()
    for each in edits:
        newer = next((found for found in placing.behind(repository) if found.path == each.placed.path), None)
        if each.error is not None:
            problem = problem or StorageError(each.error)
        elif each.is_gone:
            found.forget(each.placed.path)
            terminal().note(f"{each.placed.path} is gone, and is not looked at any more; {each.version} stays stored")
        elif newer is not None:
            problem = problem or _without_theirs(newer)
        else:
            added = _add(str(each.path), each.placed.name, None, tags, ignored=False)
            documents.append(_document(added))
            if not as_json:
                _say(added, each.placed.path)
    if as_json:
        terminal().document(documents)
    elif not edits:
        terminal().note("Nothing was edited.")
    if problem is not None:
        raise problem


def _without_theirs(newer: placing.Behind) -> Conflict:
    """Edits of an older version are not made the newest: what the one between has changed would be gone from it."""
    theirs, as_it_is = newer.newest.artifact, shlex.join(["art", "add", newer.path, "--name", newer.newest.name])
    return Conflict(
        f"The edits at {newer.path} are of {newer.version}, and what {theirs} has changed since would be gone "
        f"from the newest version; {newer.how(edited=True)}, and then `{as_it_is}` stores them."
    )


def _document(added: ArtifactVersion) -> dict[str, object]:
    entry = stored_entry(added.repository, added.artifact.payload)
    return {"id": entry.id, "name": added.name, "version": added.version, "artifact": added.id}


def _say(added: ArtifactVersion, path: str) -> None:
    entry = stored_entry(added.repository, added.artifact.payload)
    terminal().say(f"{entry.id}  {path}")  # as `b3sum` says it
    terminal().tell(f"stored as {added.name}@{added.version}, artifact {output.short(added.id)}")


def stored_entry(repository: Repository, payload: Oid) -> Entry:
    """The file or folder that a registered artifact holds."""
    [entry] = worktree.entries(repository.store, top_of(repository, payload))
    return entry
