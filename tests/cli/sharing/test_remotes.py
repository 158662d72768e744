"""Which repositories elsewhere a project knows, and what is said of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import Art
from .conftest import Machine

Clone = Callable[[str], Machine]


def save(machine: Machine, name: str) -> None:
    machine.python(f"from artvcs import save_artifact; save_artifact('text', name={name!r})")


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


def test_a_folder_that_is_not_there_is_told_from_one_where_nothing_was_pushed(machine: Clone, shared: Path) -> None:
    ada = machine("ada")
    for verb in (("fetch",), ("pull",), ("clone", str(shared), "../copy")):
        said = ada.art(*verb, code=4).err
        assert f"error: There is no folder {shared}; correct its path" in said
    shared.mkdir()
    for verb in (("fetch",), ("pull",), ("clone", str(shared), "../copy")):
        assert f"Nothing has been pushed to {shared} yet" in ada.art(*verb, code=4).err
    shared.rmdir()
    ada.ran()
    ada.art("push")
    assert (shared / "format").exists()


@pytest.mark.parametrize(
    ("verb", "written"),
    [
        (("fetch",), "art fetch first"),
        (("pull",), "art pull --from first"),
        (("push",), "art push --to first"),
        (("gc", "--remote"), "art gc --remote first"),
        (("rm", "total@1", "--remote"), "art rm total@1 --remote first"),
        (("remote", "test"), "art remote test first"),
        (("remote", "policy"), "art remote policy first"),
    ],
)
def test_who_has_to_name_a_remote_is_told_how(
    machine: Clone, tmp_path: Path, verb: tuple[str, ...], written: str
) -> None:
    ada = machine("ada")
    file = ada.folder / "pyproject.toml"
    file.write_text(file.read_text().replace("origin", "first"))
    ada.art("init")
    ada.art("remote", "add", "second", str(tmp_path / "second"))
    said = ada.art(*verb, code=3).err
    assert said == f"error: There are several remotes, first, second; name one, as in `{written}`.\n"


@pytest.mark.long
@pytest.mark.parametrize(("verb", "option"), [("push", "--to"), ("pull", "--from")])
def test_a_remote_that_is_named_where_artifacts_are_is_told(
    machine: Clone, shared: Path, tmp_path: Path, verb: str, option: str
) -> None:
    ada = machine("ada")
    save(ada, "note")
    ada.art("push")
    for url in (shared, tmp_path / "other"):
        said = ada.art(verb, "origin", code=3).err
        assert said == f"error: 'origin' is a remote, and no artifact; write `art {verb} {option} origin`.\n"
        ada.art("remote", "add", f"at-{url.name}", str(url))
    file = ada.folder / "pyproject.toml"
    file.write_text(file.read_text().replace("origin", "first"))
    assert f"write `art {verb} {option} first`" in ada.art(verb, "first", code=3).err
    save(ada, "first")
    assert "several remotes" not in ada.art(verb, option, "first", "first").err, "an artifact may be called so, too"


def test_in_a_fresh_clone_every_verb_says_that_it_can_pull(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    for verb in (("status",), ("ls",), ("checkout", "--lock"), ("gc",), ("push",), ("fsck", "--repair"), ("log", "x")):
        said = ben.art(*verb, code=4).err
        assert said.startswith(f"error: There is no artifact repository in {ben.folder} or above; ")
        assert said.endswith(f"; `art pull` brings what is at {shared}.\n")
    file = ben.folder / "pyproject.toml"
    table = file.read_text()
    file.write_text(table.replace("origin", "zoo") + f'lab = "{shared}"\n')
    assert f"`art pull --from lab` brings what is at {shared}" in ben.art("ls", code=4).err
    file.write_text(table)
    ben.art("pull")
    assert ben.art("ls", "numbers", "--json").json
    file.write_text("")
    (ben.folder / ".artifacts").rename(ben.folder / "away")
    assert "`art init`" in ben.art("ls", code=4).err
