"""Short ways to store what lies on disk, and what no `art add` would store, and to have it back."""

from __future__ import annotations

from pathlib import Path

from artvcs.vcs import worktree
from artvcs.vcs.objects.nodes import FILE, FOLDER, Entry, Tree
from artvcs.vcs.repository import Repository


def add(repository: Repository, path: Path, name: str = "data") -> Entry:
    """Stores a file or folder."""
    with repository.transaction("add") as transaction:
        entry = worktree.add_path(transaction, path, name)
        transaction.set_ref(f"tags/{entry.id}", entry.id)
    return entry


def entry_of(repository: Repository, content: bytes, name: str = "file", mode: str = FILE) -> Entry:
    """Stores bytes as an entry of any kind."""
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(content)
        transaction.set_ref(f"tags/{oid}", oid)
    return Entry(name, mode, oid, len(content))


def tree_of(repository: Repository, *entries: Entry) -> Entry:
    """Stores a tree that no `art add` would make."""
    with repository.transaction("put") as transaction:
        oid = transaction.put(Tree(0, tuple(sorted(entries))))
        transaction.set_ref(f"tags/{oid}", oid)
    return Entry(
        "folder", FOLDER, oid, sum(entry.size for entry in entries), sum(entry.files for entry in entries) or 1
    )


def checkout(repository: Repository, entry: Entry, target: Path, progress: worktree.Progress = lambda _: None) -> bool:
    """`worktree.checkout` from this repository."""
    return worktree.checkout(repository.store, repository.layout, entry, target, lambda _: True, progress)
