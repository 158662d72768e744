"""What one machine of a team has made is used on another: the lineage at once, the data when it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Machine, move_away

Clone = Callable[[str], Machine]


def test_a_teammate_runs_nothing_and_downloads_only_what_is_looked_at(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    assert ada.ran() == {"numbers", "total"}
    assert "1 run and 2 versions" in ada.art("push").out
    pulled = ben.art("pull", "--json").json
    assert (pulled["runs"], pulled["versions"]) == (1, 2)
    assert pulled["traffic"]["received"] < 100_000
    assert ben.ran() == set()
    shown = ben.art("show", "numbers", "--json").json
    assert (shown["here"], shown["promised_by"], shown["files"]) == (False, ["origin"], {})
    assert ben.art("cat", "total").out.strip().isdigit()
    assert not ben.art("show", "numbers", "--json").json["here"]


def test_data_comes_when_it_is_read(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    load = "from artvcs import load_artifact; print(len(load_artifact('numbers')))"
    assert ben.python(load) == "300000"
    assert ben.art("show", "numbers", "--json").json["here"]
    assert ada.art("cat", "numbers").out == ben.art("cat", "numbers").out


def test_a_step_that_has_to_run_gets_its_input_from_there(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    flow = ben.folder / "flow.py"
    flow.write_text(flow.read_text().replace("sum(map", "1 + sum(map"))
    assert ben.ran() == {"total"}


def test_what_was_pulled_is_there_without_the_remote(machine: Clone, shared: Path) -> None:
    ada, ben, eve = machine("ada"), machine("ben"), machine("eve")
    ada.ran()
    ada.ran("-p", "seed=2")
    ada.art("push")
    ben.art("pull", "numbers@1")
    eve.art("pull", "--data")
    move_away(shared)
    assert ben.ran() == set()  # its data is promised, and nobody looks at it
    ben.art("cat", "numbers@1")
    gone = ben.art("cat", "numbers@2", code=1)
    assert "remote" in gone.err or "shared" in gone.err
    assert gone.err.count("\n") == 1
    eve.art("cat", "numbers@2")


def test_a_clone_without_a_project_has_it_all(machine: Clone, shared: Path, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    ada.art("clone", str(shared), str(tmp_path / "copy"), "--data")
    copy = Machine(tmp_path / "copy")
    move_away(shared)
    assert copy.art("cat", "numbers").out == ada.art("cat", "numbers").out
    copy.art("fsck")
    ada.art("clone", str(shared), str(tmp_path / "nothing"), code=4)
    assert not (tmp_path / "nothing").exists()


def test_a_clone_beside_a_project_has_nothing_to_do_with_it(machine: Clone, shared: Path, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    ada.art("clone", str(shared), "../copy")
    Machine(tmp_path / "copy").art("fsck")
    refused = ada.art("clone", str(shared), "inside", code=1)
    assert "lies in a project" in refused.err
    assert not (ada.folder / "inside").exists()


def test_checking_and_collecting_leave_promised_data_in_peace(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    ben.art("fsck")
    assert ben.art("gc", "--json").json["lost"] == {}
    ben.art("fsck", "--repair")
    ben.art("fsck")
    assert ben.ran() == set()
    ben.art("cat", "numbers")
    ben.art("gc")
    move_away(shared)
    ben.art("cat", "numbers")


def test_a_remote_that_is_forgotten_takes_its_promises_along(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    removed = ben.art("remote", "rm", "origin")
    assert "data of 2 artifacts is only there" in removed.err
    ben.art("fsck", code=5)
    assert ben.ran() == {"numbers", "total"}
    ben.art("fsck")


def test_two_who_gave_one_number_are_told(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran("-p", "seed=1")
    ben.ran("-p", "seed=2")
    mine = ben.art("cat", "total").out
    ada.art("push")
    assert "total@1 of this repository is total@2 now" in ben.art("push").out
    assert ben.art("cat", "total@2").out == mine
    ada.art("pull")
    assert ada.art("cat", "total@2").out == mine
    assert len(ada.art("ls", "total", "--json").json) == 2


def test_one_version_can_be_pushed_with_what_it_was_made_from(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran("-p", "seed=1")
    ada.ran("-p", "seed=2")
    planned = ada.art("push", "total@1", "--dry-run", "--json").json
    assert (planned["versions"], planned["runs"]) == (1, 0)
    ada.art("push", "total@1", "--verify")
    ben.art("pull")
    assert len(ben.art("ls", "--json").json) == 1
    assert ben.art("cat", "total").out == ada.art("cat", "total@1").out
    ben.art("fsck")
    left = ada.art("status", "--json").json["remotes"]["origin"]
    assert (left["runs"], left["versions"]) == (2, 3)
    ada.art("push")
    assert ada.art("status", "--json").json["remotes"]["origin"]["versions"] == 0


@pytest.mark.long
def test_what_one_remote_has_promised_can_be_pushed_to_another(machine: Clone, shared: Path, tmp_path: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    ben.art("remote", "add", "second", str(tmp_path / "second"), "--local")
    assert ben.art("push", "--to", "second", "--dry-run", "--json").json["versions"] == 2
    assert not ben.art("show", "numbers", "--json").json["here"]  # nothing was brought to find that out
    ben.art("push", "--to", "second")
    assert ben.art("show", "numbers", "--json").json["here"]
    move_away(shared)
    eve = machine("eve")
    eve.art("remote", "add", "second", str(tmp_path / "second"), "--local")
    eve.art("pull", "--from", "second")
    assert eve.art("cat", "numbers").out == ada.art("cat", "numbers").out


@pytest.mark.long
def test_where_one_remote_is_gone_another_is_asked(machine: Clone, shared: Path, tmp_path: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    for each in (ada, ben):
        each.art("remote", "add", "second", str(tmp_path / "second"), "--local")
    ada.art("push")
    ada.art("push", "--to", "second")
    ben.art("pull")
    ben.art("pull", "--from", "second")
    move_away(shared)
    part = "from artvcs import Client; print(len(Client().get_artifact_version('numbers').open().read(100)))"
    assert ben.python(part) == "100"
    assert not ben.art("show", "numbers", "--json").json["here"]
    assert ben.art("cat", "numbers").out == ada.art("cat", "numbers").out


def test_runs_can_fetch_before_and_push_after(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    for each in (ada, ben):
        with (each.folder / "pyproject.toml").open("a") as file:
            file.write("\n[tool.artvcs.run]\nfetch = true\npush = true\n")
    assert ada.ran() == {"numbers", "total"}
    assert ben.ran() == set()
    move_away(shared)
    shared.parent.joinpath("shared").write_text("no folder")
    done = ben.art("run", "flow.py", "-p", "seed=5")
    assert "`art push` sends it" in done.err
    assert "completed" in done.out


def test_what_only_a_forgotten_remote_has_promised_is_no_hit(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    (ben.folder / "pyproject.toml").write_text("")  # by hand: what is noted of it is still here
    assert ben.ran() == {"numbers", "total"}


def test_stages_and_models_are_shared(machine: Clone, shared: Path) -> None:
    one, other = machine("one"), machine("other")
    (one.folder / "flow.py").write_text((one.folder / "flow.py").read_text().replace("@pipeline", MODEL))
    one.art("run", "flow.py")
    one.art("tag", "digits", "production", "-m", "the first")
    one.art("push")
    other.art("pull")
    assert other.art("show", "digits@production", "--json").json["artifacts"].keys() == {"numbers", "total"}
    other.art("tag", "total@1", "staging", "-m", "for the demo")
    one.art("tag", "numbers@1", "raw")
    one.art("push")
    other.art("push")
    one.art("pull")
    for each in (one, other):
        found = {(row["name"], row["stage"], row["reason"]) for row in each.art("tag", "--json").json}
        assert found == {
            ("models/digits", "production", "the first"), ("numbers", "raw", ""), ("total", "staging", "for the demo"),
        }  # fmt: skip
        each.art("fsck")


MODEL = """from artvcs import Model

@pipeline(model=Model("digits"))"""


def test_a_stage_whose_version_a_teammate_deleted_says_so(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    for number in (1, 2):
        (ada.folder / "notes.txt").write_text(f"{number}")
        ada.art("add", "notes.txt", "--name", "notes")
    ada.art("push")
    ben.art("pull")
    ada.art("rm", "notes@1", "--yes")
    ada.art("push")
    ben.art("tag", "notes@1", "production")
    ben.art("push")
    ada.art("pull")
    assert "notes (deleted)" in ada.art("tag").out
    assert [row["version"] for row in ada.art("tag", "--json").json] == [None]
    assert (
        "'production' has been deleted; `art tag notes@VERSION production` moves it"
        in ada.art("cat", "notes@production", code=3).err
    )
    ada.art("tag", "notes@2", "production")
    assert ada.art("cat", "notes@production").out == "2"


PLACED = """
import os
from dataclasses import dataclass
from pathlib import Path
from artvcs import pipeline, step

HERE = Path(__file__).parent
TEXT = os.path.join(os.path.dirname(__file__), "rate.txt")

@dataclass
class Settings:
    rate: Path
    all: list[str]

SETTINGS = Settings(HERE / "rate.txt", [TEXT, "a"])

@step
def read() -> int:
    return int((HERE / "rate.txt").read_text()) + len(Path(TEXT).read_text()) + len(SETTINGS.rate.read_text())

@step
def listed() -> list[str]:
    return [Path(each).name for each in SETTINGS.all]

@pipeline
def flow():
    read()
    listed()
"""


def test_paths_in_the_project_are_the_same_in_each_clone(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben-elsewhere")
    for each in (ada, ben):
        (each.folder / "flow.py").write_text(PLACED)
        (each.folder / "rate.txt").write_text("1\n")
    assert ada.ran() == {"read", "listed"}
    ada.art("push")
    ben.art("pull")
    assert ben.ran() == set()
    (ben.folder / "rate.txt").write_text("2\n")
    assert ben.ran() == {"read"}


def test_what_is_pinned_is_called_by_the_number_that_it_has_since(machine: Clone) -> None:
    ada, ben = machine("ada"), machine("ben")
    for each in (ada, ben):
        (each.folder / "raw.csv").write_text(each.folder.name)
        each.art("add", "raw.csv", "--name", "raw")
        each.art("lock")
    ada.art("push")
    assert "artifacts.lock calls what it pins at raw.csv raw@2 now" in ben.art("push").err
    assert 'artifact = "raw@2"' in (ben.folder / "artifacts.lock").read_text()
    assert 'artifact = "raw@1"' in (ada.folder / "artifacts.lock").read_text()
