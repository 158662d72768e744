"""The log of a repository elsewhere, where lists are wrong, answers do not come, and machines sleep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.vcs.changes import publish
from artvcs.vcs.errors import DamagedError, RemoteUnreachable
from artvcs.vcs.remotes.exchange import garbage
from artvcs.vcs.remotes.exchange.mirror import mirror
from artvcs.vcs.remotes.far_store import FarLog
from artvcs.vcs.remotes.places.folder import FolderFiles
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import INDEX, OPS
from artvcs.vcs.storage.op_log import OpLog, Outcome
from artvcs.vcs.storage.packs.op_file import Entry
from artvcs.vcs.storage.snapshot import Snapshot

from ..helpers import problems
from .test_push import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str], Machine]:
    place = MemoryStore()
    return lambda name: Machine(tmp_path / name, place)


def test_a_list_that_is_wrong_again_and_again_makes_nobody_wait(machine: Callable[[str], Machine]) -> None:
    """As where a proxy flips bits of all that is read."""
    ada, ben = machine("ada"), machine("ben")
    ada.save("model", b"x")
    ada.push()
    ben.files.read = lambda *_: b"000000000777\n"  # type: ignore[method-assign]  # the hint
    ben.files.list = lambda folder: iter([f"{OPS}/000000000777"])  # type: ignore[method-assign]
    with pytest.raises(DamagedError, match="names some that are not there; try again"):
        OpLog(ben.files).newest()


@pytest.mark.parametrize("applied", [True, False])
def test_an_attempt_without_an_answer_is_settled_by_a_look(
    machine: Callable[[str], Machine], applied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.save("model", b"x")
    ada.push()
    ada.save("model", b"y")
    create, failed = ada.files.create, list[str]()

    def once(name: str, data: bytes, *rest: Callable[[], object]) -> bool:
        if failed or not name.startswith(OPS):
            return create(name, data, *rest)
        failed.append(name)
        if applied:
            create(name, data, *rest)
        raise RemoteUnreachable("There was no answer; try again.")

    monkeypatch.setattr(ada.files, "create", once)
    assert ada.push().versions == 1
    assert failed
    ben.fetch()
    assert len(ben.versions()) == 2


def test_without_any_answer_a_push_ends(machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch) -> None:
    ada = machine("ada")
    ada.save("model", b"x")
    ada.push()
    ada.save("model", b"y")

    def never(*_: object) -> bool:
        raise RemoteUnreachable("There was no answer; try again.")

    monkeypatch.setattr(ada.files, "create", never)
    with pytest.raises(RemoteUnreachable, match="try again"):
        ada.push()


def test_a_machine_that_slept_puts_its_index_again(
    machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the index and the op: a collector may have taken the index, which no state named."""
    ada = machine("ada")
    ada.save("model", b"x")
    ada.push()
    hours = iter([0.0, 2 * 3600.0])  # when the first attempt begins, and when it would commit
    monkeypatch.setattr(publish, "boot_time", lambda: next(hours, 2 * 3600.0))
    attempts: list[Entry] = []
    commit = FarLog.commit

    def counted(log: FarLog, entry: Entry, visible: Callable[[], object]) -> Outcome:
        attempts.append(entry)
        return commit(log, entry, visible)

    monkeypatch.setattr(FarLog, "commit", counted)
    ada.save("model", b"y")
    ada.push()
    assert next(hours, None) is None
    assert len(attempts) == 1  # the first was not made


def test_an_index_that_no_state_names_goes_after_a_week(machine: Callable[[str], Machine]) -> None:
    ada = machine("ada")
    ada.save("model", b"x")
    ada.push()
    old, new = f"{INDEX}/{'0' * 64}", f"{INDEX}/{'1' * 64}"
    for name in (old, new):
        ada.files.put(name, b"left by an attempt that lost")
    ages = ada.files.ages

    def aged(folder: str) -> Iterator[tuple[str, float]]:
        return ((name, age + (8 * 24 * 3600 if name == old else 0)) for name, age in ages(folder))

    ada.files.ages = aged  # type: ignore[method-assign]
    garbage.collect(ada.near, ada.remote)
    assert new in set(ada.files.list(INDEX))
    assert old not in set(ada.files.list(INDEX))


def test_an_index_that_was_put_together_meanwhile_is_looked_for_anew(
    machine: Callable[[str], Machine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others push while somebody looks, and a collector takes the old index, which no state names any more."""
    ada, ben = machine("ada"), machine("ben")

    def push_until_there_is_an_index() -> None:
        before = set(ada.files.list(INDEX))
        while set(ada.files.list(INDEX)) == before:
            ada.save("model", os.urandom(10))
            ada.push()

    push_until_there_is_an_index()
    snapshot = Snapshot.__init__

    def late(self: Snapshot, files: Files, entry: Entry, before: Snapshot | None = None) -> None:
        monkeypatch.undo()
        old = set(ada.files.list(INDEX))
        push_until_there_is_an_index()
        for name in old:
            ada.files.delete(name)
        snapshot(self, files, entry, before)

    monkeypatch.setattr(Snapshot, "__init__", late)
    ben.fetch()
    assert set(ben.versions().values()) == set(ada.versions().values())
    eve = machine("eve")
    monkeypatch.setattr(Snapshot, "__init__", late)
    mirror(eve.remote, FolderFiles(tmp_path / "mirror"), "the mirror")
    assert problems(tmp_path / "mirror") == []
