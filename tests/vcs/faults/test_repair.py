"""kill -9 and refused calls while a repository is repaired: it is never worse than before, and the next repair ends."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from artvcs.vcs.errors import ArtError
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import op_name
from artvcs.vcs.storage.packs.pack import FIRST_SIZE
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.mend.repair import repair

from ..helpers import add_version, packs, problems, put_text, random_text, tags, versions
from . import scenarios
from .inject import CALLS, Say, killing, nearly_all, needs_strace, run, watch

pytestmark = [pytest.mark.faults, needs_strace]

Everything = tuple[dict[str, bytes], list[int]]


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "tester")


def prepare(folder: Path) -> None:
    """A repository with packs, an index and some changes."""
    repository = Repository.init(folder)
    put_text(repository, "tags/large", random_text(1))
    put_text(repository, "tags/other", random_text(2))
    with repository.transaction("versions") as transaction:
        for number in range(3):
            add_version(transaction, "model", str(number))
    for number in range(18):
        put_text(repository, f"tags/{number}", str(number))
    with repository.transaction("last") as transaction:
        add_version(transaction, "model", "last")


def damage_newest_op(folder: Path) -> None:
    flip(folder / op_name(Repository(folder).store.refresh().seq), FIRST_SIZE + 5)


def damage_pack(folder: Path) -> None:
    flip(packs(folder)[0], 500)


def damage_index(folder: Path) -> None:
    for path in (folder / "index").iterdir():
        flip(path, 500)


def damage_old_op(folder: Path) -> None:
    (folder / op_name(Repository(folder).store.refresh().seq - 1)).unlink()
    flip(folder / op_name(5), FIRST_SIZE + 5)


def damage_all(folder: Path) -> None:
    damage_pack(folder)
    damage_index(folder)
    flip(folder / op_name(5), FIRST_SIZE + 5)
    damage_newest_op(folder)


DAMAGES = (damage_newest_op, damage_pack, damage_index, damage_old_op, damage_all)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def mend(folder: Path, say: Say) -> None:
    repair(folder)
    say("repaired")


def everything(folder: Path) -> Everything:
    """All that can be read."""
    repository = Repository(folder)
    texts = {}
    for ref, oid in tags(repository).items():
        with suppress(ArtError):
            texts[ref] = repository.store.read(oid, "blob")
    return texts, [version.number for version in versions(repository, "model")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_killed_in_every_state(tmp_path: Path, damage: scenarios.Work) -> None:
    template, folder = tmp_path / "template", tmp_path / "repository"
    expected = _prepared(template, damage)
    scenarios.copy(template, folder)
    injections = killing(watch(lambda say: mend(folder, say)), CALLS)
    assert len(injections) > 10
    killed = 0
    for injection in injections:
        scenarios.copy(template, folder)
        killed += run(lambda say: mend(folder, say), injection).killed
        cleaned = scenarios.copy(folder, tmp_path / "cleaned")  # where somebody cleans up before it is repaired again
        with suppress(ArtError):
            gc.collect(Repository(cleaned))
        for each in (folder, cleaned):
            repair(each)
            assert problems(each) == [], injection
            assert everything(each) == expected, injection
    assert nearly_all(killed, injections)


def _prepared(template: Path, damage: scenarios.Work) -> Everything:
    """Makes a damaged repository; returns what can be read of it once it is repaired."""
    prepare(template)
    damage(template)  # type: ignore[call-arg, arg-type]
    whole = scenarios.copy(template, template.with_name("whole"))
    repair(whole)
    return everything(whole)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EACCES"])
@pytest.mark.parametrize("call", ["write", "pwrite64", "fsync", "rename", "link", "openat"])
def test_refused_calls_end_in_a_sentence_and_nothing_is_worse(
    tmp_path: Path, call: str, error: str, damage: scenarios.Work
) -> None:
    template = tmp_path / "template"
    expected = _prepared(template, damage)
    for number in range(1, 500):
        folder = scenarios.copy(template, tmp_path / "repository")
        outcome = run(lambda say, folder=folder: mend(folder, say), f"{call}:error={error}:when={number}")  # type: ignore[misc]
        assert outcome.error in ("", "StorageError", "DiskFull", "NoPermission", "RepositoryBusy"), (number, outcome)
        repair(folder)
        assert problems(folder) == [], number
        assert everything(folder) == expected, number
        if not outcome.injected:
            return
    pytest.fail("it never came to its end")
