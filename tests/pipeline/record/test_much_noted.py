"""Steps that note more than a record may hold: each fails with a sentence, and nothing else does."""

from collections.abc import Callable
from typing import Any

import pytest

from artvcs import Client, Model, log_metadata, pipeline, step
from artvcs.pipelines.errors import RunFailed
from artvcs.pipelines.record.noted import MAX_NOTED
from tests.pipeline.helpers import in_processes, statuses

pytestmark = pytest.mark.usefixtures("project")


@step
def fine() -> int:
    log_metadata({"rows": 3})
    return 1


@step
def much() -> int:
    log_metadata({"all": "x" * MAX_NOTED})
    return 2


@step
def many() -> int:
    log_metadata({"all": [0] * 600_000})
    return 2


@step
def spoilt() -> int:
    rows: list[Any] = []
    log_metadata({"rows": rows})
    rows.append(object())
    return 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("talks", "run_so"),
    [(much, lambda flow: flow), (much, in_processes), (many, lambda flow: flow), (spoilt, in_processes)],
)
def test_a_step_that_notes_too_much_fails_and_others_do_not(talks: Any, run_so: Callable[[Any], Any]) -> None:
    @pipeline(execution_mode="continue_on_failure")
    def flow() -> None:
        talks()
        fine()

    with pytest.raises(RunFailed, match=r"noted|'rows'") as failed:
        run_so(flow)()
    assert statuses(failed.value.run) == {talks.name: "failed", "fine": "completed"}
    assert Client().get_pipeline_run("HEAD").steps["fine"].metadata == {"rows": 3}


@pytest.mark.long
def test_what_many_steps_note_of_their_run_has_an_end() -> None:
    @step
    def of_run(number: int) -> int:
        log_metadata({f"said-{number}": "x" * (MAX_NOTED - 1000)}, run_id_name_or_prefix=run_name)
        return number

    @pipeline(execution_mode="continue_on_failure", run_name="talking")
    def flow() -> None:
        of_run.map(range(5))
        fine()

    run_name = "talking"
    with pytest.raises(RunFailed, match="noted of the run") as failed:
        flow()
    ended = [*statuses(failed.value.run).values()]
    assert ended.count("failed") >= 1
    assert ended.count("completed") == len(ended) - ended.count("failed") > 2


@pytest.mark.long
def test_what_many_steps_note_of_their_model_has_an_end() -> None:
    @step
    def of_model(number: int) -> int:
        log_metadata({f"said-{number}": "x" * (MAX_NOTED - 1000)}, infer_model=True)
        return number

    @pipeline(execution_mode="continue_on_failure", model=Model("net"))
    def flow() -> None:
        of_model.map(range(4))

    for ended in (["completed", "completed", "failed", "failed"], ["cached", "cached", "failed", "failed"]):
        with pytest.raises(RunFailed, match="noted of the version of models/net") as failed:
            flow()
        assert sorted(statuses(failed.value.run).values()) == ended
