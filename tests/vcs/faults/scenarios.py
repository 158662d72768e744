"""What is done to a repository while something goes wrong, and what must hold afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import collect as gc

from ..helpers import add_version, problems, put_text, put_text_in, versions
from .inject import Outcome, Say, Work

__all__ = ["Work"]

OLD = "old " * 100
LARGE = "0123456789abcdef" * 100_000
TEXTS = {"tags/a": "a" * 100, "tags/b": LARGE, "tags/c": "c" * 100}


def prepare(folder: Path) -> None:
    """A repository with something old in it, live and dead."""
    repository = Repository.init(folder)
    put_text(repository, "tags/dead", "dead " * 1000)
    put_text(repository, "tags/old", OLD)
    with repository.transaction("delete") as transaction:
        transaction.set_ref("tags/dead", None)


def copy(template: Path, folder: Path) -> Path:
    """A fresh copy of a prepared repository."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder


def publish(folder: Path, say: Say) -> None:
    """A run of three steps: two that land before they are published together, and one more."""
    repository = Repository(folder)
    with repository.transaction("run") as transaction:
        put_text_in(transaction, "tags/a", TEXTS["tags/a"])
        add_version(transaction, "model", "x")
        transaction.checkpoint()
        say("landed tags/a")
        put_text_in(transaction, "tags/b", TEXTS["tags/b"])
        transaction.checkpoint()
        say("landed tags/b")
        transaction.publish()
        say("published tags/a")
        say("published tags/b")
        put_text_in(transaction, "tags/c", TEXTS["tags/c"])
    say("published tags/c")


def collect(folder: Path, say: Say) -> None:
    """A garbage collection."""
    gc.collect(Repository(folder))
    say("collected")


def make(folder: Path, say: Say) -> None:
    """A new repository, and the first thing in it."""
    put_text(Repository.init(folder), "tags/old", OLD)
    say("published tags/old")


def check_promises(folder: Path, outcome: Outcome, *, landed: bool = True) -> None:
    """All that was promised is there; `landed` where only the process died, and not the machine."""
    published = Repository(folder, passive=True)
    _check(published, [line.split()[1] for line in outcome.said if line.startswith("published")])
    repository = Repository(folder)
    if landed:
        _check(repository, [line.split()[1] for line in outcome.said if line.startswith("landed")])
    _check(repository, ["tags/old"])
    for ref, oid in repository.refs().items("tags/"):
        assert repository.store.read(oid, "blob").decode() == {**TEXTS, "tags/old": OLD}[ref]


def _check(repository: Repository, refs: list[str]) -> None:
    found = dict(repository.refs().items())
    for ref in refs:
        assert repository.store.read(found[ref], "blob").decode() == {**TEXTS, "tags/old": OLD}[ref], ref


def check_second_try(folder: Path) -> None:
    """Everything can be done once more, and nothing is left over."""
    publish(folder, lambda _: None)
    collect(folder, lambda _: None)
    repository = Repository(folder)
    _check(repository, ["tags/old", *TEXTS])
    assert [version.number for version in versions(repository, "model")] == [1]
    assert list((folder / "incoming").iterdir()) == []
    assert problems(folder) == []
