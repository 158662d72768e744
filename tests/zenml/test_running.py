"""Pipelines as ZenML's users write them, with nothing changed but the imports."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs.pipelines.errors import DefinitionError, IgnoredSetting, ParameterError, RunFailed
from artvcs.zenml import (
    ArtifactConfig,
    ExternalArtifact,
    Model,
    add_tags,
    get_pipeline_context,
    get_step_context,
    link_artifact_to_model,
    log_artifact_metadata,
    log_metadata,
    log_model_metadata,
    log_step_metadata,
    pipeline,
    remove_tags,
    save_artifact,
    step,
)
from artvcs.zenml._names.absent import NotHere
from artvcs.zenml.client import Client
from artvcs.zenml.config import StepConfigurationUpdate, StepRetryConfig
from artvcs.zenml.enums import ArtifactType, ExecutionStatus, ModelStages
from artvcs.zenml.logger import get_logger

pytestmark = pytest.mark.usefixtures("project")


@step
def load() -> tuple[
    Annotated[list[int], ArtifactConfig(name="train", artifact_type=ArtifactType.DATA)],
    Annotated[list[int], "test"],
]:
    return [1, 2, 3], [4]


@step(enable_cache=True, settings={}, experiment_tracker=None, step_operator=None)
def fit(
    data: list[int], rate: float = 0.5
) -> Annotated[dict[str, Any], ArtifactConfig(name="classifier", is_model_artifact=True, tags=["best"])]:
    log_artifact_metadata({"rows": len(data)})
    log_model_metadata({"family": "tree"})
    log_step_metadata({"seconds": 1})
    return {"rate": rate}


@step
def evaluate(data: list[int]) -> float:
    model = get_step_context().model.load_artifact("classifier")
    accuracy = 1 - float(model["rate"])
    log_metadata({"test_accuracy": accuracy}, infer_model=True)
    return accuracy


@step
def promote(accuracy: float, stage: str = "production") -> bool:
    current = get_step_context().model
    try:
        best = Client().get_model_version(current.name, stage)
        better = accuracy > best.run_metadata["test_accuracy"]
    except KeyError:
        better = True
    if better:
        current.set_stage(stage, force=True)
    return bool(better)


@pipeline(enable_cache=True, model=Model("prices", license="MIT", tags=["demo"], save_models_to_registry=False))
def training(rate: float = 0.5) -> None:
    train, test = load()
    fit(train, rate)
    promote(evaluate(test, after=["fit"]))


def test_the_usual_life_of_a_model() -> None:
    run = training(0.5)
    assert run.status == ExecutionStatus.COMPLETED
    assert run.pipeline.name == "training"
    assert run.steps["load"].outputs["train"][0].load() == run.steps["load"].outputs["train"].load() == [1, 2, 3]
    assert [training(rate).steps["promote"].output.load() for rate in (0.7, 0.2)] == [False, True]
    best = Client().get_model_version("prices", ModelStages.PRODUCTION)
    assert (best.number, best.stage, best.name) == (3, "production", "3")
    assert best.run_metadata == {"license": "MIT", "family": "tree", "test_accuracy": 0.8}
    assert best.get_artifact("classifier").run_metadata["rows"] == 3
    assert best.get_artifact("nothing") is None
    assert best.load_artifact("classifier") == {"rate": 0.2}
    assert len(best.pipeline_runs) == 1
    assert Client().get_artifact_version("classifier").tags == ("best",)


@step
def predict(model: dict[str, Any], pipe: Any | None = None) -> float:
    return float(model["rate"]) * 10


@pipeline(model=Model("prices", version="production"))
def inference() -> None:
    predict(get_pipeline_context().model.get_artifact("classifier"))


def test_a_pipeline_takes_what_belongs_to_its_model() -> None:
    training(0.5)
    assert inference().steps["predict"].output.load() == 5.0
    training(0.2)
    assert inference().steps["predict"].output.load() == 2.0
    other = inference.with_options(model=Model("prices", version=1))
    assert other().steps["predict"].output.load() == 5.0


def test_a_stage_that_is_taken_is_moved_only_by_force() -> None:
    training(0.5)
    training(0.2)
    second, first = (Client().get_model_version("prices", number) for number in (2, 1))
    with pytest.raises(RuntimeError, match="models/prices@2 is 'production' already; pass force=True"):
        first.set_stage("production")
    first.set_stage("production", force=True)
    assert (first.stage, second.stage) == ("production", None)
    first.set_stage(ModelStages.ARCHIVED)
    found = Client().get_model_version("prices", 1)
    assert (found.stage, found.tags) == (None, ("demo", "archived"))


def test_what_there_is_none_of_is_a_key_error() -> None:
    for ask in (
        lambda: Client().get_artifact_version("nothing"),
        lambda: Client().get_pipeline_run("nothing"),
        lambda: Client().get_model_version("nothing"),
        lambda: Client().get_pipeline("nothing"),
        lambda: Client().list_model_versions("nothing"),
    ):
        with pytest.raises(KeyError) as told:
            ask()
        assert str(told.value).startswith("There is no ")


def test_runs_are_found_by_their_pipeline() -> None:
    training(0.5)
    last = training(0.2)
    found = Client().get_pipeline("training")
    assert found.runs[0].id == found.last_run.id == found.last_successful_run.id == last.id
    assert len(Client().list_pipeline_runs(pipeline_name="training", size=1).items) == 1
    assert last.config.parameters == {"rate": 0.2}
    assert last.steps["fit"].run_metadata["seconds"] == 1
    assert last.steps["fit"].config.parameters == {"rate": 0.2}
    assert last.steps["fit"].status.is_successful


@step
def where() -> Annotated[dict[str, str], "where"]:
    context = get_step_context()
    return {
        "run": context.pipeline_run.name, "id": context.pipeline_run.id, "pipeline": context.pipeline.name,
        "step": context.step_run.name, "team": context.pipeline_run.config.extra["team"],
    }  # fmt: skip


def test_a_step_knows_where_it_stands() -> None:
    @pipeline(extra={"team": "a"})
    def asking() -> None:
        assert get_pipeline_context().extra == {"team": "a"}
        assert get_pipeline_context().name == "asking"
        where()

    run = asking()
    assert run.steps["where"].output.load() == {
        "run": run.name, "id": run.id, "pipeline": "asking", "step": "where", "team": "a",
    }  # fmt: skip
    with pytest.raises(RuntimeError, match="get_step_context"):
        get_step_context()
    with pytest.raises(RuntimeError, match="get_pipeline_context"):
        get_pipeline_context()


def test_retries_and_hooks() -> None:
    told = list[str]()

    def failed(exception: BaseException) -> None:
        told.append(str(exception))

    @step(retry=StepRetryConfig(max_retries=1, delay=0, backoff=0), on_failure=failed)
    def fails() -> None:
        raise ValueError("as it should")

    @pipeline
    def failing() -> None:
        fails()

    with pytest.raises(RunFailed):
        failing()
    assert told == ["as it should"]


def test_what_belongs_to_the_server_is_a_sentence() -> None:
    with pytest.raises(NotHere, match=r"Client\(\)\.create_trigger belongs to ZenML's stacks or its server"):
        Client().create_trigger()

    @pipeline(dynamic=True)
    def dynamic() -> None:
        load()

    with pytest.raises(DefinitionError, match="'dynamic' is dynamic, which is not here"):
        dynamic()
    with pytest.raises(NotHere, match=r"pipeline\.deploy\(\)"):
        training.deploy()
    with pytest.raises(DefinitionError, match=r"@step has no option 'enabled_cache' \(did you mean 'enable_cache'\?\)"):
        step(enabled_cache=True)(lambda: None)


def test_tags_and_links() -> None:
    version = save_artifact([1], "by_hand", artifact_type=ArtifactType.DATA, user_metadata={"n": 1}, tags=["a"])
    add_tags(["b"], artifact="by_hand")
    remove_tags(["a"], artifact_name="by_hand", artifact_version=version.version)
    assert Client().get_artifact_version("by_hand").tags == ("b",)
    run = training()
    add_tags(tags=["nightly"], run=run.id)
    assert Client().get_pipeline_run(run.id).tags == ("nightly",)
    link_artifact_to_model(version, Model("prices"))
    assert Client().get_model_version("prices").load_artifact("by_hand") == [1]
    Client().update_artifact_version("by_hand", add_tags=["c"], remove_tags=["b"])
    assert Client().get_artifact("by_hand").tags == ("c",)


def test_a_link_to_a_model_that_is_not_there_makes_it() -> None:
    version = save_artifact([1], "by_hand")
    link_artifact_to_model(version, Model("new"))
    assert Client().get_model_version("new").load_artifact("by_hand") == [1]
    link_artifact_to_model(version, Model("new"))
    assert len(list(Client().list_model_versions("new"))) == 1
    link_artifact_to_model(version, Model("named", version="spring"))
    assert Client().get_model_version("named", "spring").load_artifact("by_hand") == [1]


def test_a_configuration_file_of_zenml(project: Path) -> None:
    (project / "conf.yaml").write_text(
        "settings: {docker: {required_integrations: [sklearn]}}\n"
        "test_size: 0.35\n"
        "model: {name: prices, version: spring, license: MIT}\n"
        "parameters: {rate: 0.1}\n"
        "steps: {fit: {enable_cache: false, parameters: {rate: 0.4}}}\n"
    )
    with pytest.warns(IgnoredSetting):
        run = training.with_options(config_path="conf.yaml")()
    assert run.steps["fit"].config.parameters == {"rate": 0.4}
    assert Client().get_model_version("prices", "spring").run_metadata["license"] == "MIT"


def test_a_logger_is_seen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    logger = get_logger("a project of somebody's")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as where nobody has set up logging
    get_logger(logger.name).info("seen")
    assert capsys.readouterr().err == "seen\n"
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])
    logger.info("somebody else's to show")
    assert capsys.readouterr().err == ""


def test_tags_of_what_a_step_is_about_to_return() -> None:
    @step
    def tagged() -> tuple[Annotated[int, "a"], Annotated[int, "b"]]:
        add_tags(["good", "bad"], artifact_name="a", infer_artifact=True)
        remove_tags(["bad"], artifact_name="a", infer_artifact=True)
        return 1, 2

    @pipeline
    def tagging() -> None:
        tagged()

    tagging()
    assert Client().get_artifact_version("a").tags == ("good",)
    assert Client().get_artifact_version("b").tags == ()


def test_a_step_looks_at_its_own_run() -> None:
    @step
    def score(value: int) -> int:
        log_metadata({"score": value})
        return value

    @step
    def best() -> Annotated[int, "best"]:
        run = Client().get_pipeline_run(get_step_context().pipeline_run.name)
        ended = {name: each for name, each in run.steps.items() if name.startswith("score")}
        assert get_step_context().pipeline_run.steps.keys() >= ended.keys()
        return max(int(each.run_metadata["score"]) for each in ended.values())

    @pipeline
    def searching(top: int = 3) -> None:
        ended = [score(value) for value in range(top)]
        best(after=ended)

    assert searching(3).steps["best"].output.load() == 2
    assert searching(5).steps["best"].output.load() == 4


def test_an_external_artifact_is_a_value_or_names_what_is_there() -> None:
    there = save_artifact(41, "answer", tags=["first"])
    save_artifact(42, "answer")
    training(0.5)

    @step
    def add(one: int, two: int, three: int, four: dict[str, float]) -> float:
        return one + two + three + four["rate"]

    @pipeline
    def adding() -> None:
        add(
            ExternalArtifact(id=there.id),
            ExternalArtifact(name="answer"),
            ExternalArtifact(name="answer", version="1"),
            ExternalArtifact(name="classifier", model=Model("prices")),
        )

    assert adding().steps["add"].output.load() == 41 + 42 + 41 + 0.5
    for said in ({}, {"value": 1, "id": there.id}, {"version": "1"}):
        with pytest.raises(DefinitionError, match="ExternalArtifact takes a value, or the id of an artifact that is"):
            ExternalArtifact(**said)
    with pytest.raises(TypeError, match="ExternalArtifact has no argument 'pipeline_name'"):
        ExternalArtifact(name="answer", pipeline_name="adding")


def test_a_step_has_the_variables_that_are_said_of_it() -> None:
    @step(environment={"PORT": 80})
    def port() -> str:
        return os.environ["PORT"] + os.environ["HOST"]

    @pipeline(environment={"HOST": "here"})
    def serving() -> None:
        port()

    assert serving().steps["port"].output.load() == "80here"
    assert serving.with_options(environment={"HOST": "there"})().steps["port"].output.load() == "80there"
    assert "HOST" not in os.environ


HOOKS = """
from artvcs.zenml import pipeline, step

def begin(name): print("begins", name)
def end(): print("ends")
def went_well(): print("went well")
def went_wrong(error): print("went wrong:", error)

@step
def one(fails: bool = False) -> int:
    if fails:
        raise ValueError("as it should")
    return 1

@pipeline(enable_cache=False, on_init=begin, on_init_kwargs={"name": "it"}, on_cleanup="hooked.end")
def hooked(fails: bool = False):
    one(fails)

if __name__ == "__main__":
    hooked.with_options(config_path="conf.yaml")()
    try:
        hooked.with_options(config_path="conf.yaml")(True)
    except Exception:
        pass
"""


def test_what_is_called_around_a_run_and_by_a_file(project: Path) -> None:
    (project / "hooked.py").write_text(HOOKS)
    (project / "conf.yaml").write_text(
        "success_hook_source: {module: hooked, attribute: went_well, type: user}\n"
        "steps: {one: {failure_hook_source: hooked.went_wrong}}\n"
    )
    done = subprocess.run([sys.executable, "hooked.py"], cwd=project, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "begins it", "went well", "ends", "begins it", "went wrong: as it should", "ends",
    ], done.stderr  # fmt: skip
    (project / "conf.yaml").write_text("success_hook_source: hooked.nothing\n")
    with pytest.raises(DefinitionError, match=r"conf.yaml: success_hook_source: 'hooked.nothing' cannot be imported"):
        training.with_options(config_path="conf.yaml")


def test_what_is_said_of_a_step_in_an_object() -> None:
    run = training.with_options(steps={"fit": StepConfigurationUpdate(parameters={"rate": 0.7})})()
    assert run.steps["fit"].output.load() == {"rate": 0.7}


@pytest.mark.parametrize(
    ("annotation", "given", "taken"),
    [(int, "2", 2), (int, 2.0, 2), (float, "2.5", 2.5), (bool, "true", True), (list[int], ("1", 2), [1, 2])],
)
def test_parameters_become_what_they_are_declared_as_as_zenml_has_it(annotation: Any, given: Any, taken: Any) -> None:
    def tell(x: Any) -> str:
        return repr(x)

    def telling(x: Any) -> None:
        step(tell)(given, id="step")
        step(tell)(x, id="pipeline")

    tell.__annotations__["x"] = telling.__annotations__["x"] = annotation
    run = pipeline(telling)(given)
    assert {run.steps[name].output.load() for name in ("step", "pipeline")} == {repr(taken)}


def test_what_zenml_takes_for_a_mistake_is_one() -> None:
    @step
    def tell(x: str) -> str:
        return x

    @pipeline
    def telling(x: Any) -> None:
        tell(x)

    for given in (5, None):
        with pytest.raises(ParameterError, match="The input 'x' of step 'tell' must be str"):
            telling(given)
