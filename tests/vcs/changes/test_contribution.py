"""Several processes make parts of one change: what they make is visible once the process publishes that takes it in."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from artvcs.vcs.changes.contribution import Contribution
from artvcs.vcs.changes.outgoing import Brought
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.maps import versions
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import gc

from ..helpers import add_version, problems, put_text

LARGE = os.urandom(2_000_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".artifacts"


@pytest.fixture
def repository(folder: Path) -> Repository:
    return Repository.init(folder)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


class Alone:
    """Nobody to ask."""

    def sealed(self, name: str) -> None:
        """It is at its place."""

    def catch_up(self) -> None:
        """There is nothing new."""

    def deliver(self, brought: Brought) -> None:
        raise AssertionError("nothing is published here")


class To:
    """Delivers to a transaction of this process."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction

    def sealed(self, name: str) -> None:
        """It is at its place."""

    def catch_up(self) -> None:
        self.transaction.publish()

    def deliver(self, brought: Brought) -> None:
        self.transaction.take_in(brought)
        self.transaction.publish()


def elsewhere(folder: Path, scratch: Path, make: Callable[[Contribution], object], *, die: bool = False) -> Brought:
    """What another process contributes; it ends, or dies, afterwards."""
    there, here = os.pipe()
    if not (child := os.fork()):
        try:
            with Repository(folder).contribute(scratch, Alone()) as contribution:
                make(contribution)
                with os.fdopen(here, "wb") as pipe:
                    pipe.write(pickle.dumps(None if die else contribution.hand_over()))
                if die:
                    os.kill(os.getpid(), signal.SIGKILL)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(here)
    with os.fdopen(there, "rb") as pipe:
        brought: Brought = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    return brought


def test_what_another_process_made_is_visible_when_it_is_published(
    repository: Repository, folder: Path, scratch: Path
) -> None:
    def make(contribution: Contribution) -> None:
        contribution.set_ref("tags/large", contribution.put_blob(LARGE))
        contribution.set_ref("tags/small", contribution.put_blob(b"small"))

    with repository.transaction("run") as transaction:
        brought = elsewhere(folder, scratch, make)
        assert len(brought.packs) == 1
        transaction.take_in(brought)
        transaction.take_in(elsewhere(folder, scratch, lambda it: it.set_ref("tags/more", it.put_blob(b"more"))))
        assert Repository(folder).refs().get("tags/large") is None
    again = Repository(folder)
    found = {ref: again.store.read(oid, "blob") for ref, oid in again.refs().items("tags/")}
    assert found == {"tags/large": LARGE, "tags/more": b"more", "tags/small": b"small"}
    assert problems(folder) == []
    assert [*scratch.iterdir(), *(folder / "incoming").iterdir()] == []


def test_what_is_here_already_is_not_brought_again(repository: Repository, folder: Path, scratch: Path) -> None:
    put_text(repository, "tags/first", "first")
    with repository.transaction("run") as transaction:
        brought = elsewhere(folder, scratch, lambda it: it.set_ref("tags/again", it.put_blob(b"first")))
        assert brought.items == ()
        transaction.take_in(brought)
    assert Repository(folder).refs().get("tags/again") == Repository(folder).refs().get("tags/first")


def test_numbers_are_given_by_who_takes_it_in(repository: Repository, folder: Path, scratch: Path) -> None:
    parts = [elsewhere(folder, scratch, lambda it, n=n: add_version(it, "model", str(n))) for n in range(3)]  # type: ignore[misc]
    with repository.transaction("run") as transaction:
        for brought in reversed(parts):
            transaction.take_in(brought)
    assert [each.number for each in versions.of(Repository(folder).refs(), "model")] == [1, 2, 3]
    assert problems(folder) == []


def test_what_a_killed_process_made_is_garbage(repository: Repository, folder: Path, scratch: Path) -> None:
    def make(contribution: Contribution) -> None:
        contribution.put_blob(LARGE)
        contribution.hand_over()
        contribution.put_blob(LARGE[1:])

    elsewhere(folder, scratch, make, die=True)
    [left] = (folder / "packs").glob("*/*")
    os.utime(left, (1, 1))  # what is new might be somebody's who is about to name it
    gc.collect(Repository(folder), max_unused=0)
    assert list((folder / "packs").glob("*/*")) == []
    assert problems(folder) == []


@pytest.mark.parametrize("when", ["handed over", "taken in"])
def test_a_collector_takes_nothing_of_it(repository: Repository, folder: Path, scratch: Path, when: str) -> None:
    """Neither what was brought, nor what was there already and referred to by nobody else any more."""
    put_text(repository, "tags/large", LARGE.hex())

    def make(contribution: Contribution) -> None:
        contribution.set_ref("tags/new", contribution.put_blob(LARGE))
        contribution.set_ref("tags/again", contribution.put_blob(LARGE.hex().encode()))

    with repository.transaction("run") as transaction:
        brought = elsewhere(folder, scratch, make)
        if when == "taken in":
            transaction.take_in(brought)
        with Repository(folder).transaction("forget") as other:
            other.set_ref("tags/large", None)
        for _ in range(2):
            gc.collect(Repository(folder), max_unused=0)
        if when == "handed over":
            transaction.take_in(brought)
    again = Repository(folder)
    assert sorted(len(again.store.read(oid, "blob")) for _, oid in again.refs().items("tags/")) == [
        2_000_000,
        4_000_000,
    ]
    assert problems(folder) == []


@pytest.mark.parametrize("data", [b"small", LARGE, os.urandom(20_000_000)], ids=["small", "large", "in chunks"])
def test_what_is_not_published_can_be_read_where_it_is_lent(
    repository: Repository, folder: Path, scratch: Path, data: bytes
) -> None:
    with repository.transaction("run") as transaction:
        oid, other = transaction.put_blob(data), transaction.put_blob(b"other")
        lent = pickle.loads(pickle.dumps(transaction.lend([oid])))
        there = Repository(folder)
        with there.contribute(scratch, Alone()) as contribution:
            contribution.begin_anew(lent)
            assert there.store.read(oid, "blob") == data
            assert there.store.has(other) == (len(data) > 1000)  # what is much is lent with all that came before it
            transaction.set_ref("tags/it", oid)
            transaction.publish()
            contribution.begin_anew(transaction.lend([oid]))
            assert there.store.read(oid, "blob") == data
    assert [*scratch.iterdir()] == []
    assert problems(folder) == []


def test_it_sees_what_the_change_has_come_to_and_is_told_its_numbers(
    repository: Repository, folder: Path, scratch: Path
) -> None:
    with (
        repository.transaction("run") as transaction,
        Repository(folder).contribute(scratch, To(transaction)) as contribution,
    ):
        add_version(transaction, "model", "first")
        assert [each.number for each in versions.of(contribution, "model")] == [1]
        with Repository(folder).transaction("somebody else") as other:
            add_version(other, "model", "second")
        add_version(contribution, "model", "third")
        contribution.publish()
        assert [each.number for each in versions.of(contribution, "model")] == [1, 2, 3]
        add_version(transaction, "model", "fourth")
        contribution.catch_up()
        assert [each.number for each in versions.of(contribution, "model")] == [1, 2, 3, 4]
    assert problems(folder) == []
