"""The log of a repository elsewhere, where lists are wrong, answers do not come, and machines sleep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.vcs.changes import publish
from artvcs.vcs.errors import DamagedError, RemoteUnreachable
from artvcs.vcs.remotes.exchange import garbage
from artvcs.vcs.remotes.far_store import FarLog
from artvcs.vcs.storage.layout import INDEX, OPS
from artvcs.vcs.storage.op_log import OpLog, Outcome
from artvcs.vcs.storage.packs.op_file import Entry

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
