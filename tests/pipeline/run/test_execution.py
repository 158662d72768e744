"""Running one step: its inputs, checks, hooks and tries, and what is recorded when it fails."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from artvcs import Retry, get_step_context, pipeline, step
from artvcs.pipelines.errors import DefinitionError, MaterializerError, RunFailed, TypeMismatch
from artvcs.pipelines.history.views import PipelineRun
from artvcs.vcs.objects.limits import MAX_REPORT

pytestmark = pytest.mark.usefixtures("project")


def run_one(one: Any, *args: Any, **kwargs: Any) -> PipelineRun:
    """Runs a pipeline of a single step; gives the run also where it failed."""

    @pipeline
    def single() -> None:
        one(*args, **kwargs)

    try:
        run: Any = single()
    except RunFailed as failed:
        run = failed.run
    return cast(PipelineRun, run)


def note(word: str) -> None:
    with Path("notes").open("a") as file:
        file.write(f"{word} ")


def notes() -> list[str]:
    return Path("notes").read_text().split() if Path("notes").exists() else []


# Validation


@step
def numbers() -> Any:
    return {"a": [1, 2, "three"]}


def test_an_input_is_checked_with_its_contents() -> None:
    @step
    def takes(data: dict[str, list[int]]) -> int:
        note("called")
        return 0

    @pipeline
    def flow() -> None:
        takes(numbers())

    with pytest.raises(RunFailed, match="item 2 of the value of key 'a'") as failed:
        flow()
    assert isinstance(failed.value.__cause__, TypeMismatch)
    assert notes() == []


def test_optional_and_unions_are_supported() -> None:
    @step
    def gives(kind: str) -> int | str | None:
        return {"int": 1, "text": "a"}.get(kind)  # type: ignore[return-value]

    @step
    def takes(x: int | str | None) -> str:
        return repr(x)

    @pipeline
    def flow(kind: str) -> None:
        takes(gives(kind))

    assert [flow(kind).steps["takes"].output.load() for kind in ("int", "text", "none")] == ["1", "'a'", "None"]


def test_the_wrong_number_of_outputs_is_a_failure() -> None:
    @step
    def wrong() -> None:
        return 3  # type: ignore[return-value]

    assert "TypeMismatch" in str(run_one(wrong).steps["wrong"].failure)


def test_an_endless_message_is_kept_as_far_as_it_is_of_use() -> None:
    @step
    def talkative() -> None:
        raise ValueError("x" * 40_000_000)

    failure = run_one(talkative).steps["talkative"].failure
    assert failure is not None
    assert (failure.message, len(failure.traceback)) == ("x" * MAX_REPORT, MAX_REPORT)


def test_a_value_that_cannot_be_stored_is_a_failure_of_its_step() -> None:
    @step
    def generator() -> Any:
        made = (i for i in range(3))
        return made

    failure = run_one(generator).steps["generator"].failure
    assert failure is not None
    assert failure.type == MaterializerError.__name__
    assert "generator" in failure.message


# What a step does to its arguments


def test_a_step_that_changes_its_parameters_leaves_the_record_as_it_was() -> None:
    @step
    def grow(numbers: list[int] = [1]) -> int:  # noqa: B006
        numbers.append(2)
        get_step_context().parameters["numbers"].append(3)
        return len(numbers)

    first, second = run_one(grow), run_one(grow)
    assert first.steps["grow"].output.load() == 2
    assert first.steps["grow"].parameters == {"numbers": [1]}
    assert second.steps["grow"].cached


def test_each_try_gets_the_parameters_as_they_were_given() -> None:
    @step(retry=1)
    def grow(numbers: list[int]) -> list[int]:
        numbers.append(2)
        note("try")
        if len(notes()) == 1:
            raise OSError
        return numbers

    assert run_one(grow, [1]).steps["grow"].output.load() == [1, 2]


# Hooks and tries


def test_hooks_of_a_step_that_succeeds() -> None:
    @step(
        on_start=lambda: note("start"),
        on_end=lambda: note("end"),
        on_success=lambda: note("success"),
        on_failure=lambda error: note("failure"),
    )
    def fine() -> None:
        note("step")

    run_one(fine)
    assert notes() == ["start", "step", "success", "end"]


def test_hooks_of_a_step_that_fails_are_given_the_error() -> None:
    @step(
        on_end=lambda error: note(f"end:{error}"),
        on_success=lambda: note("success"),
        on_failure=lambda error: note(f"failure:{error}"),
    )
    def fails() -> None:
        raise ValueError("broken")

    run_one(fails)
    assert notes() == ["failure:broken", "end:broken"]


def test_start_and_end_hooks_are_called_once_however_often_it_is_tried() -> None:
    @step(retry=2, on_start=lambda: note("start"), on_end=lambda: note("end"))
    def fails() -> None:
        note("try")
        raise OSError

    run_one(fails)
    assert notes() == ["start", "try", "try", "try", "end"]


def test_a_hook_that_raises_fails_its_step() -> None:
    def hook() -> None:
        raise RuntimeError("hook")

    @step(on_success=hook)
    def fine() -> int:
        return 1

    run = run_one(fine)
    assert (run.status, run.steps["fine"].outputs) == ("failed", {})


def test_a_hook_that_raises_after_a_failure_does_not_hide_it() -> None:
    def hook(error: Exception) -> None:
        raise RuntimeError("the hook's own")

    @step(on_failure=hook)
    def fails() -> None:
        raise ValueError("the step's own")

    failed = run_one(fails).steps["fails"]
    assert failed.failure is not None
    assert failed.failure.message == "the step's own"
    assert "the hook's own" in failed.logs


def test_a_pipelines_hooks_are_its_steps_default() -> None:
    @step
    def plain() -> None: ...

    @step(on_success=lambda: note("own"))
    def special() -> None: ...

    @pipeline(on_success=lambda: note("default"))
    def flow() -> None:
        special(after=plain())  # type: ignore[call-arg]

    flow()
    assert notes() == ["default", "own"]


def test_a_step_is_tried_again() -> None:
    @step(retry=Retry(count=2))
    def flaky() -> int:
        note("try")
        if len(notes()) < 3:
            raise OSError("not yet")
        return len(notes())

    done = run_one(flaky).steps["flaky"]
    assert done.output.load() == 3
    assert done.logs.splitlines() == ["Try 1 of 3 failed: OSError: not yet", "Try 2 of 3 failed: OSError: not yet"]


def test_a_step_that_fails_at_every_try_fails() -> None:
    @step(retry={"count": 1})
    def hopeless() -> int:
        note("try")
        raise OSError

    assert run_one(hopeless).status == "failed"
    assert notes() == ["try", "try"]


def test_the_wait_grows_and_never_shrinks() -> None:
    assert [Retry(count=4, delay=2, backoff=3).wait(n) for n in (1, 2, 3)] == [2, 6, 18]
    with pytest.raises(DefinitionError):
        Retry(count=4, delay=2, backoff=0.5)


# Failures


def test_a_failure_records_type_text_traceback_and_log() -> None:
    @step
    def fails() -> int:
        print("about to divide")
        return 1 // 0

    failed = run_one(fails).steps["fails"]
    assert failed.failure is not None
    assert failed.status == "failed"
    assert failed.failure.type == "ZeroDivisionError"
    assert "return 1 // 0" in failed.failure.traceback
    assert failed.logs == "about to divide\n"
    assert failed.outputs == {}


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("error", [Unprintable(), ValueError("\ud800"), ValueError(), ExceptionGroup("x", [OSError()])])
def test_an_error_that_cannot_be_written_down_is_still_a_failure(error: Exception) -> None:
    @step
    def fails() -> int:
        raise error

    failed = run_one(fails).steps["fails"]
    assert failed.failure is not None
    assert failed.failure.type == type(error).__name__


# What is async


@step
async def fetch(text: str) -> str:
    await asyncio.sleep(0)
    return f"{text} of {get_step_context().step_name}"


def test_an_async_step_is_waited_for() -> None:
    assert run_one(fetch, "answer").steps["fetch"].output.load() == "answer of fetch"
    assert run_one(fetch, "answer").steps["fetch"].cached


def test_an_async_step_runs_where_a_loop_runs_already_as_in_a_notebook() -> None:
    async def notebook() -> Any:
        return run_one(fetch, "cell").steps["fetch"].output.load()

    assert asyncio.run(notebook()) == "cell of fetch"
