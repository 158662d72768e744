"""What is done to a repository while something goes wrong, and what must hold afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

from artvcs.vcs.changes.intents import PutRun
from artvcs.vcs.maps import runs
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import gc

from ..helpers import a_run, add_version, problems, put_run, put_text, put_text_in, random_text, tags, versions
from .inject import Outcome, Say, Work

__all__ = ["Work"]

OLD = "old " * 100
LARGE = random_text(1)
KEPT = random_text(4)
TEXTS = {"tags/a": "a" * 100, "tags/b": LARGE, "tags/c": "c" * 100}


def prepare(folder: Path) -> None:
    """A repository with something old in it, live and dead: in ops, in packs, and in a pack that is both."""
    repository = Repository.init(folder)
    put_text(repository, "tags/dead", random_text(2))
    with repository.transaction("half dead") as transaction:
        put_text_in(transaction, "tags/gone", random_text(3))
        put_text_in(transaction, "tags/kept", KEPT)
    put_text(repository, "tags/old", OLD)
    for number in range(4):
        put_text(repository, "other", str(number))
    with repository.transaction("delete") as transaction:
        for ref in ("tags/dead", "tags/gone"):
            transaction.set_ref(ref, None)


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
        run = a_run("r1")
        put_run(transaction, run)
        transaction.standing = (PutRun(run.oid, run.oid),)
        transaction.checkpoint()
        say("landed tags/a")
        put_text_in(transaction, "tags/b", TEXTS["tags/b"])
        transaction.checkpoint()
        say("landed tags/b")
        transaction.publish()
        say("published tags/a")
        say("published tags/b")
        put_text_in(transaction, "tags/c", TEXTS["tags/c"])
        put_run(transaction, a_run("r1", "completed"), run)
        transaction.standing = ()
    say("published tags/c")


def collect(folder: Path, say: Say) -> None:
    """A garbage collection."""
    gc.collect(Repository(folder), max_unused=0)
    say("collected")


def make(folder: Path, say: Say) -> None:
    """A new repository, and the first thing in it."""
    put_text(Repository.init(folder), "tags/old", OLD)
    say("published tags/old")


def check_promises(folder: Path, outcome: Outcome, *, landed: bool = True) -> None:
    """All that was promised is there; `landed` where only the process died, and not the machine."""
    repository = Repository(folder)
    _check(repository, ["tags/old", *(line.split()[1] for line in outcome.said if line.startswith("published"))])
    repository.recover()
    if landed:
        _check(repository, [line.split()[1] for line in outcome.said if line.startswith("landed")])
    _check(repository, [ref for ref in tags(repository) if ref != "tags/dead"])
    if run := runs.by_id(repository.refs(), "r1"):
        assert (
            run.status == "completed"
            if "published tags/c" in outcome.said
            else landed is False or run.status != "running"
        )


def _check(repository: Repository, refs: list[str]) -> None:
    found, expected = tags(repository), {**TEXTS, "tags/old": OLD, "tags/kept": KEPT}
    for ref in refs:
        assert repository.store.read(found[ref], "blob").decode() == expected[ref], ref


def check_second_try(folder: Path) -> None:
    """Everything can be done once more, and nothing is left over."""
    publish(folder, lambda _: None)
    collect(folder, lambda _: None)
    repository = Repository(folder)
    _check(repository, ["tags/old", *TEXTS])
    assert [version.number for version in versions(repository, "model")] == [1]
    assert not any(list((folder / name).iterdir()) for name in ("incoming", "leases"))
    assert repository.store.refresh().state.condemned == {}
    assert problems(folder) == []
