"""`art run --plan`: what a run would do, without running."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs import CachePolicy, Client, ExternalArtifact, pipeline, step

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
