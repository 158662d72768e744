"""Configuration files: parameters and options that are not in the code, and what is wrong in them in one sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs import Client, get_step_context, pipeline, step
from artvcs.pipelines.errors import DefinitionError, IgnoredSetting, ParameterError, RunFailed
from artvcs.pipelines.history.views import PipelineRun
from artvcs.vcs import InvalidName, UnknownName

pytestmark = pytest.mark.usefixtures("project")


@step
def load(rows: int = 3) -> Annotated[list[int], "rows"]:
    return list(range(rows))


@step
def train(data: list[int], rate: float, kind: str = "tree") -> Annotated[dict[str, Any], "model"]:
    return {"of": len(data), "rate": rate, "kind": kind}


@pipeline
def training(rate: float = 0.1, kind: str = "tree") -> None:
    train(load(), rate, kind)


Configured = Callable[[str], PipelineRun]


@pytest.fixture
def configured(project: Path) -> Configured:
    """Runs the pipeline as a file says."""

    def run(text: str, **params: Any) -> PipelineRun:
        (project / "conf.yaml").write_text(text)
        found: PipelineRun = training.with_options(config_path="conf.yaml")(**params)
        return found

    return run


def model_of(run: PipelineRun) -> dict[str, Any]:
    found: dict[str, Any] = run.steps["train"].output.load()
    return found


FULL = """
run_name: "tuned-{date}-{time}"
enable_cache: true
tags: [nightly]
substitutions: {dataset: small}
parameters:
  rate: 1e-3
model:
  name: digits
  tags: [mine]
  license: MIT
steps:
  load:
    parameters:
      rows: 5
    enable_cache: false
  train:
    parameters: {kind: forest}
    retry: {max_retries: 2, delay: 0}
"""


def test_a_file_says_parameters_and_options(configured: Configured) -> None:
    run = configured(FULL)
    assert model_of(run) == {"of": 5, "rate": 0.001, "kind": "forest"}
    assert run.name.startswith("tuned-")
    assert run.tags == ("nightly",)
    assert dict(run.parameters) == {"rate": 0.001, "kind": "tree"}
    assert run.steps["train"].parameters == {"rate": 0.001, "kind": "forest"}
    model = Client().get_model_version("digits")
    assert (model.tags, model.metadata) == (("mine",), {"license": "MIT"})
    again = configured(FULL)
    assert [each.cached for each in again.steps.values()] == [False, True]


def test_a_file_says_how_a_step_goes_and_what_its_names_hold(project: Path) -> None:
    tries = []

    @step
    def flaky() -> Annotated[int, "made-{dataset}"]:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise ValueError("not yet")
        return get_step_context().extra["of"]  # type: ignore[no-any-return]

    @step
    def slow() -> None:
        time.sleep(5)

    @pipeline
    def going() -> None:
        flaky()
        slow()

    (project / "conf.yaml").write_text(
        "substitutions: {dataset: small}\n"
        "steps:\n"
        "  flaky: {retry: {max_retries: 2, delay: 0}, extra: {of: 7}, substitutions: {dataset: large}}\n"
        "  slow: {timeout: 0.1}\n"
    )
    with pytest.raises(RunFailed, match=r"slow.*0\.1 s"):
        going.with_options(config_path="conf.yaml")()
    assert len(tries) == 3
    assert Client().get_artifact_version("made-large").load() == 7


def test_what_is_said_in_the_call_goes_before_the_file(project: Path) -> None:
    (project / "conf.yaml").write_text("parameters: {rate: 0.5, kind: forest}")
    loaded = training.with_options(config_path="conf.yaml")
    assert model_of(loaded(rate=0.2)) == {"of": 3, "rate": 0.2, "kind": "forest"}
    assert model_of(loaded.with_options(parameters={"kind": "vine"})()) == {"of": 3, "rate": 0.5, "kind": "vine"}


def test_of_a_step_the_file_goes_before_what_the_pipeline_passes(configured: Configured) -> None:
    assert model_of(configured("steps: {train: {parameters: {rate: 7}}}"))["rate"] == 7.0


def test_one_use_of_a_step_is_meant_by_its_invocation(project: Path) -> None:
    @pipeline
    def twice() -> None:
        load()
        load()

    steps = {"load": {"parameters": {"rows": 1}}, "load_2": {"parameters": {"rows": 2}}}
    run = twice.with_options(steps=steps)()
    assert [len(each.output.load()) for each in run.steps.values()] == [1, 2]


def test_a_file_gives_what_the_code_leaves_out(project: Path) -> None:
    @pipeline
    def leaves_out(kind: str) -> None:
        train(load(), kind=kind)  # type: ignore[call-arg]

    with pytest.raises(ParameterError):
        leaves_out()  # type: ignore[call-arg]
    said = {"parameters": {"kind": "x"}, "steps": {"train": {"parameters": {"rate": 1}}}}
    (project / "conf.json").write_text(json.dumps(said))
    run = leaves_out.with_options(config_path=project / "conf.json")()  # type: ignore[call-arg]
    assert model_of(run) == {"of": 3, "rate": 1.0, "kind": "x"}


def test_parameters_of_a_step_take_the_place_of_its_defaults() -> None:
    more = load.with_options(parameters={"rows": 4})
    assert more() == [0, 1, 2, 3]
    assert more(1) == [0]

    @pipeline
    def of_more() -> None:
        more()

    assert len(of_more().steps["load"].output.load()) == 4


def test_a_step_that_calls_one_with_other_parameters_runs_again(project: Path, python: Any) -> None:
    code = """
import os
from artvcs import pipeline, step

@step
def inner(x: int = 1) -> int:
    return x

other = inner.with_options(parameters={"x": int(os.environ["NUMBER"])})

@step
def outer() -> int:
    return other()

@pipeline
def flow():
    outer()

run = flow()
print(run.steps["outer"].cached, run.steps["outer"].output.load())
"""
    (project / "nested.py").write_text(code)
    for number, expected in ((1, "False 1"), (1, "True 1"), (2, "False 2")):
        assert python("nested.py", NUMBER=str(number)).stdout.strip() == expected


def test_what_belongs_to_stacks_is_passed_over_with_one_warning(configured: Configured) -> None:
    text = """
settings: {docker: {requirements: [pandas]}}
steps:
  train:
    step_operator: vertex
    parameters: {rate: 2}
"""
    with pytest.warns(IgnoredSetting) as told:
        run = configured(text)
    assert model_of(run)["rate"] == 2
    [warning] = [each for each in told if each.category is IgnoredSetting]
    assert str(warning.message) == (
        "conf.yaml: 'settings', 'steps.train.step_operator' belong to stacks, of which there are none here, and are "
        "passed over."
    )


ALIASES = "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
"""Eleven lines that say more than thirty thousand million ones."""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps:\n\ttrain: {}\n", "conf.yaml, line 2: a line begins with a tab; indent with spaces."),
        ("paramters: {}", "conf.yaml: there is no 'paramters' (did you mean 'parameters'?); there is parameters, "),
        ("steps: {train: {paramters: {}}}", "conf.yaml: there is no 'steps.train.paramters' (did you mean "),
        ("steps: {trian: {}}", "conf.yaml: there is no step 'trian' (did you mean 'train'?); the pipeline has load, "),
        ("steps: {train: {parameters: {rat: 1}}}", "conf.yaml: the step 'train' has no input 'rat' (did you mean "),
        ("steps: {train: {parameters: {data: 1}}}", "conf.yaml: the input 'data' of step 'train' is an artifact in "),
        ("steps: {train: {parameters: {rate: much}}}", "The input 'rate' of step 'train' (conf.yaml) must be float, "),
        ("steps: [train]", "conf.yaml: steps is a list, not names with values; write `name: value` lines."),
        ("parameters: 3", "conf.yaml: parameters is a int, not names with values; write `name: value` lines."),
        ("parameters: {1: 2}", "conf.yaml: parameters has the name 1, which is no text; put it in quotes."),
        ("parameters: {rats: 1}", "The pipeline 'training' has no parameter 'rats' (did you mean 'rate'?); it has "),
        ("parameters: {rate: x}", "The parameter 'rate' of pipeline 'training' must be float, "),
        ("enable_cache: maybe", "conf.yaml: enable_cache is 'maybe'; give true or false."),
        ("tags: nightly", "conf.yaml: tags is 'nightly'; give a list of texts."),
        ("steps: {train: {timeout: soon}}", "conf.yaml: steps.train.timeout is 'soon'; give a number of seconds."),
        ("execution_mode: sometimes", "execution_mode='sometimes' is unknown; use "),
        ("substitutions: {year: 2026}", "conf.yaml: substitutions.year is 2026; give text, in quotes."),
        ("model: {version: 3}", "conf.yaml: model has no name; give it one."),
        ("model: {name: ../etc}", "The model name '../etc' contains '/'; choose another name."),
        ("rate: 1\nrate: 2\n", "conf.yaml, line 2: 'rate' stands here twice; mend it."),
        ("a: [1", "conf.yaml, line 1: "),
        ("a: &a [*a]", "conf.yaml, line 1: an alias stands for what it is in; mend it."),
        (ALIASES, "conf.yaml, line "),
        ("a: !!python/object/apply:os.system ['true']", "conf.yaml, line 1: could not determine a constructor"),
        ("just text", "conf.yaml is a str, not names with values; write `name: value` lines."),
        ("&a [*a]", "conf.yaml"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(configured: Configured, text: str, message: str) -> None:
    with pytest.raises((DefinitionError, ParameterError, InvalidName)) as told:
        configured(text)
    assert str(told.value).startswith(message) or message in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_not_there_or_no_text_is_said(project: Path) -> None:
    with pytest.raises(UnknownName, match=r"There is no file 'nothing\.yaml'; give the path of a YAML file"):
        training.with_options(config_path="nothing.yaml")
    (project / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DefinitionError, match=r"binary\.yaml cannot be read"):
        training.with_options(config_path="binary.yaml")
    with pytest.raises(DefinitionError, match="cannot be read"):
        training.with_options(config_path=project)


def test_an_empty_file_says_nothing(configured: Configured) -> None:
    assert model_of(configured("")) == {"of": 3, "rate": 0.1, "kind": "tree"}
