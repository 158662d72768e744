"""`art tag`: which version is in which stage, since when, by whom and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs.cli.terminal.output import Terminal
from artvcs.vcs.repository import Repository

from ..conftest import Art, Once

MODELS = """
from typing import Annotated
from artvcs import Model, log_metadata, pipeline, step

@step
def train(depth: int) -> Annotated[int, "tree"]:
    log_metadata({"accuracy": depth / 10}, infer_model=True)
    return depth

@pipeline(model=Model("digits"))
def training(depth: int = 3):
    train(depth)
"""


@pytest.fixture
def models(art: Art, project: Path, once: Once) -> Art:
    """Two versions of the model `digits`, with an artifact `tree` each."""

    def make() -> None:
        (project / "training.py").write_text(MODELS)
        for depth in (3, 4):
            assert art("run", "training.py", "-p", f"depth={depth}").code == 0

    once("models", make)
    return art


def test_a_stage_is_moved_and_says_what_it_left(models: Art) -> None:
    assert models("tag", "tree@1", "production").out == "tree@1 is production now\n"
    assert models("tag", "tree", "production", "-m", "better").out == ("tree@2 is production now, and tree@1 no more\n")
    assert models("tag", "tree@2", "production").out == "tree@2 is production already\n"
    assert models("tag", "tree@2", "production", "-m", "still better").out == (
        "tree@2 is production already; why is noted\n"
    )
    assert [each["reason"] for each in models("tag", "tree", "--json").json] == ["still better", "better", ""]
    assert models("show", "tree@production").out.startswith("artifact tree@2\n")
    assert models("cat", "tree@production").out == "4"


def test_a_stage_is_listed_whole_though_the_terminal_is_narrow(models: Art, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "stage" not in models("ls", "tree").out.splitlines()[0]  # there is none
    models("tag", "tree@1", "production")
    for width in (None, 80, 40):
        monkeypatch.setattr(Terminal, "width", width)
        head, first, *_ = models("ls", "tree").out.splitlines()
        assert "stage" in head.split()
        assert "@production" in first.split()


def test_what_is_in_a_stage_is_listed(models: Art) -> None:
    models("tag", "tree@1", "production")
    models("tag", "digits@2", "staging", "-m", "on trial")
    lines = models("tag").out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["artifact", "stage"],
        ["models/digits@2", "staging"],
        ["tree@1", "production"],
    ]
    assert lines[1].endswith("on trial")
    assert "production" in models("ls", "tree").out.splitlines()[1]
    assert [row["number"] for row in models("ls", "tree", "--tag", "production", "--json").json] == [1]


def test_since_when_is_told_whole_though_the_terminal_is_narrow(models: Art, monkeypatch: pytest.MonkeyPatch) -> None:
    models("tag", "tree@1", "production", "-m", "what was measured last year and nobody has found fault with since")
    [since] = [each["created"] for each in models("tag", "--json").json]
    models("tag", "tree@1", "production", "-m", "so long that it has no room, and stands there in part")
    assert [each["created"] for each in models("tag", "--json").json] == [since], "noting why moves nothing"
    monkeypatch.setattr(Terminal, "width", 80)
    head, line, *_ = models("tag").out.splitlines()
    assert {"stage", "since", "why"} <= {*head.split()}
    assert " ago " in line
    assert "so long that" in line


def test_what_is_missing_is_asked_for_as_it_was_begun(models: Art) -> None:
    assert "as in `art tag -d tree production`;" in models("tag", "-d", "tree").err
    assert "as in `art tag tree production -m 'as it was'`;" in models("tag", "tree", "-m", "as it was").err


def test_a_run_names_the_version_of_the_model_that_it_made(models: Art) -> None:
    assert "made tree@3, models/digits@3\n" in models("run", "training.py", "-p", "depth=5").out
    assert "made" not in models("run", "training.py", "-p", "depth=5").out


def test_the_history_says_who_and_why(models: Art, project: Path) -> None:
    models("tag", "tree@1", "production", "-m", "the first")
    models("tag", "tree@2", "production", "-m", "better")
    models("tag", "-d", "tree", "production", "-m", "broke on Mondays")
    told = models("tag", "tree", "--json").json
    assert [(each["version"], each["reason"]) for each in told] == [
        (None, "broke on Mondays"), ("2", "better"), ("1", "the first"),
    ]  # fmt: skip
    assert {each["author"] for each in told} == {Repository.discover().author()}
    assert models("tag", "tree").out.splitlines()[1].startswith("tree (none)")


def test_a_model_is_shown_with_what_belongs_to_it(models: Art) -> None:
    models("tag", "digits@1", "production", "-m", "it is the only one")
    shown = models("show", "digits@production").out
    assert shown.startswith("model models/digits@1\nStages:    @production\nMetadata:\n  accuracy: 0.3\n")
    assert "Promoted:  production, " in shown
    assert shown.rstrip().splitlines()[-1].split() == ["tree@1", "int", "1", "B"]
    assert "Model:     models/digits@1\n" in models("show", "tree@1").out
    assert models("show", "digits@2", "--json").json["artifacts"]["tree"]["number"] == 2


def test_a_model_is_listed_by_its_short_name(models: Art) -> None:
    assert [row["name"] for row in models("ls", "digits", "--json").json] == ["models/digits"] * 2


def test_a_version_in_a_stage_is_not_deleted(models: Art) -> None:
    runs = [row["name"] for row in models("log", "--json").json]
    for run in runs:
        models("rm", run, "--yes")
    models("tag", "digits@1", "production")
    refused = models("rm", "models/digits@1", "--yes")
    assert refused.code != 0
    assert "models/digits@1 is 'production' now; move that stage first" in refused.err
    assert models("prune", "--yes").code == 0
    assert models("ls", "tree", "--json").json[0]["number"] == 1
    assert models("rm", "tree@1", "--yes").err.startswith("error: tree@1 belongs to models/digits@1; delete that first")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trees", "production"), "There is no artifact named 'trees' (did you mean 'tree'?)"),
        (("tree@9", "production"), "'tree' has no version '9'; it has 1, 2."),
        (("tree", "../../etc"), "The stage '../../etc' contains '/'; choose another name."),
        (("tree", "7"), "The stage '7' would be taken for another version; choose another name."),
        (("-d", "tree", "production"), "No version of 'tree' is 'production'; its stages are: none."),
        (("-d", "tree"), "Say which stage, as in `art tag -d tree production`"),
        (("nothing",), "There is no artifact named 'nothing'; `art ls` lists those there are."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(models: Art, arguments: tuple[str, ...], message: str) -> None:
    done = models("tag", *arguments)
    assert done.code != 0
    assert message in done.err
    assert done.err.count("\n") == 1
