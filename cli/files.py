"""The files of an artifact as people see them: registered ones under their own names."""

from __future__ import annotations

from artvcs.vcs import worktree
from artvcs.vcs.objects.kinds import FOLDER, Entry
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository

REGISTERED = "path"
"""The folder in which the materializer of paths keeps what was registered."""


def top_of(repository: Repository, payload: Oid) -> Oid:
    """The tree whose names people know: below `path/` for what was registered."""
    entries = list(worktree.entries(repository.store, payload))
    if len(entries) == 1 and entries[0].name == REGISTERED and entries[0].mode == FOLDER:
        return entries[0].id
    return payload


def files_of(repository: Repository, payload: Oid) -> dict[str, Entry]:
    """Path → entry of each file of an artifact; of a registered folder, below that folder."""
    found: dict[str, Entry] = {}
    top = top_of(repository, payload)
    if top != payload:
        top = next((entry.id for entry in worktree.entries(repository.store, top) if entry.mode == FOLDER), top)
    pending = [("", top)]
    while pending:
        prefix, oid = pending.pop()
        for entry in worktree.entries(repository.store, oid):
            if entry.mode == FOLDER:
                pending.append((f"{prefix}{entry.name}/", entry.id))
            else:
                found[prefix + entry.name] = entry
    return dict(sorted(found.items()))
