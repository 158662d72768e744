"""ZenML's first API: pipelines that are given their steps, steps with parameters of a class."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.errors import DefinitionError, IgnoredSetting
from artvcs.zenml.environment import Environment
from artvcs.zenml.materializers import BuiltInMaterializer
from artvcs.zenml.materializers.base_materializer import BaseMaterializer
from artvcs.zenml.pipelines import BasePipeline, pipeline
from artvcs.zenml.post_execution import get_pipeline, get_pipelines
from artvcs.zenml.repository import Repository
from artvcs.zenml.steps import STEP_ENVIRONMENT_NAME, BaseParameters, BaseStep, Output, StepContext, step
from artvcs.zenml.types import HTMLString

pytestmark = pytest.mark.usefixtures("project")


class Parameters(BaseParameters):  # type: ignore[misc, valid-type]
    rows: int = 2


@step
def importer(params: Parameters) -> Output(first=int, rest=list):  # type: ignore[valid-type]
    return 1, list(range(params.rows))


@step
def page(first: int, rest: list) -> HTMLString:  # type: ignore[type-arg]
    return HTMLString(f"<p>{first} and {rest}</p>")


@pipeline
def first_api(get_data: Any, show_data: Any) -> None:
    first, rest = get_data()
    show_data(first, rest)


def test_the_first_api() -> None:
    run = first_api(get_data=importer(Parameters(rows=3)), show_data=page).run(run_name="old-{date}-{time}")
    assert run.steps["show_data"].output.load() == "<p>1 and [0, 1, 2]</p>"
    assert run.name.startswith("old-")
    assert [each.id for each in first_api.get_runs()] == [first_api.last_run.id] == [run.id]
    by_default = first_api(importer, page).run()
    assert by_default.steps["get_data"].outputs["rest"].load() == [0, 1]


class OldParameters(BaseParameters):  # type: ignore[misc, valid-type]
    model = "XGB"  # without an annotation, as the pydantic of that time had it
    rows = 3
    ratio: float = 0.5


@step
def old_importer() -> Output(first=int, second=int):  # type: ignore[valid-type]
    return 1, 2


@step
def old_trainer(first: int, second: int, params: OldParameters) -> str:
    return f"{params.model} of {first + second + params.rows}"


@pipeline
def old_pipeline(importer: Any, trainer: Any) -> None:
    first, second = importer()
    trainer(first, second)


def test_parameters_come_last_or_as_a_class_without_annotations() -> None:
    run = old_pipeline(importer=old_importer(), trainer=old_trainer(OldParameters(model="tree"))).run()
    assert run.steps["trainer"].output.load() == "tree of 6"


class Rate(BaseParameters):  # type: ignore[misc, valid-type]
    rate: int = 2
    depth: int = 1


@step
def numbers() -> int:
    return 10


@step
def first_params(params: Rate, x: int) -> int:
    return x * params.rate + params.depth


@step
def told_where(context: StepContext, x: int, params: Rate) -> str:
    return f"{context.step_name} of {context.pipeline_name}: {x * params.rate}"


@pipeline
def chain(importer: Any, trainer: Any) -> None:
    trainer(importer())


def test_parameters_are_no_input_that_is_given_by_its_place() -> None:
    given = (first_params(), first_params(Rate(rate=3)), first_params(params=Rate(rate=4)))
    runs = [chain(importer=numbers(), trainer=trainer).run() for trainer in given]
    assert [run.get_step("trainer").output.read() for run in runs] == [21, 31, 41]


def test_a_step_that_takes_a_context_is_given_where_it_stands() -> None:
    run = chain(numbers(), told_where(Rate(rate=3))).run()
    assert run.get_step("trainer").output.read() == "trainer of chain: 30"
    assert chain(numbers(), told_where(Rate(rate=3))).run().get_step("trainer").status == "cached"


def test_steps_are_called_as_the_pipeline_calls_them(project: Path) -> None:
    (project / "conf.yaml").write_text("steps: {trainer: {parameters: {depth: 5}}}\n")
    connected = chain(numbers(), first_params(Rate(rate=3)))
    run = connected.run(config_path="conf.yaml", run_name="configured")
    assert [*run.steps] == ["importer", "trainer"]
    assert run.steps["trainer"].output.load() == 35
    assert run.steps["trainer"].output.name == "chain::trainer::output"
    assert connected.with_config("conf.yaml").run().steps["trainer"].output.load() == 35
    assert Path(str(connected.file)).name == Path(__file__).name
    twice = chain(numbers(), first_params()).run()
    assert get_pipeline("chain").runs[0].id == Repository().get_pipeline(pipeline_name="chain").runs[0].id == twice.id
    assert [each.name for each in get_pipelines()] == ["chain"]
    with pytest.raises(DefinitionError, match="The pipeline 'chain' cannot be given these steps: missing a required"):
        chain(numbers())


class Plus(BaseStep):
    def entrypoint(self, k: int, params: Rate) -> int:
        return self.more(k) + params.rate

    def more(self, k: int) -> int:
        return k + 1


class Chain(BasePipeline):
    def connect(self, a: Any, b: Any) -> None:
        b(a())


def test_steps_and_pipelines_that_are_classes() -> None:
    run = Chain(a=numbers(), b=Plus(params=Rate(rate=5))).run()
    assert run.pipeline.name == "Chain"
    assert run.steps["b"].output.load() == 16
    assert Chain(numbers(), Plus()).run(run_name="again").steps["b"].output.load() == 13
    assert Chain(numbers(), Plus()).run().steps["b"].status == "cached"
    with pytest.raises(DefinitionError, match="BaseStep has no entrypoint; write one"):
        BaseStep()
    with pytest.raises(DefinitionError, match="BasePipeline has no connect; write one"):
        BasePipeline()


def test_a_step_waits_for_another(caplog: pytest.LogCaptureFixture) -> None:
    @pipeline
    def waiting(a: Any, b: Any) -> None:
        b()
        a()
        b.after(a)

    with caplog.at_level("INFO", "artvcs"):
        waiting(numbers(), asks()).run()
    assert [message for message in caplog.messages if message.endswith("begins")] == ["a begins", "b begins"]
    with pytest.raises(DefinitionError, match=r"numbers\.after\(first_params\) stands below the calls of both"):
        numbers.after(first_params)


class Grid:
    def __init__(self, cells: str) -> None:
        self.cells = cells


class GridMaterializer(BaseMaterializer):
    ASSOCIATED_TYPES = (Grid,)

    def handle_input(self, data_type: type[Any]) -> Grid:
        super().handle_input(data_type)
        return Grid(Path(self.artifact.uri, "grid").read_text())

    def handle_return(self, data: Grid) -> None:
        super().handle_return(data)
        with self.get_temporary_directory(delete_at_exit=True) as folder:
            Path(folder, "grid").write_text(data.cells)
            self.artifact_store.copy(os.path.join(folder, "grid"), os.path.join(self.uri, "grid"))
        assert not os.path.exists(folder)
        assert os.path.isdir(self.get_temporary_directory())


@step
def grid() -> Grid:
    return Grid("cells")


@step
def cells(grid: Grid) -> str:
    return grid.cells


def test_materializers_by_their_old_names() -> None:
    run = chain(grid().with_return_materializers(GridMaterializer), cells()).run()
    assert run.steps["trainer"].output.load() == "cells"
    assert chain(numbers().with_return_materializers(BuiltInMaterializer), first_params()).run()


@step
def asks() -> str:
    assert Environment().step_is_running
    return str(Environment()[STEP_ENVIRONMENT_NAME].step_name)


def test_a_step_asks_its_environment() -> None:
    @pipeline
    def asking(one: Any) -> None:
        one()

    assert asking(asks()).run().steps["one"].output.load() == "one"
    assert not Environment().step_is_running
    with pytest.raises(KeyError, match="There is no environment"):
        Environment()[STEP_ENVIRONMENT_NAME]


def test_what_is_in_containers_is_passed_over() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IgnoredSetting)

        @pipeline(
            requirements=["x"], requirements_file="r.txt", required_integrations=["sklearn"], dockerignore_file="d"
        )
        def contained(one: Any) -> None:
            one()

        run = contained(step(custom_step_operator="vertex", output_types=None)(asks.function)()).run()
    assert run.steps["one"].output.load() == "one"
