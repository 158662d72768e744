"""Stages: a name that moves from version to version, and remembers where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, load_artifact, log_metadata, pipeline, save_artifact, step
from artvcs.pipelines.errors import DefinitionError, InUse
from artvcs.pipelines.history import delete
from artvcs.pipelines.history.finding import lookup
from artvcs.pipelines.promotion import demote, promote
from artvcs.vcs import Conflict, InvalidName, Promote, Promotion, Repository, UnknownName, fsck, repair, stages


@pytest.fixture(autouse=True)
def _two_versions(project: Path) -> None:
    save_artifact(0.8, "model")
    save_artifact(0.9, "model")


def test_a_stage_is_found_where_a_version_is(project: Path) -> None:
    promote("model", "production", 1)
    assert Client().get_artifact_version("model", "production").number == 1
    promote("model", "production", reason="better on holidays")
    assert Client().get_artifact_version("model", "production").load() == 0.9
    before = lookup.find_spec(Repository.discover().refs(), "model@production~1", project)
    assert before.number == 1


def test_its_history_says_who_moved_it_when_and_why() -> None:
    promote("model", "production", 1, reason="the first")
    promote("model", "production", 2, reason="better on holidays")
    promote("model", "production", 2)  # says nothing new
    promote("model", "production", 2, reason="nor worse on Mondays")
    demote("model", "production", reason="it was the weather")
    told = list(stages.history(Repository.discover().refs(), "model"))
    assert [each.reason for each in told] == [
        "the first", "better on holidays", "nor worse on Mondays", "it was the weather",
    ]  # fmt: skip
    assert [each.created for each in told] == sorted({each.created for each in told})
    assert all(each.author == Repository.discover().author() for each in told)
    assert told[-1].artifact is None
    with pytest.raises(UnknownName, match="'production'"):
        Client().get_artifact_version("model", "production")


def test_a_clock_that_goes_backwards_does_not_move_a_stage_back(monkeypatch: pytest.MonkeyPatch) -> None:
    promote("model", "production", 1)
    monkeypatch.setattr("artvcs.pipelines.promotion.now_ms", lambda: 1000)
    promote("model", "production", 2)
    assert Client().get_artifact_version("model", "production").number == 2


def test_what_is_in_a_stage_is_not_deleted() -> None:
    promote("model", "production", 1)
    message = "model@1 is 'production' now; move that stage first .`art tag -d model production`"
    with pytest.raises(InUse, match=message):
        Client().delete_artifact_version("model", 1)
    rows = delete.prune(Repository.discover(), include_manual=True)
    assert [row.version.number for row in rows] == [2]
    promoted = Client().get_artifact_version("model", "production")
    assert promoted.load() == 0.8
    demote("model", "production")
    Client().delete_artifact_version("model", 1)


@pytest.mark.parametrize(
    "stage", [
        "", "a/b", "../x", "a@b", "12", "latest", "HEAD", "x~2", "a\nb", "x" * 300, "a:b", None,
        "pro duction", "-x", "a$b", "it's", "*",
    ],
)  # fmt: skip
def test_names_that_no_stage_can_have(stage: Any) -> None:
    with pytest.raises(InvalidName):
        promote("model", stage)


def test_what_a_stage_may_be_called_is_said() -> None:
    with pytest.raises(InvalidName, match=r"'pro duction' cannot be typed as in NAME@STAGE; take letters, digits and"):
        promote("model", "pro duction")
    for stage in ("production", "v1.0", "größer", "a_b-c+d"):
        promote("model", stage)


def test_a_stage_of_an_older_artvcs_is_found_and_can_be_taken_away() -> None:
    repository = Repository.discover()
    artifact = Client().get_artifact_version("model", 1).id
    with repository.transaction("as it was") as transaction:
        transaction.add(Promote(Promotion("model", "pro duction", artifact, "ada", 1, "", None)))
    assert load_artifact("model", "pro duction") == 0.8
    demote("model", "pro duction")
    assert stages.current(repository.refs(), "model") == {}


def test_a_stage_that_is_nearly_meant() -> None:
    promote("model", "production", 1)
    with pytest.raises(UnknownName, match=r"'prodction' is no version \(did you mean 'production'\?\); no Git"):
        Client().get_artifact_version("model", "prodction")
    with pytest.raises(UnknownName, match=r"No version of 'model' is 'prodction' \(did you mean 'production'\?\)"):
        demote("model", "prodction")
    with pytest.raises(UnknownName, match=r"There is no artifact named 'modle' \(did you mean 'model'\?\)"):
        Client().get_artifact_version("modle", "production")


def test_a_stage_and_an_explicit_version_have_different_names() -> None:
    save_artifact(1.0, "model", version="stable")
    with pytest.raises(Conflict, match="'model' has an explicit version 'stable'; give the stage another name"):
        promote("model", "stable", 1)


def test_an_explicit_version_never_hides_a_stage() -> None:
    promote("model", "production", 1)
    with pytest.raises(DefinitionError, match="'model' has a stage 'production'; give the new version another name"):
        save_artifact(7.0, "model", version="production")
    assert load_artifact("model", "production") == 0.8


def test_what_there_is_none_of() -> None:
    with pytest.raises(UnknownName, match="no artifact named 'modle'"):
        promote("modle", "production")
    with pytest.raises(UnknownName, match="No version of 'model' is 'production'; its stages are: none"):
        demote("model", "production")


def test_metadata_goes_to_the_version_in_a_stage() -> None:
    promote("model", "production", 1)
    log_metadata({"requests": 12}, artifact_name="model", artifact_version="production")
    assert Client().get_artifact_version("model", 1).metadata["requests"] == 12
    assert "requests" not in Client().get_artifact_version("model", 2).metadata


@step(enable_cache=True)
def serve() -> float:
    found: float = Client().get_artifact_version("model", "production").load()
    return found


@step
def choose() -> None:
    promote("model", "production", 2, reason="the step says so")


@pipeline
def serving() -> None:
    serve()


@pipeline
def choosing() -> None:
    choose()


def test_a_step_that_asks_for_a_stage_runs_again_when_it_moves() -> None:
    promote("model", "production", 1)
    serving()
    assert serving().steps["serve"].cached
    promote("model", "production", 2)
    again = serving().steps["serve"]
    assert (again.cached, again.output.load()) == (False, 0.9)


def test_a_step_that_moves_a_stage_says_in_which_run() -> None:
    run = choosing()
    [told] = stages.history(Repository.discover().refs(), "model")
    assert (told.run, told.reason) == (run.id, "the step says so")


def test_the_repository_is_sound_and_can_be_mended(project: Path) -> None:
    promote("model", "production", 1)
    repository = Repository.discover()
    assert not list(fsck(repository.layout.folder))
    repair(repository.layout.folder)
    assert Client().get_artifact_version("model", "production").number == 1
