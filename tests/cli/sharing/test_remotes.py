"""Which repositories elsewhere a project knows, and what is said of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import Art
from .conftest import Machine

Clone = Callable[[str], Machine]


def test_a_remote_is_written_down_for_all_and_the_file_stays_as_it_is(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    file = ada.folder / "pyproject.toml"
    before = "# ours\n[project]\nname = 'x'   # a name\n\n" + file.read_text()
    file.write_text(before)
    done = ada.art("remote", "add", "lab", "s3://bucket/team", "--endpoint", "https://s3.lab.example")
    assert "commit that file" in done.out
    assert file.read_text().startswith(before.rstrip("\n"))
    listed = {each["name"]: each for each in ada.art("remote", "ls", "--json").json}
    assert listed["lab"]["url"] == "s3://bucket/team"
    assert listed["lab"]["endpoint"] == "https://s3.lab.example"
    ada.art("remote", "rm", "lab")
    assert file.read_text().strip() == before.strip()


@pytest.mark.parametrize(
    "looking",
    ["remote ls", "remote rm x", "remote test x", "remote policy x --for reader", "bundle unbundle nothing.artbundle"],
)
def test_who_only_looks_makes_no_repository(art: Art, project: Path, looking: str) -> None:
    assert art(*looking.split()).code != 0
    assert not (project / ".artifacts").exists()


def test_a_folder_beside_the_project_is_found_from_each_clone(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    (ada.folder / "below").mkdir()
    Machine(ada.folder / "below").art("remote", "add", "near", "../../beside")
    assert 'near = "../beside"' in (ada.folder / "pyproject.toml").read_text()
    assert ada.art("remote", "ls", "--json").json[1]["url"] == str(tmp_path / "beside")


def test_one_known_here_alone_goes_before(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    before = (ada.folder / "pyproject.toml").read_text()
    ada.art("remote", "add", "mine", str(tmp_path / "mine"), "--local")
    assert (ada.folder / "pyproject.toml").read_text() == before
    ada.ran()
    ada.art("push", "--to", "mine")
    assert (tmp_path / "mine" / "format").exists()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[tool.artvcs.remotes]\norigin = "s3://key:secret@bucket/x"', "holds a secret"),
        ('[tool.artvcs.remotes]\norigin = { endpoint = "http://x" }', "has no url"),
        ('[tool.artvcs.remotes]\norigin = { url = "s3://b/x", secret = "y" }', "secret, which is not known"),
        ('[tool.artvcs.remotes]\n"../up" = "s3://b/x"', "cannot name a remote"),
        ("[tool.artvcs]\nremotes = 3", "is no table"),
        ("[tool.artvcs.run]\nfetch = 'yes'", "true or false"),
        ("[tool.artvcs", "cannot be understood"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(machine: Clone, table: str, said: str) -> None:
    ada = machine("ada")
    (ada.folder / "pyproject.toml").write_text(table + "\n")
    done = ada.try_art("fetch")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "Unexpected" not in done.err


def test_which_remote_is_meant(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.art("remote", "add", "other", str(tmp_path / "other"))
    assert str(tmp_path / "shared") in ada.art("fetch", code=4).err  # nothing was pushed yet to `origin`
    assert "no remote 'thrid'" in ada.art("fetch", "thrid", code=3).err
    file = ada.folder / "pyproject.toml"
    file.write_text(file.read_text().replace("origin", "first"))
    assert "several remotes, first, other" in ada.art("fetch", code=3).err
    file.write_text("")
    assert "`art remote add origin URL`" in ada.art("push", code=3).err


def test_a_remote_is_tested_and_what_was_seen_is_said(machine: Clone) -> None:
    ada = machine("ada")
    found = ada.art("remote", "test", "--json").json
    assert found["refusal"] is None
    assert all(each["holds"] for each in found["found"])


def test_a_remote_that_is_gone_replaced_or_older_is_told(machine: Clone, shared: Path, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    shutil.copytree(shared, tmp_path / "older")
    ada.ran("-p", "seed=2")
    ada.art("push")
    shutil.rmtree(shared)
    assert "is gone" in ada.art("push", code=1).err
    shutil.copytree(tmp_path / "older", shared)
    assert "older state" in ada.art("fetch", code=1).err
    shutil.rmtree(shared)
    ben = machine("ben")
    ben.ran("-p", "seed=3")
    ben.art("push")
    assert "another repository" in ada.art("pull", code=1).err
    ada.art("remote", "rm", "origin")
    ada.art("remote", "add", "origin", str(shared))
    ada.art("push")
    assert ada.art("ls", "numbers", "--json").json
    assert len(ben.art("pull", "--json").json) > 0
    assert len(ben.art("ls", "numbers", "--json").json) == 3


def test_what_asks_nobody_needs_no_credentials(machine: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"):
        monkeypatch.delenv(name, raising=False)
    ada = machine("ada")
    ada.art("remote", "add", "far", "az://container/x")
    assert "AZURE_STORAGE_ACCOUNT_NAME" in ada.art("fetch", "far", code=1).err
    assert "far: nothing was fetched" in ada.art("status").out
    ada.art("remote", "rm", "far")
    assert [each["name"] for each in ada.art("remote", "ls", "--json").json] == ["origin"]


def test_the_project_is_where_one_works_also_if_its_repository_is_elsewhere(
    machine: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTVCS_DIR", str(tmp_path / "cache" / ".artifacts"))
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    assert [each["name"] for each in ada.art("remote", "ls", "--json").json] == ["origin"]
