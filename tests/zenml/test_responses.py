"""What the Client's answers say of themselves, in ZenML's words: ids, facts, versions, steps, runs and models."""

from __future__ import annotations

import copy
import json
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
from artvcs.zenml.models import (  # type: ignore[import-not-found]
    ArtifactVersionResponse,
    PipelineRunResponse,
    StepRunResponse,
)

from artvcs import log_metadata as log_natively
from artvcs.vcs import UnknownName
from artvcs.zenml import (
    ArtifactConfig,
    ExternalArtifact,
    Model,
    add_tags,
    get_pipeline_context,
    get_step_context,
    load_artifact,
    log_metadata,
    pipeline,
    save_artifact,
    step,
)
from artvcs.zenml._names.absent import NotHere
from artvcs.zenml.client import Client
from artvcs.zenml.enums import ArtifactSaveType, ArtifactType, ExecutionStatus
from artvcs.zenml.exceptions import EntityExistsError, StepInterfaceError

pytestmark = pytest.mark.usefixtures("project")


def test_an_id_leads_back_to_its_version_also_where_another_name_has_the_same_value() -> None:
    first, second = save_artifact(33, "first"), save_artifact(33, "second")
    assert isinstance(first.id, UUID)
    assert first.id != second.id
    for each in (first, second):
        assert (
            Client().get_artifact_version(each.id).name == Client().get_artifact_version(str(each.id)).name == each.name
        )
        assert load_artifact(str(each.id)) == 33
    log_metadata({"k": 1}, artifact_version_id=second.id)  # type: ignore[arg-type]
    add_tags(["t"], artifact_version_id=second.id)
    assert [dict(Client().get_artifact_version(name).run_metadata).get("k") for name in ("first", "second")] == [
        None,
        1,
    ]
    assert [Client().get_artifact_version(name).tags for name in ("first", "second")] == [(), ("t",)]
    only = save_artifact(34, "only")
    assert (
        Client().get_artifact_version(only.content_hash).id == only.id
    )  # the artifact's own id, copied from elsewhere


@step
def show(x: Any) -> Annotated[str, "shown"]:
    return repr(x)


def test_an_id_is_taken_by_a_pipeline_and_in_a_step() -> None:
    save_artifact(41, "before")
    version = save_artifact(41, "meant")

    @step
    def ask(id_: str) -> str:
        log_metadata({"asked": True}, artifact_version_id=id_)
        return str(Client().get_artifact_version(id_).name)

    @pipeline
    def asking(id_: str) -> None:
        show(Client().get_artifact_version(id_), id="lazy")
        show(ExternalArtifact(id=id_), id="by_id")
        show(ExternalArtifact(name="meant", version=1), id="by_name")
        show(version, id="itself")
        ask(id_)

    run = asking(str(version.id))
    assert run.steps["ask"].output.load() == "meant"
    for name in ("lazy", "by_id", "by_name", "itself"):
        [taken] = run.steps[name].inputs["x"]
        assert (taken.name, run.steps[name].output.load()) == ("meant", "41")
    assert Client().get_artifact_version("meant").run_metadata["asked"] is True
    assert "asked" not in Client().get_artifact_version("before").run_metadata


def test_a_fact_is_what_it_is_and_has_a_value_besides() -> None:
    facts = {"f": 0.5, "i": 2, "s": "text", "l": [1, [2]], "d": {"a": 1}, "yes": True, "no": None}
    noted = save_artifact(0, "noted", user_metadata=facts).run_metadata
    noted = {name: noted[name] for name in facts}
    assert noted == facts
    for name in ("f", "i", "s", "l", "d"):
        assert noted[name].value == facts[name]
        assert isinstance(noted[name], type(facts[name]))
        assert type(noted[name].value) is type(pickle.loads(pickle.dumps(noted[name]))) is type(facts[name])
        assert type(copy.deepcopy(noted[name])) is type(facts[name])
    assert json.dumps(noted) == json.dumps(facts)
    assert noted["yes"] is True  # these can be nothing else, and have no .value
    assert noted["no"] is None


def test_a_fact_is_stored_as_any_other_value() -> None:
    best = save_artifact(1, "best", tags=["good"], user_metadata={"score": 0.5})

    @step
    def fact(score: float) -> Annotated[float, "score"]:
        return float(score) and Client().get_artifact_version("best").run_metadata["score"]

    @step
    def several() -> Annotated[dict[str, Any], "several"]:
        found = Client().get_artifact_version("best")
        return {"scores": [found.run_metadata["score"]], "tags": found.tags, "type": {found.data_type}}

    @pipeline
    def keeping(score: float) -> None:
        fact(score)
        fact(best.run_metadata["score"])
        several()

    run = keeping(best.run_metadata["score"])
    assert run.steps["fact"].parameters == run.steps["fact_2"].parameters == {"score": 0.5}
    assert run.steps["fact"].output.content_hash == save_artifact(0.5, "plain").content_hash
    assert run.steps["several"].output.content_hash == save_artifact(
        {"scores": [0.5], "tags": ("good",), "type": {"builtins.int"}}, "plain"
    ).content_hash  # fmt: skip
    assert save_artifact(best.run_metadata["score"], "plain").content_hash == save_artifact(0.5, "plain").content_hash


@step
def one(start: int = 1) -> Annotated[int, "first"]:
    """Makes a number."""
    log_metadata({"seconds": 1})
    log_metadata({"rows": 3}, infer_artifact=True)
    return start


@step
def two(x: int) -> tuple[Annotated[int, "a"], Annotated[str, "b"]]:
    return x + 1, "s"


@pipeline(tags=["nightly"])
def counting(start: int = 1) -> None:
    two(one(start))


def test_an_artifact_version() -> None:
    run = counting()
    version = run.steps["one"].outputs["first"]
    assert isinstance(version, ArtifactVersionResponse)
    assert (version.type, str(version.data_type), version.data_type.import_path) == (
        ArtifactType.DATA, "builtins.int", "builtins.int",
    )  # fmt: skip
    assert version.run_metadata["rows"] == 3
    assert "seconds" not in version.run_metadata  # that is noted of the step
    assert version.artifact.name == "first"
    assert version.artifact.has_custom_name
    assert list(version.artifact.versions) == ["1"]
    assert (version.step.name, version.run.id, version.save_type) == ("one", run.id, ArtifactSaveType.STEP_OUTPUT)
    assert (version.producer_pipeline_run_id, version.producer_step_run_id) == (run.id, run.steps["one"].id)
    assert len(version.visualizations) == len(list(version.visualizations)) == len(version.visualizations()) > 0
    assert [each.load() for each in version] == [version[0].load()] == [1]
    assert version.get_hydrated_version().model_dump()["name"] == "first"
    assert json.loads(version.model_dump_json())["version"] == "1"
    version.download_files("first.zip")
    assert zipfile.ZipFile("first.zip").namelist()
    with pytest.raises(FileExistsError, match="is there already; pass overwrite=True"):
        version.download_files("first.zip")
    with pytest.raises(NotHere, match=r"An artifact version has no uri here; its files are packed"):
        _ = version.uri
    with pytest.raises(AttributeError, match="An artifact version has no attribute 'nam' \\(did you mean 'name'"):
        _ = version.nam


def test_a_step() -> None:
    run = counting()
    first, second = run.steps["one"], run.steps["two"]
    assert isinstance(second, StepRunResponse)
    assert second.inputs["x"][0].load() == second.input.load() == second.regular_inputs["x"].load() == 1
    assert first.start_time <= first.end_time <= second.end_time
    assert (second.pipeline_run_id, second.parent_step_ids, second.spec.upstream_steps) == (run.id, [first.id], ["one"])
    assert first.docstring == "Makes a number."
    assert "def one(" in first.source_code
    assert isinstance(first.cache_key, str)
    assert first.config.parameters == {"start": 1}
    assert Client().get_run_step(first.id).name == "one"
    with pytest.raises(ValueError, match=r"The step 'two' has 2 outputs; choose one from \.outputs"):
        _ = second.output
    with pytest.raises(NotHere, match=r"A step has no log_collection here; \.logs is what it printed"):
        _ = first.log_collection
    with pytest.raises(NotHere, match=r"config\.extra of step one is not recorded here; make it a parameter"):
        _ = first.config.extra


def test_a_run() -> None:
    counting(0)
    run = counting()
    assert isinstance(run, PipelineRunResponse)
    assert (run.created, run.in_progress, run.index) == (run.start_time, False, 2)
    assert run.updated == run.end_time
    assert run.user.name
    assert (run.stack.name, run.schedule, run.model_version) == ("default", None, None)
    assert sorted(each.name for each in run.artifact_versions) == ["a", "b", "first"]
    assert sorted(each.name for each in run.produced_artifact_versions) == ["a", "b", "first"]
    assert [tag.name for tag in run.tags] == ["nightly"]
    assert run.get_hydrated_version().name == run.model_dump()["name"] == run.name
    assert run.client_environment["python_version"].startswith("3.")
    with pytest.raises(NotHere, match=r"A run has no snapshot here; \.record\.git says at which commit it ran"):
        _ = run.snapshot


def test_a_pipeline_is_registered_once_it_has_run() -> None:
    with pytest.raises(RuntimeError, match="There is no run of a pipeline 'counting'"):
        _ = counting.model
    counting(0)
    last = counting(1)
    for found in (counting.model, Client().get_pipeline("counting"), Client().get_pipeline("counting").model):
        assert found.last_run.id == found.last_successful_run.id == found.latest_run_id == found.runs[0].id == last.id
        assert [run.id for run in found.get_runs(size=1)] == [last.id]
        assert (found.num_runs, found.latest_run_status) == (2, ExecutionStatus.COMPLETED)
    assert [each.name for each in Client().list_pipelines()] == ["counting"]
    assert [each.name for each in Client().list_run_steps(pipeline_run_id=last.id)] == ["one", "two"]
    assert len(Client().list_run_steps(name="two")) == 2


@pipeline(model=Model("numbers", license="MIT", description="Counted."))
def modelled() -> None:
    one()


def test_a_model_and_what_belongs_to_it() -> None:
    run = modelled()
    model, version = Client().get_model("numbers"), Client().get_model_version("numbers")
    assert (model.license, model.description, version.description) == ("MIT", "Counted.", "Counted.")
    assert run.model_version.id == version.id
    assert [each.id for each in Client().list_model_versions(model)] == [version.id]
    assert [each.id for each in Client().list_model_versions()] == [version.id]
    assert run.config.model.name == "numbers"
    assert version.data_artifacts["first"]["1"].load() == 1
    assert version.data_artifact_ids["first"]["1"] == Client().get_artifact_version("first").id
    assert version.model_artifacts == {}
    assert version.pipeline_run_ids == {run.name: run.id}
    assert Client().get_model_version("numbers", version.id).number == 1
    assert Client().get_model_version(model_version_name_or_number_or_id=version.id).number == 1
    [link] = Client().list_model_version_artifact_links(version.id)
    assert link.artifact_version.name == "first"
    here = Model("numbers", version=1)
    assert (here.id, here.stage, here.license, here.model_dump()["version"]) == (version.id, None, None, 1)
    with pytest.raises(NotHere, match="is not taken from it; `art rm first` deletes what nothing needs"):
        here.delete_artifact("first")
    Client().update_model("numbers", license="BSD", add_tags=["good"])
    assert (Client().get_model("numbers").license, Client().get_model("numbers").tags) == ("BSD", ("good",))


def test_a_version_of_a_model_that_is_made_by_hand() -> None:
    Client().create_model("by hand")
    with pytest.raises(KeyError, match="There is no model 'by hand' yet: it is there with its first version"):
        Client().get_model("by hand")
    made = Client().create_model_version("by hand", name="spring", description="d", tags=["new"])
    assert (made.name, made.number, made.description, made.tags) == ("spring", 1, "d", ("new",))
    with pytest.raises(EntityExistsError, match="The model 'by hand' has a version 'spring'"):
        Client().create_model_version("by hand", name="spring")
    with pytest.raises(EntityExistsError, match="There is a model 'by hand' already"):
        Client().create_model("by hand")
    Client().delete_model("by hand")
    assert Client().list_models() == []


def test_a_pipeline_takes_what_belongs_to_a_version_of_another_model() -> None:
    modelled()

    @pipeline(model=Model("others"))
    def taking() -> None:
        version = Client().get_model_version("numbers", "1")
        show(version.get_artifact("first"), id="artifact")
        show(version.run_metadata["license"], id="fact")
        show(Client().get_artifact_version("first").run_metadata["rows"], id="rows")

    run = taking()
    assert [run.steps[name].output.load() for name in ("artifact", "fact", "rows")] == ["1", "'MIT'", "3"]


def test_what_is_noted_of_the_own_model_is_looked_up_when_a_step_begins() -> None:
    @step
    def measure(accuracy: float) -> Annotated[int, "measured"]:
        log_metadata({"accuracy": accuracy}, infer_model=True)
        log_metadata({"rows": 7}, infer_artifact=True)
        return 1

    @pipeline(model=Model("measured_model"))
    def measuring(accuracy: float) -> None:
        measure(accuracy)
        model = get_pipeline_context().model
        show(model.run_metadata["accuracy"], after="measure", id="fact")
        show(model.get_artifact("measured").run_metadata["rows"], after="measure", id="rows")

    assert [measuring(0.5).steps[name].output.load() for name in ("fact", "rows")] == ["0.5", "7"]
    assert measuring(0.25).steps["fact"].output.load() == "0.25"

    @pipeline(model=Model("measured_model"))
    def asking() -> None:
        show(get_pipeline_context().model.run_metadata["accurracy"])

    with pytest.raises(RuntimeError, match="no 'accurracy' is noted of models/measured_model; it has nothing, so far"):
        asking()


def test_a_step_looks_at_what_it_takes_and_makes() -> None:
    @step
    def look(x: int) -> Annotated[dict[str, Any], "looked"]:
        here = get_step_context()
        here.add_output_tags(["good", "bad"])
        here.remove_output_tags(["bad"])
        here.add_output_metadata({"n": 1})
        with pytest.raises(AttributeError, match="An output has no uri here: its files are packed"):
            here.get_output_artifact_uri()
        with pytest.raises(AttributeError, match="no pipeline_state here, for what on_init returns is not kept"):
            _ = here.pipeline_state
        return {
            "x": here.inputs["x"][0].name, "tags": here.get_output_tags(), "noted": here.get_output_metadata(),
            "writer": here.get_output_materializer() is not None, "cache": here.step_run.config.enable_cache,
        }  # fmt: skip

    @pipeline(enable_cache=False)
    def looking() -> None:
        look(one())

    made = looking().steps["look"].output
    assert made.load() == {"x": "first", "tags": ["good"], "noted": {"n": 1}, "writer": True, "cache": False}
    assert (made.tags, made.run_metadata["n"]) == (("good",), 1)


def test_what_zenml_raises_is_raised() -> None:
    @step
    def fails() -> None:
        raise ZeroDivisionError

    @pipeline
    def failing() -> None:
        fails()

    with pytest.raises(RuntimeError, match="Step 'fails' failed"):
        failing()

    @pipeline
    def misspelt() -> None:
        one(begin=1)

    with pytest.raises(StepInterfaceError, match="has no input 'begin'"):
        misspelt()
    save_artifact(1, "labelled", version="spring")
    with pytest.raises(EntityExistsError, match="has a version 'spring' already"):
        save_artifact(2, "labelled", version="spring")
    with pytest.raises(FileNotFoundError, match=r"There is no file 'nothing\.yaml'"):
        counting.with_options(config_path="nothing.yaml")


def test_tags_are_listed_and_versions_deleted() -> None:
    save_artifact(1, "loose", tags=["a"])
    save_artifact(2, "loose", tags=["a", "b"])
    Client().create_tag("c")
    assert [(tag.name, tag.tagged_count) for tag in Client().list_tags()] == [("a", 2), ("b", 1)]
    assert Client().get_tag("b").name == "b"
    with pytest.raises(KeyError, match="Nothing has the tag 'c'"):
        Client().get_tag("c")
    with pytest.raises(AttributeError, match="A pipeline has no tags of its own here, its runs have"):
        add_tags(["x"], pipeline="counting")
    newest = Client().list_artifact_versions("loose", sort_by="desc:version_number", type=ArtifactType.DATA)
    assert [each.number for each in newest] == [2, 1]
    Client().delete_artifact_version(name_id_or_prefix=newest[0].id)
    assert [each.number for each in Client().list_artifact_versions("loose")] == [1]
    Client().delete_artifact("loose")
    assert Client().list_artifacts() == []
    assert Client().active_user.name


@step
async def wait() -> Annotated[int, "waited"]:
    return 1


def test_a_step_may_be_async(project: Path) -> None:
    @pipeline
    def waiting() -> None:
        show(wait())

    assert waiting().steps["show"].output.load() == "1"


def test_natively_noted_facts_are_the_same() -> None:
    version = save_artifact(1, "n")
    log_natively({"k": 0.5}, artifact_name="n")
    assert Client().get_artifact_version(version.id).run_metadata["k"].value == 0.5


def test_extra_is_what_the_pipeline_says_or_what_the_step_says_on_top() -> None:
    @step(extra={"a": 2, "b": 3})
    def ask() -> Annotated[list[dict[str, int]], "asked"]:
        here = get_step_context()
        return [dict(here.pipeline_run.config.extra), dict(here.step_run.config.extra)]

    @pipeline(extra={"a": 1})
    def asking() -> None:
        ask()

    assert asking().steps["ask"].output.load() == [{"a": 1}, {"a": 2, "b": 3}]


def test_a_notebook_shows_all_of_them() -> None:
    run = counting()
    modelled()
    client = Client()
    for shown in (
        run, run.steps, run.steps["two"], run.steps["two"].inputs, run.steps["two"].outputs,
        run.steps["one"].output, run.steps["one"].output.visualizations,
        client.list_run_steps(), client.list_pipelines(), client.list_tags(), client.get_pipeline("counting"),
    ):  # fmt: skip
        page = shown._repr_html_()
        assert page
        assert "Not to be shown" not in page
        assert "AttributeError" not in page


def test_what_is_said_to_be_a_model_is_one() -> None:
    @step
    def fit() -> tuple[
        Annotated[dict[str, int], ArtifactConfig(name="weights", artifact_type=ArtifactType.MODEL)],
        Annotated[dict[str, int], ArtifactConfig(name="older", is_model_artifact=True)],
        Annotated[dict[str, int], "report"],
    ]:
        return {"a": 1}, {"a": 2}, {"a": 3}

    @pipeline(model=Model("fitted"))
    def fitting() -> None:
        fit()

    run = fitting()
    assert [each.type for each in run.steps["fit"].outputs.values()] == [
        ArtifactType.MODEL, ArtifactType.MODEL, ArtifactType.DATA,
    ]  # fmt: skip
    version = Client().get_model_version("fitted")
    assert sorted(version.model_artifacts) == ["older", "weights"]
    assert list(version.data_artifacts) == ["report"]
    assert "artifact_type" not in version.model_artifacts["weights"]["1"].run_metadata
    assert save_artifact(1, "by_hand", artifact_type=ArtifactType.SERVICE).type == ArtifactType.SERVICE


def test_what_only_asks_needs_no_repository_and_makes_none(project: Path) -> None:
    shutil.rmtree(project / ".artifacts")
    Client().create_model("prices")
    assert not (project / ".artifacts").exists()

    @pipeline
    def taking() -> None:
        show(Client().get_artifact_version("nothing"))

    with pytest.raises(UnknownName, match="There is no artifact named 'nothing'"):
        taking()
