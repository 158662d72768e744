"""`art run --plan`: what a run would do, without running."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from artvcs import CachePolicy, Client, ExternalArtifact, pipeline, step
from artvcs.pipelines.errors import PipelineError, RunFailed
from artvcs.vcs import DamagedError, Refs, Run, runs

ran: list[str] = []


@step
def double(x: int) -> int:
    ran.append("double")
    return 2 * x


@step
def halve(x: int) -> int:
    ran.append("halve")
    return x // 2


@pipeline
def there_and_back(x: int = 1) -> None:
    halve(double(x))


@pipeline
def from_outside(x: int = 1) -> None:
    double(ExternalArtifact(x))  # type: ignore[arg-type]  # a step takes artifacts in place of values


@step
def load() -> str:
    return Path("data.txt").read_text()


@step
def write(text: str) -> None:
    Path("out.txt").write_text(text)


@step
def read() -> str:
    return Path("out.txt").read_text()


@pipeline
def through_a_file() -> None:
    write(load())
    read(after="write")  # type: ignore[call-arg]  # of every step


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ran.clear()
    return tmp_path


def test_a_first_run_would_run_everything_it_can_see() -> None:
    plan = there_and_back.plan()
    assert [(planned.step, planned.action) for planned in plan] == [("double", "run"), ("halve", "maybe")]
    assert plan[0].summary == "It has not run before."
    assert ran == []


def test_a_step_that_failed_has_run_and_has_no_result() -> None:
    @step
    def failing() -> int:
        raise ValueError("no")

    @pipeline
    def flow() -> None:
        failing()

    assert [each.summary for each in flow.plan()] == ["It has not run before."]
    with pytest.raises(RunFailed):
        flow()
    assert [each.summary for each in flow.plan()] == ["It has no result yet: it failed in the last run."]


def test_after_a_run_everything_would_be_reused() -> None:
    there_and_back()
    assert [planned.action for planned in there_and_back.plan()] == ["reuse", "reuse"]
    assert ran == ["double", "halve"]


def test_a_changed_parameter_is_the_reason() -> None:
    there_and_back()
    first, second = there_and_back.plan(2)
    assert (first.action, second.action) == ("run", "maybe")
    assert [(reason.kind, reason.old, reason.new) for reason in first.reasons] == [("parameter", "1", "2")]
    assert "'double' returns another value" in second.summary


def test_with_the_cache_off_it_would_run() -> None:
    there_and_back()
    first = there_and_back.with_options(enable_cache=False).plan()[0]
    assert (first.action, first.summary) == ("run", "Caching is off for it.")


def test_of_a_result_that_cannot_be_used_again_it_is_said_why() -> None:
    @step
    def asks_the_clock() -> float:
        return time.time()

    @pipeline
    def flow() -> None:
        asks_the_clock.with_options(cache=CachePolicy(unverified="forbid"))()

    flow()
    [planned] = flow.plan()
    assert planned.action == "run"
    assert (
        planned.summary
        == "Its result cannot be used again: it used the clock, by time.time, which its CachePolicy forbids."
    )


def test_for_many_steps_that_are_new_each_earlier_run_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    @pipeline
    def flow(count: int = 1) -> None:
        halve.map(range(count))

    for count in range(1, 6):
        flow(count)
    read, by_id = list[str](), runs.by_id

    def noting(refs: Refs, run_id: str) -> Run | None:
        read.append(run_id)
        return by_id(refs, run_id)

    monkeypatch.setattr(runs, "by_id", noting)
    plan = flow.plan(100)
    assert [each.summary for each in plan[4:6]] == [
        "Its code, inputs and all that it used are those of an earlier execution.", "It has not run before.",
    ]  # fmt: skip
    assert len(read) == len(set(read)) == 4


def test_a_run_that_cannot_be_read_ends_what_is_known_and_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    @pipeline
    def flow(count: int = 1) -> None:
        halve.map(range(count))

    def damaged(refs: Refs, run_id: str) -> Run | None:
        raise DamagedError(f"The run {run_id} cannot be read.")

    flow(1)
    flow(2)
    monkeypatch.setattr(runs, "by_id", damaged)
    assert [each.action for each in flow.plan(3)] == ["reuse", "reuse", "run"]


def test_how_long_a_step_takes_is_known_after_a_run_that_did_not_come_to_it() -> None:
    @pipeline
    def flow(x: int = 1) -> None:
        double(x)

    @pipeline(name="flow")
    def nowhere(x: int = 1) -> None:
        double(x)

    flow()
    with pytest.raises(PipelineError):
        nowhere.with_options(executor="dask://127.0.0.1:9")(2)
    [planned] = flow.plan(3)
    assert planned.seconds is not None


def test_planning_keeps_nothing() -> None:
    from_outside.plan()
    assert Client().list_artifact_versions() == []
    assert Client().list_pipeline_runs() == []
    assert list(Client().repository.layout.incoming.iterdir()) == []


def test_a_step_that_runs_in_any_case_is_no_maybe(folder: Path) -> None:
    there_and_back()
    _, second = there_and_back.plan(2)
    assert second.summary == "It runs if 'double' returns another value than before."
    edited = halve.with_options(cache=CachePolicy(key=lambda _: "2"))

    @pipeline(name="there_and_back")
    def anew(x: int = 1) -> None:
        edited(double(x))

    assert [(each.step, each.action) for each in anew.plan(2)] == [("double", "run"), ("halve", "run")]


def test_a_step_that_reads_a_file_of_one_that_may_run_is_undecided(folder: Path) -> None:
    (folder / "data.txt").write_text("1")
    through_a_file()
    assert [planned.action for planned in through_a_file.plan()] == ["reuse", "reuse", "reuse"]
    (folder / "data.txt").write_text("2")
    plan = through_a_file.plan()
    assert [planned.action for planned in plan] == ["run", "maybe", "maybe"]
    assert plan[2].summary == "It runs if 'write' leaves something else behind than before."
    (folder / "data.txt").write_text("1")
    assert [planned.action for planned in through_a_file.plan()] == ["reuse", "reuse", "reuse"]


def test_a_plan_says_what_it_would_cost_by_what_the_steps_have_cost() -> None:
    @step(enable_cache=False)
    def slow(number: int) -> bytes:
        time.sleep(0.2)
        return bytes(1000)

    @pipeline
    def flow(number: int) -> None:
        for each in range(number):
            slow(each)

    assert (flow.plan(4).seconds, [each.seconds for each in flow.plan(4)]) == (0.0, [None] * 4)
    flow(4)
    planned = flow.plan(4)
    assert 0.8 <= planned.seconds < 5
    assert all(each.seconds is not None and each.seconds >= 0.2 for each in planned)
    assert all(each.size is not None and each.size >= 1000 for each in planned)
    assert flow.with_options(jobs=2).plan(4).seconds == pytest.approx(planned.seconds / 2, rel=0.3)
    assert flow.plan(5)[4].seconds is None
