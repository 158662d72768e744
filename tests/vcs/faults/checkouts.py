"""A checkout over files that are there, and what must hold after it went wrong."""

from __future__ import annotations

import os
from pathlib import Path

from artvcs.vcs import worktree
from artvcs.vcs.objects.nodes import Entry
from artvcs.vcs.repository import Repository

from ..helpers import files, problems
from .inject import Say

OLD = {"a": b"old a", "sub/large": b"old" * 500_000, "sub/old": b"old"}
NEW = {"a": b"new a", "sub/large": b"new" * 500_000, "sub/new": b"new"}
NAMES = {"folder": (OLD, NEW), "file": ({"": OLD["a"]}, {"": NEW["a"]}), "fresh": ({}, NEW)}
"""Target → what it holds before and after."""


def prepare(folder: Path) -> None:
    """A project with two states of a folder and of a file, the old ones in place."""
    repository = Repository.init(folder / ".artifacts")
    with repository.transaction("add") as transaction:
        for state, content in (("old", OLD), ("new", NEW)):
            for path, data in content.items():
                (folder / state / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / state / path).write_bytes(data)
            for target, place in (("folder", folder / state), ("file", folder / state / "a")):
                entry = worktree.add_path(transaction, place, target)
                transaction.set_ref(f"{state}/{target}", entry.id)
    _checkout(repository, folder, "old", "folder")
    _checkout(repository, folder, "old", "file")


def checkout(folder: Path, target: str, say: Say) -> None:
    """Brings the new state to a target."""
    _checkout(Repository(folder / ".artifacts"), folder, "new", target)
    say(f"new {target}")


def _checkout(repository: Repository, folder: Path, state: str, target: str) -> None:
    kind = "file" if target == "file" else "folder"
    oid = repository.refs().get(f"{state}/{kind}")
    assert oid is not None
    mode, size = ("100644", 5) if kind == "file" else ("040000", 0)
    worktree.checkout(
        repository.store, repository.layout, Entry(kind, mode, oid, size), folder / target, lambda _: True
    )


def check(folder: Path, target: str, said: list[str]) -> None:
    """The target holds all of the old or all of the new, and of the new if that was promised."""
    place = folder / target
    found = files(place) if place.is_dir() else {"": place.read_bytes()} if place.exists() else {}
    before, after = NAMES[target]
    assert found in ([after] if said else [before, after]), target


def check_second_try(folder: Path, target: str) -> None:
    """It can be done once more, and nothing is left over."""
    assert worktree.clean_up(Repository(folder / ".artifacts").layout) == []
    checkout(folder, target, lambda _: None)
    check(folder, target, ["new"])
    assert {path for path in os.listdir(folder) if path.startswith((".", "edits"))} == {".artifacts"}
    assert list((folder / ".artifacts" / "checkouts").iterdir()) == []
    assert problems(folder / ".artifacts") == []
