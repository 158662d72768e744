"""One record that is damaged or hostile hides none of the others: it stands there with a mark."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from artvcs.vcs.maps import ref_names, versions
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.packs.pack import RECORD_SIZE

from ...histories import run_name, write_runs
from ..conftest import Art


@pytest.fixture
def repository(project: Path) -> Repository:
    repository = Repository.init(project / ".artifacts")
    write_runs(repository, 6)
    return repository


def damage(repository: Repository, oid: Oid | None) -> None:
    """Flips a bit of an object, wherever it is."""
    assert oid is not None
    for name, at in repository.store.refresh().find(oid):
        path = repository.layout.folder / name
        data = bytearray(path.read_bytes())
        data[at.offset + RECORD_SIZE + at.stored // 2] ^= 1
        path.write_bytes(data)


def marked(lines: list[str]) -> list[str]:
    return [line for line in lines if "(damaged: " in line]


@pytest.mark.parametrize("kind", ["version", "artifact"])
def test_a_damaged_version(repository: Repository, art: Art, kind: str) -> None:
    refs = repository.refs()
    record = refs.get(ref_names.version("model", 3))
    version = versions.by_number(refs, "model", 3)
    assert version is not None
    damage(repository, record if kind == "version" else version.artifact)
    lines = art("ls", "model").out.splitlines()
    assert len(lines) == 7
    [line] = marked(lines)
    assert "model@3 " in line
    rows = art("ls", "model", "--json").json
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [list(row) for row in rows if "damaged" in row] == [["name", "number", "damaged"]]
    filtered = art("ls", "model", "--where", "epochs >= 0", "--type", "str")
    assert filtered.out.count("model@") == 5
    for verb in (
        ["show", "model"],
        ["show", "model@2"],
        ["status"],
        ["log"],
        ["log", "model"],
        ["prune", "-n"],
        ["ls"],
    ):
        done = art(*verb)
        assert (done.code, done.err) == (0, "")
    done = art("show", "model@3")
    assert done.code == 5
    assert "run `art fsck`" in done.err


def test_the_newest_version_is_damaged(repository: Repository, art: Art) -> None:
    damage(repository, repository.refs().get(ref_names.version("model", 6)))
    lines = art("ls").out.splitlines()
    assert [line.split()[0] for line in marked(lines)] == ["model@6"]
    assert "sales@1" in lines[2]
    assert art("show", "model").code == 5
    assert art("show", "model@5").code == 0


@pytest.mark.parametrize("kind", ["run", "commit"])
def test_a_damaged_run(repository: Repository, art: Art, kind: str) -> None:
    run = next(row for row in art("log", "--json").json if row["name"] == run_name(4))
    oid = repository.refs().get(ref_names.run(run["id"]))
    damage(repository, oid if kind == "run" else Oid(run["steps"]["train"]["commit"]))
    lines = art("log").out.splitlines()
    assert sum(line.startswith("run ") for line in lines) == 6
    assert len(marked(art("log", "--oneline").out.splitlines())) == (kind == "run")
    rows = art("log", "--json").json
    assert len(rows) == 6
    if kind == "run":
        assert [line.split()[1] for line in marked(lines)] == [run["id"][:8]]
        assert [list(row) for row in rows if "damaged" in row] == [["id", "damaged"]]
        assert len(marked(art("status").out.splitlines())) == 1
        assert [row["id"] for row in art("status", "--json").json["latest"] if "damaged" in row] == [run["id"]]
    else:
        entries = art("log", "model", "--json").json
        assert [entry["id"] for entry in entries if "damaged" in entry] == [run["steps"]["train"]["commit"]]
        assert len(marked(art("log", "model").out.splitlines())) == 1
    assert "cannot be read" in art("why", "train").out
    for verb in (["show", "model"], ["show", run_name(3)], ["log", "model"], ["log", "--graph"], ["ls"], ["status"]):
        done = art(*verb)
        assert (done.code, done.err) == (0, "")
    assert art("show", "model@5").code == (0 if kind == "run" else 5)


def test_what_an_unreadable_run_uses_is_not_pruned_by_mistake(repository: Repository, art: Art) -> None:
    run = art("log", "--json", "-n", "1").json[0]
    damage(repository, repository.refs().get(ref_names.run(run["id"])))
    done = art("prune")
    assert done.code == 5
    assert "is unknown" in done.err
    assert art("ls", "model", "--json").json[-1]["number"] == 6
    assert art("prune", "--ignore-errors").code == 0
    assert art("ls", "model", "--json").json[-1]["number"] == 5


def test_metadata_that_nobody_can_understand(repository: Repository, art: Art) -> None:
    refs = repository.refs()
    version = versions.by_number(refs, "model", 2)
    assert version is not None
    hostile = dataclasses.replace(version, metadata={"n": {"$int": "9" * 100_000}, "m": {"$float": "1"}})
    with repository.transaction("a hostile record") as transaction:
        transaction.set_ref(ref_names.version("model", 2), transaction.put(hostile))
    assert art("ls", "model").code == 0
    rows = art("ls", "model", "--json").json
    assert [row["number"] for row in rows if "damaged" in row] == [2]
    done = art("ls", "model", "--where", "epochs >= 0", "--json")
    assert [row["number"] for row in done.json] == [1, 3, 4, 5, 6]
    assert art("show", "model").code == 0


def test_a_flipped_bit_in_the_cache_deletes_nothing_that_is_used(art: Art, project: Path) -> None:
    """What nobody uses is found in `cache.db`, of which SQLite believes every bit."""
    assert art("run", "adding.py").code == 0
    assert "used" in art("prune").out
    before = art("ls", "--all", "--json").json
    cache = project / ".artifacts" / "cache.db"
    good = cache.read_bytes()
    artifact = bytes.fromhex(next(each["id"] for each in before if each["name"] == "numbers"))
    places = [match.start() for match in re.finditer(re.escape(artifact), good)]
    assert len(places) > 3
    for place in places:
        damaged = bytearray(good)
        damaged[place + 5] ^= 1
        cache.write_bytes(damaged)
        assert art("prune").code == 0
        assert art("ls", "--all", "--json").json == before
