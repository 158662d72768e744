"""Looking reads no more where much is stored, and what is long is shown page by page."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TypeVar

import pytest

from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.objects.records import Record
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.store import ObjectStore

from ...histories import run_name, write_runs
from ..conftest import Art

R = TypeVar("R", bound=Record)

FEW, MANY = 100, 1000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Projects of few and of many runs, each with an artifact of as many versions."""
    found = {}
    for count in (FEW, MANY):
        found[count] = tmp_path_factory.mktemp(f"runs{count}")
        write_runs(Repository.init(found[count] / ".artifacts"), count)
    return found


@pytest.fixture
def many(written: dict[int, Path], art: Art) -> Art:
    """`art` where there are many runs."""
    return lambda *arguments: art("-C", str(written[MANY]), *arguments)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Oid]:
    """The records that were read, the nodes of the refs among them."""
    found: list[Oid] = []
    real = ObjectStore.record

    def record(self: ObjectStore, oid: Oid, cls: type[R], *, keep: bool = True) -> R:
        found.append(oid)
        return real(self, oid, cls, keep=keep)

    monkeypatch.setattr(ObjectStore, "record", record)
    return found


LOOKS = [
    ("ls",), ("ls", "model"), ("ls", "-n", "3", "--json"), ("ls", "model", "-n", "3", "--json"),
    ("ls", "model", "--where", "accuracy > 0.5", "--tag", "good", "-n", "5"),
    ("ls", "model", "--sort", "-created", "-n", "5"),
    ("show", "model"), ("show", "model@50"), ("show", "model", "--json"), ("show", "sales"), ("show", run_name(50)),
    ("status",), ("log",), ("log", "-n", "20"), ("log", "model", "-n", "20"), ("log", "sales"), ("log", "model@50"),
    ("log", run_name(50)), ("log", "--graph", "-n", "20"), ("why", "train"), ("why", "load"),
]  # fmt: skip

MISTAKES = [("show", "modle"), ("ls", "modle"), ("why", "trian"), ("rm", "model"), ("show", "model@5000")]


@pytest.mark.long
@pytest.mark.parametrize("verb", [*LOOKS, *MISTAKES], ids=" ".join)
def test_a_look_at_much_reads_no_more_than_a_look_at_little(
    written: dict[int, Path], art: Art, reads: list[Oid], verb: tuple[str, ...]
) -> None:
    counts = {}
    for count, project in written.items():
        art("-C", str(project), *verb)  # the catalog is made once
        reads.clear()
        done = art("-C", str(project), *verb)
        assert done.code == (0 if verb in LOOKS else done.code), done.err
        assert "Unexpected" not in done.err
        counts[count] = len(reads)
    # One more level of the refs map, at each of a few lookups.
    assert counts[MANY] <= 1.5 * counts[FEW] + 5


def test_deleting_reads_no_more(written: dict[int, Path], art: Art, reads: list[Oid], tmp_path: Path) -> None:
    counts = {}
    for count, project in written.items():
        copy = tmp_path / str(count)
        shutil.copytree(project, copy)
        assert art("-C", str(copy), "rm", run_name(5)).code == 0
        assert "used by the run" in art("-C", str(copy), "rm", "model@5").err
        reads.clear()
        assert art("-C", str(copy), "rm", "model@6").code == 0
        assert art("-C", str(copy), "rm", run_name(6)).code == 0
        counts[count] = len(reads)
    assert counts[MANY] <= 1.5 * counts[FEW] + 5


def test_the_last_versions_are_listed_and_the_rest_counted(many: Art) -> None:
    lines = many("ls", "model").out.splitlines()
    assert [line.split()[1] for line in lines[1:-1]] == [f"model@{number}" for number in range(951, 1001)]
    assert lines[-1] == "… and 950 older ones; --all lists them"
    assert len(many("ls", "model", "--all").out.splitlines()) == MANY + 1
    assert many("-q", "ls", "model", "-n", "1").out.splitlines()[1:] == lines[-2:-1]
    assert len(many("ls", "model", "--json").json) == MANY
    assert [row["number"] for row in many("ls", "model", "--json", "-n", "2").json] == [999, 1000]


def test_what_is_filtered_is_paged_too(many: Art) -> None:
    lines = many("ls", "model", "--tag", "good").out.splitlines()
    assert [line.split()[1] for line in (lines[1], lines[-2])] == ["model@501", "model@991"]
    assert lines[-1] == "… and older ones; --all lists them"
    lines = many("ls", "model", "--tag", "good", "--sort", "created", "-n", "2").out.splitlines()
    assert [line.split()[1] for line in lines[1:3]] == ["model@1", "model@11"]
    assert lines[3] == "… and more; --all lists them"
    assert many("ls", "model", "--tag", "good", "--sort", "created", "--all").out.count("model@") == 100


def test_many_names_are_paged_by_name(art: Art, project: Path) -> None:
    for number in range(12):
        (project / "value").write_text(str(number))
        assert art("add", "value", "--name", f"name{number:02d}").code == 0
    lines = art("ls", "-n", "10").out.splitlines()
    assert [line.split()[1] for line in lines[1:11]] == [f"name{number:02d}@1" for number in range(10)]
    assert lines[11] == "… and 2 more; --all lists them"
    assert len(art("ls").out.splitlines()) == 13
    assert len(art("ls", "--json").json) == 12
    assert art("ls", "-n", "3", "--all").code == 2


@pytest.mark.long
def test_some_of_a_history_are_the_first_of_all(many: Art) -> None:
    for target in ("model@900", run_name(70)):
        every = many("log", target, "--json").json
        assert many("log", target, "-n", "1", "--json").json == every[:1]
    first = many("log", "model", "-n", "40", "--json").json
    assert [entry["made"] for entry in first] == [[f"model@{number}"] for number in range(1000, 960, -1)]
    every = many("log", "model", "--json").json
    assert first == every[:40]
    assert len(every) == MANY + 1
    assert many("log", "--graph", "-n", "40", "--json").json == first


def test_the_log_says_how_many_runs_it_leaves_out(many: Art) -> None:
    out = many("log").out
    assert (out.count("\nrun ") + out.startswith("run "), out.splitlines()[-1]) == (
        10, f"… and {MANY - 10} more; --all lists them",
    )  # fmt: skip
    assert len(many("log", "--oneline", "--all").out.splitlines()) == MANY + 1
    assert len(many("log", "--json", "-n", "3").json) == 3
    assert len(many("log", "--json").json) == MANY
