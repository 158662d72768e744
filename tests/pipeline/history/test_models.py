"""Models: what runs make belongs to a version, with its measures, and is found by what the version is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from artvcs import Client, Model, ModelStages, get_step_context, log_metadata, pipeline, save_artifact, step
from artvcs.pipelines.define.handles import ModelArtifact
from artvcs.pipelines.errors import DefinitionError, InUse, PipelineError
from artvcs.pipelines.functions import add_tags, remove_tags
from artvcs.pipelines.history import delete
from artvcs.vcs import InvalidName, Repository, UnknownName, fsck, gc

pytestmark = pytest.mark.usefixtures("project")


@step
def train(depth: int) -> Annotated[dict[str, int], "tree"]:
    log_metadata({"accuracy": depth / 10}, infer_model=True)
    return {"depth": depth}


@step
def look() -> Annotated[int, "report"]:
    tree = get_step_context().model.load_artifact("tree")
    return int(tree["depth"]) * 100


@pipeline(model=Model("digits", tags=["mine"], metadata={"license": "MIT"}))
def training(depth: int = 3) -> None:
    trained = train(depth)
    look(after=trained)  # type: ignore[call-arg]


@pipeline(model=Model("digits", version=ModelStages.PRODUCTION))
def inference() -> None:
    look()


def test_what_a_run_makes_belongs_to_a_new_version() -> None:
    run = training()
    model = Client().get_model_version("digits")
    assert (model.model, model.number, model.tags) == ("digits", 1, ("mine",))
    assert set(model.artifacts) == {"tree", "report"}
    assert model.load_artifact("tree") == {"depth": 3}
    assert model.metadata == {"license": "MIT", "accuracy": 0.3}
    assert [each.id for each in model.runs] == [run.id]
    assert model.load()["model"] == "digits"


def test_each_run_that_executes_something_makes_a_version() -> None:
    training(3)
    training(4)
    assert [each.load_artifact("report") for each in Client().list_model_versions("digits")] == [300, 400]


def test_a_run_that_reuses_everything_makes_none() -> None:
    training(3)
    training(4)
    again = training(4)
    assert all(each.cached for each in again.steps.values())
    assert [each.number for each in Client().list_model_versions("digits")] == [1, 2]
    assert Client().get_model_version("digits").runs[0].id == again.id
    older = training(3)
    assert [each.number for each in Client().list_model_versions("digits")] == [1, 2]
    model = Client().get_model_version("digits")
    assert (model.number, model.metadata["accuracy"]) == (1, 0.3), "it was made again, so it is the newest again"
    assert [each.id for each in model.runs][:1] == [older.id]
    assert Client().get_model_version("digits", 2).metadata["accuracy"] == 0.4


def test_a_run_that_reuses_some_of_it_goes_on_with_the_version_that_has_nothing_else() -> None:
    @pipeline(model=Model("digits"))
    def trains(depth: int = 3) -> None:
        train(depth)

    trains()
    training()  # the same tree, with a report
    training(4)
    trains()
    assert Client().get_model_version("digits").number == 1
    training()
    assert Client().get_model_version("digits").number == 2
    assert len(Client().list_model_versions("digits")) == 3


def test_a_run_that_fails_makes_none_and_the_one_that_goes_on_has_all() -> None:
    @step
    def check(tree: dict[str, int]) -> Annotated[str, "checked"]:
        if not Path("mended").exists():
            raise RuntimeError("not yet")
        return f"depth {tree['depth']}"

    @pipeline(model=Model("digits"))
    def checked(depth: int = 3) -> None:
        check(train(depth))

    with pytest.raises(PipelineError):
        checked()
    with pytest.raises(UnknownName):
        Client().get_model_version("digits")
    Path("mended").touch()
    run = checked()
    assert run.steps["train"].cached
    [model] = Client().list_model_versions("digits")
    assert (set(model.artifacts), model.metadata) == ({"tree", "checked"}, {"accuracy": 0.3})
    assert checked.with_options(run_all=True)().steps["check"].status == "completed"
    assert len(Client().list_model_versions("digits")) == 1, "it made again what belongs to it"


def test_a_version_in_a_stage_is_worked_on_by_its_name() -> None:
    training(3)
    Client().promote("digits", "production", reason="it is the only one")
    training(4)
    run = inference()
    assert run.steps["look"].output.load() == 300
    assert inference().steps["look"].cached
    assert len(Client().get_model_version("digits", "production").runs) == 3
    Client().promote("digits", "production", 2)
    moved = inference().steps["look"]
    assert moved.output.load() == 400


def test_a_version_that_there_is_none_of_is_said_before_anything_runs() -> None:
    with pytest.raises(UnknownName, match="There is no model 'digits'"):
        inference()
    training()
    with pytest.raises(UnknownName, match="'models/digits' has no version 'production'; it has 1"):
        inference()
    with pytest.raises(UnknownName, match="has no version '7'; it has 1"):
        training.with_options(model=Model("digits", version=7))()


def test_an_explicit_version_is_made_once() -> None:
    named = training.with_options(model=Model("digits", version="spring"))
    named(3)
    named(4)
    [model] = Client().list_model_versions("digits")
    assert (model.version, model.load_artifact("tree")) == ("spring", {"depth": 4})
    assert model.get_artifact("tree", 1).load() == {"depth": 3}


def test_a_step_may_have_a_model_of_its_own() -> None:
    @pipeline(model=Model("one"))
    def two_models() -> None:
        train(1)
        train.with_options(model=Model("other"))(2)

    run = two_models()
    assert Client().get_model_version("one").load_artifact("tree") == {"depth": 1}
    assert Client().get_model_version("other").load_artifact("tree") == {"depth": 2}
    assert {each.name for each in run.record.models} == {"models/one", "models/other"}


def test_what_a_step_saves_belongs_to_its_model_too() -> None:
    @step
    def saving() -> None:
        save_artifact([1, 2], "by_the_way")

    @pipeline(model=Model("digits"))
    def saves() -> None:
        saving()

    saves()
    assert Client().get_model_version("digits").load_artifact("by_the_way") == [1, 2]


def test_a_step_that_asks_for_the_number_is_not_reused_for_another() -> None:
    @step
    def number() -> Annotated[int, "number"]:
        return get_step_context().model.number

    @pipeline(model=Model("digits"))
    def asks() -> None:
        number()

    assert [asks().steps["number"].output.load() for _ in range(2)] == [1, 2]


def test_what_belongs_to_a_model_is_not_deleted_while_the_model_is_there() -> None:
    run = training()
    Client().delete_pipeline_run(run.id)
    with pytest.raises(InUse, match="tree@1 belongs to models/digits@1; delete that first"):
        Client().delete_artifact_version("tree", 1)
    repository = Repository.discover()
    assert [row.version.name for row in delete.prune(repository)] == ["models/digits"]
    assert {row.version.name for row in delete.prune(repository)} == {"tree", "report"}
    assert not list(fsck(repository.layout.folder))


def test_what_is_in_a_stage_stays_with_all_that_belongs_to_it() -> None:
    run = training()
    Client().promote("digits", "production")
    Client().delete_pipeline_run(run.id)
    repository = Repository.discover()
    assert delete.prune(repository) == []
    gc.collect(repository)
    assert Client().get_model_version("digits", "production").load_artifact("tree") == {"depth": 3}


def test_what_is_not_there_is_said() -> None:
    training()
    model = Client().get_model_version("digits")
    with pytest.raises(UnknownName, match=r"No artifact 'tre' belongs to models/digits@1 \(did you mean 'tree'\?\)"):
        model.get_artifact("tre")
    with pytest.raises(UnknownName, match="No version 9 of 'tree' belongs to models/digits@1"):
        model.get_artifact("tree", 9)
    with pytest.raises(UnknownName, match=r"no artifact named 'digit' \(did you mean 'digits'\?\)"):
        Client().get_artifact_version("digit")
    with pytest.raises(UnknownName, match=r"no model 'digit' \(did you mean 'digits'\?\)"):
        Client().get_model_version("digit")


def test_a_step_without_a_model_says_so() -> None:
    @pipeline
    def none() -> None:
        look()

    with pytest.raises(PipelineError, match="The step 'look' has no model; give it or its pipeline one"):
        none()


@pytest.mark.parametrize("name", ["", "a/b", "../../etc", "x@1", "a\x1b[31m"])
def test_a_name_like_a_path_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        Model(name)


def test_other_impossible_models_are_refused() -> None:
    with pytest.raises(DefinitionError):
        Model("x", version=0)
    with pytest.raises(DefinitionError):
        Model(3)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError):
        training.with_options(model=Model("x", version="{nothing}"))()


def test_the_plan_knows_what_a_step_would_be_told_of_its_model(project: Path) -> None:
    training(3)
    assert {each.action for each in training.plan(3)} == {"reuse"}
    Client().promote("digits", "production")
    inference()
    assert [each.action for each in inference.plan()] == ["reuse"]


def test_a_step_can_take_what_belongs_to_its_model_as_an_input() -> None:
    @step
    def use(tree: dict[str, int]) -> Annotated[int, "used"]:
        return tree["depth"] + 1

    @pipeline(model=Model("digits"))
    def both(depth: int = 3) -> None:
        made = train(depth)
        use(ModelArtifact("tree"), after=made)  # type: ignore[call-arg, arg-type]

    assert both().steps["use"].output.load() == 4
    assert both(5).steps["use"].output.load() == 6
    assert both(5).steps["use"].cached
    assert {each.action for each in both.plan(5)} == {"reuse"}

    @pipeline
    def without() -> None:
        use(ModelArtifact("tree"))  # type: ignore[arg-type]

    with pytest.raises(PipelineError, match="takes 'tree' of its model, but has none"):
        without()


def test_what_is_said_in_extra_is_found_by_steps_and_counts() -> None:
    @step
    def tell() -> Annotated[str, "told"]:
        return str(get_step_context().extra["team"])

    @pipeline(extra={"team": "a"})
    def telling() -> None:
        tell()

    assert telling().steps["tell"].output.load() == "a"
    assert telling().steps["tell"].cached
    assert telling.with_options(extra={"team": "b"})().steps["tell"].output.load() == "b"


def test_tags_are_added_and_taken_away() -> None:
    run = training()
    add_tags("good", "small", artifact="tree", version=1)
    remove_tags("good", artifact="tree")
    assert Client().get_artifact_version("tree").tags == ("small",)
    add_tags("nightly", run=run.id)
    assert Client().get_pipeline_run(run.id).tags == ("nightly",)
    remove_tags("nightly", "none", run="training")
    assert Client().get_pipeline_run(run.id).tags == ()
    with pytest.raises(PipelineError, match="name one of them"):
        add_tags("x")
