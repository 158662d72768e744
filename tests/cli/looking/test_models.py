"""Models in the terminal: a version is shown, listed and followed by what its runs measured and made."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs import Client
from artvcs.vcs import AmbiguousName

from ..conftest import Art, Once

SHOP = """
from typing import Annotated
from artvcs import Model, log_metadata, pipeline, step

@step
def sales(days: int) -> Annotated[list[int], "sales"]:
    return list(range(days))

@step
def fit(sales: list[int], rate: float) -> Annotated[float, "weights"]:
    log_metadata({"loss": rate / len(sales)})
    return rate * len(sales)

@step
def judge(weights: float) -> None:
    log_metadata({"accuracy": weights / 10})

@pipeline(model=Model("shop"))
def training(days: int = 4, rate: float = 1.5):
    judge(fit(sales(days), rate))
"""


@pytest.fixture
def shop(art: Art, project: Path, once: Once) -> Art:
    """Two runs of a pipeline with a model, of which the second one is better."""

    def make() -> None:
        (project / "shop.py").write_text(SHOP)
        assert art("run", "shop.py").code == 0
        assert art("run", "shop.py", "-p", "rate=2").code == 0

    once("shop", make)
    return art


def test_a_model_leads_with_what_its_runs_measured(shop: Art) -> None:
    lines = shop("show", "shop").out.splitlines()
    assert lines[:3] == ["model models/shop@2", "Measures:  loss=0.5 (fit)", "Measures:  accuracy=0.8 (judge)"]
    [run] = [line for line in lines if line.startswith("Run:")]
    assert "completed" in run
    assert "  weights@2  float  3 B" in lines


def test_versions_are_found_by_what_their_runs_measured(shop: Art) -> None:
    assert [row["version"] for row in shop("ls", "shop", "--where", "accuracy > 0.7", "--json").json] == ["2"]
    assert [row["version"] for row in shop("ls", "shop", "--where", "loss < 1", "--json").json] == ["1", "2"]
    assert "did you mean 'accuracy'?" in shop("ls", "shop", "--where", "acuracy > 0").err


def test_the_history_of_a_model_goes_back_to_the_data(shop: Art) -> None:
    told = shop("log", "shop@2").out
    assert told.startswith("model ")
    assert [line.partition(": ")[2].split()[0] for line in told.splitlines() if line.startswith("Step:")] == [
        "fit", "sales",
    ]  # fmt: skip
    assert "judge" not in told, "it made nothing that belongs to the model"
    assert "(models/shop@2)" in shop("log", "shop", "--oneline", "--graph").out.splitlines()[0]


def test_a_model_is_deleted_by_the_name_it_is_shown_by(shop: Art) -> None:
    run = shop("runs", "--sort", "rate", "--json").json[0]["run"]
    used = shop("rm", "shop@1", "--yes")
    assert used.err == f"error: models/shop@1 is used by the run {run}; delete that run first (`art rm {run}`).\n"
    assert shop("rm", run, "--yes").code == 0
    assert "Deleted models/shop@1" in shop("rm", "shop@1", "--yes").out
    assert "shop has" not in shop("rm", "shop").err


def test_a_failed_run_makes_no_version_that_could_be_promoted(shop: Art, project: Path) -> None:
    whole = (project / "shop.py").read_text()
    (project / "shop.py").write_text(whole.replace("weights / 10", "weights / 0"))
    assert shop("run", "shop.py", "-p", "rate=3").code == 1
    assert "models/shop@2 is production now" in shop("tag", "shop", "production").out
    (project / "shop.py").write_text(whole)
    assert shop("run", "shop.py", "-p", "rate=3").code == 0
    assert shop("show", "shop").out.startswith("model models/shop@3\n")


CHURN = """
from typing import Annotated
from artvcs import Model, pipeline, step

@step
def fit(rate: float) -> Annotated[dict, "churn"]:
    return {"rate": rate}

@pipeline(model=Model("churn"))
def training(rate: float = 0.5):
    fit(rate)
"""


@pytest.fixture
def churn(art: Art, project: Path, once: Once) -> Art:
    """Two versions of an artifact and of a model of one name."""

    def make() -> None:
        (project / "churn.py").write_text(CHURN)
        for rate in (0.5, 0.25):
            assert art("run", "churn.py", "-p", f"rate={rate}").code == 0

    once("churn", make)
    return art


@pytest.mark.parametrize(
    "command",
    [("tag", "churn", "production"), ("tag", "churn@1", "production"), ("tag", "-d", "churn", "production"),
     ("rm", "churn@1")],
)  # fmt: skip
def test_what_changes_something_does_not_guess_between_an_artifact_and_a_model(
    churn: Art, command: tuple[str, ...]
) -> None:
    done = churn(*command)
    [target] = [each for each in command if each.startswith("churn")]
    said = f"An artifact and a model are called 'churn'; write artifacts/{target} or models/{target}."
    assert (done.code, done.err) == (3, f"error: {said}\n")
    with pytest.raises(AmbiguousName, match="write artifacts/churn or models/churn"):
        Client().promote("churn", "production")


def test_an_artifact_and_a_model_of_one_name_are_each_meant_by_what_stands_before_it(churn: Art) -> None:
    assert churn("tag", "models/churn@1", "production").out == "models/churn@1 is production now\n"
    assert Client().get_model_version("churn", "production").number == 1
    assert churn("tag", "artifacts/churn", "trial").out == "churn@2 is trial now\n"
    assert churn("show", "artifacts/churn@trial").out.startswith("artifact churn@2\n")
    assert churn("tag", "-d", "artifacts/churn", "trial").out == "churn@2 is trial no more\n"
    assert [row["version"] for row in churn("ls", "artifacts/churn", "--json").json] == ["1", "2"]


def test_a_stage_that_only_the_model_has_leads_to_the_model(churn: Art) -> None:
    churn("tag", "models/churn@1", "production")
    for verb in ("show", "cat", "checkout"):
        done = churn(verb, "churn@production")
        assert (done.code, done.err.splitlines()[-1]) == (
            3,
            "error: No version of the artifact 'churn' is 'production', but one of the model is; "
            "write models/churn@production.",
        )
    assert churn("show", "models/churn@production").code == 0
    assert "did you mean" not in churn("show", "churn@nowhere").err


def test_one_version_is_shown_and_not_listed(shop: Art) -> None:
    done = shop("ls", "weights@1")
    assert (done.code, "`art show weights@1` shows one" in done.err) == (2, True)


def test_of_a_model_its_artifacts_are_checked_out(shop: Art, project: Path) -> None:
    for target in ("models/shop@2", "shop"):
        done = shop("checkout", target)
        assert done.code == 3
        assert done.err.splitlines()[-1] == (
            "error: models/shop@2 is a model, which has no files; `art checkout sales@1`, `art checkout weights@2` "
            "brings what belongs to it."
        )
    assert not list(project.glob("shop.json"))
    assert shop("checkout", "weights@2").code == 0


def test_that_there_is_a_model_of_that_name_is_said(churn: Art) -> None:
    for verb in ("show", "log", "ls", "tag"):
        done = churn(verb, "churn")
        assert done.code == 0
        assert "A model is called so, too; it is meant by `models/churn`.\n" in done.err, verb
        assert "called so" not in churn(verb, "artifacts/churn").err
        assert "called so" not in churn(verb, "models/churn").err
