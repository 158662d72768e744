"""Two sides went different ways: one has deleted, given up, collected or lost what the other has, or makes again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Machine

Clone = Callable[[str], Machine]


def forget_all(machine: Machine, *how: str) -> None:
    """Deletes all runs and versions, or gives up their data, and collects."""
    for run in machine.art("log", "--json").json:
        machine.art("rm", run["id"])
    machine.art("prune", *how)
    machine.art("gc")


def save(machine: Machine, text: str, *tags: str) -> None:
    machine.python(f"from artvcs import save_artifact; save_artifact({text!r}, name='note', tags={list(tags)!r})")


@pytest.mark.long
def test_what_was_deleted_and_collected_comes_again_when_somebody_changes_it(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    save(ada, "one", "x")
    save(ada, "two")
    ada.art("push")
    ben.art("pull")
    ada.art("rm", "note@1")
    ada.art("gc")
    save(ben, "one", "new")
    ben.art("push")
    ada.art("pull")
    save(ada, "three")
    ada.art("push")
    ada.art("fsck")
    ben.art("pull")
    ben.art("fsck")
    assert {each["number"] for each in ben.art("ls", "note", "--json").json} == {1, 2, 3}


@pytest.mark.long
def test_a_run_that_was_deleted_here_and_repeated_there_comes(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    forget_all(ada)
    assert ben.ran() == set()
    ben.art("push")
    ada.art("pull")
    ada.art("fsck")
    ada.ran()
    ada.art("push")
    ada.art("fsck")
    assert ada.art("cat", "numbers").out == ben.art("cat", "numbers").out


def test_deletions_are_nothing_to_push(machine: Clone) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    forget_all(ada)
    assert "nothing to push" in ada.art("push").out
    assert "all that is here is there" in ada.art("status").out


def test_data_that_was_given_up_here_is_had_from_who_still_has_it(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    forget_all(ada, "--only-artifact")
    ben.ran("--no-cache")
    ben.art("push")
    ada.art("pull")
    flow = ada.folder / "flow.py"
    flow.write_text(flow.read_text().replace("sum(map", "1 + sum(map"))
    assert ada.ran() == {"total"}
    ada.art("gc")
    ada.art("fsck")
    assert ada.art("cat", "numbers").out == ben.art("cat", "numbers").out


def test_a_remote_that_was_set_back_and_went_on_is_told(machine: Clone, shared: Path, tmp_path: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    shutil.copytree(shared, tmp_path / "older")
    ada.ran("-p", "seed=2")
    ada.art("push")
    shutil.rmtree(shared)
    shutil.copytree(tmp_path / "older", shared)
    for seed in (3, 4):
        ben.ran("-p", f"seed={seed}")
        ben.art("push")
    assert "set back" in ada.art("fetch", code=1).err
    assert "set back" in ada.art("push", code=1).err
    ada.art("remote", "rm", "origin")
    ada.art("remote", "add", "origin", str(shared))
    ada.art("push")
    ben.art("pull")
    assert len(ben.art("ls", "numbers", "--json").json) == 4
    ben.art("fsck")


def test_what_a_remote_has_lost_is_pushed_again_by_who_has_it(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    shutil.rmtree(shared / "packs")
    lost = ben.art("cat", "numbers", code=5)
    assert "has lost a file" in lost.err
    assert lost.err.count("\n") == 1
    assert there_fsck(shared, "--repair") != 0
    ada.art("push")
    assert there_fsck(shared) == 0
    ben.art("fetch")
    assert ben.art("cat", "numbers").out == ada.art("cat", "numbers").out


def test_what_was_left_out_of_a_push_keeps_its_number(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    save(ada, "one")
    save(ada, "two")
    before = ada.art("ls", "note", "--json").json
    ada.art("push", "note@2")
    assert "now" not in ada.art("push").out
    assert [each["id"] for each in ada.art("ls", "note", "--json").json] == [each["id"] for each in before]
    ben.art("pull")
    assert [each["id"] for each in ben.art("ls", "note", "--json").json] == [each["id"] for each in before]


def test_somebodys_own_repository_is_fetched_from_and_not_pushed_to(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("clone", str(ada.folder / ".artifacts"), str(tmp_path / "copy"))
    copy = Machine(tmp_path / "copy")
    assert copy.art("cat", "numbers").out == ada.art("cat", "numbers").out
    copy.art("fsck")
    ada.ran("-p", "seed=2")
    ada.art("gc")
    copy.art("pull")
    assert copy.art("cat", "numbers@2").out == ada.art("cat", "numbers@2").out
    save(copy, "mine")
    assert "somebody's own repository" in copy.art("push", code=1).err


def test_a_remote_whose_log_is_damaged_is_named(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    newest = max((shared / "ops").iterdir())
    newest.write_bytes(newest.read_bytes()[:100])
    ben.art("init")
    said = ben.art("pull", code=5).err
    assert str(shared) in said
    assert said.count("\n") == 1


def there_fsck(shared: Path, *how: str) -> int:
    """How `art fsck` ends of what is shared, as a repository of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARTVCS_DIR", str(shared))
        return Machine(shared).try_art("fsck", *how).code


def test_what_others_push_to_is_not_collected_as_if_it_were_ones_own(
    machine: Clone, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    assert there_fsck(shared) == 0
    monkeypatch.setenv("ARTVCS_DIR", str(shared))
    assert "is shared" in ada.art("gc", code=4).err


@pytest.mark.parametrize(
    "text", ["[tool]\nartvcs = { run = { fetch = true } }\n", "tool = 5\n", "[tool.artvcs]\nremotes = 1\n"]
)
def test_a_file_that_cannot_take_a_remote_stays_as_it_is(machine: Clone, tmp_path: Path, text: str) -> None:
    ada = machine("ada")
    file = ada.folder / "pyproject.toml"
    ada.art("init")
    file.write_text(text)
    done = ada.try_art("remote", "add", "more", str(tmp_path / "more"))
    assert done.code != 0
    assert "Unexpected" not in done.err
    assert done.err.count("\n") == 1
    assert file.read_text() == text


def test_the_ends_of_lines_stay_as_they_are(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    file = ada.folder / "pyproject.toml"
    file.write_bytes(b'[project]\r\nname = "x"\r\n')
    ada.art("remote", "add", "origin", str(tmp_path / "shared"))
    assert file.read_bytes().startswith(b'[project]\r\nname = "x"\r\n')
