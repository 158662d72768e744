"""`environment=…`: variables that a step has while it runs, and nobody else."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest

from artvcs import pipeline, step
from artvcs.pipelines.errors import DefinitionError
from artvcs.vcs import Commit
from tests.pipeline.helpers import PATIENCE

pytestmark = pytest.mark.usefixtures("project")


@step
def speak() -> str:
    return f"{os.environ.get('GREETING')} {os.environ.get('NAME')}"


@step(environment={"NAME": "Ada"})
def speak_to_ada() -> str:
    os.environ["GREETING"] += "!"
    return f"{os.environ.get('GREETING')} {os.environ['NAME']}"


@step
def names() -> list[str]:
    return sorted(name for name in os.environ if name in ("GREETING", "NAME"))


@pipeline(environment={"GREETING": "Hello", "NAME": "you"})
def speaking() -> None:
    speak()
    speak_to_ada()
    names()


def test_a_step_has_its_variables_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "of the shell")
    run = speaking()
    assert {name: each.output.load() for name, each in run.steps.items()} == {
        "speak": "Hello you", "speak_to_ada": "Hello! Ada", "names": ["GREETING", "NAME"],
    }  # fmt: skip
    assert (os.environ.get("GREETING"), os.environ["NAME"]) == (None, "of the shell")
    monkeypatch.setenv("NAME", "of another shell")
    assert {each.status for each in speaking().steps.values()} == {"cached"}
    assert {each.action for each in speaking.plan()} == {"reuse"}


def test_the_variables_count() -> None:
    speaking()
    other = speaking.with_options(environment={"NAME": "them"})()
    assert other.steps["speak"].output.load() == "Hello them"
    assert other.steps["speak_to_ada"].status == "cached"  # it says itself which name it has
    assert speaking().steps["speak"].status == "cached"


def test_a_file_says_variables(project: Path) -> None:
    (project / "conf.yaml").write_text("environment: {GREETING: 3}\nsteps: {speak: {environment: {NAME: four}}}\n")
    assert speaking.with_options(config_path="conf.yaml")().steps["speak"].output.load() == "3 four"
    with pytest.raises(DefinitionError, match="environment=3 is not possible; give a dictionary"):
        speaking.with_options(environment=3)  # type: ignore[arg-type]


def test_nothing_stays_of_them_when_a_run_is_interrupted() -> None:
    @step(environment={"GREETING": "Hello"})
    def stops() -> None:
        raise KeyboardInterrupt

    @pipeline
    def stopping() -> None:
        stops()

    with pytest.raises(KeyboardInterrupt):
        stopping()
    assert "GREETING" not in os.environ


def test_each_of_several_steps_on_threads_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAME", raising=False)
    both = threading.Barrier(2, timeout=0.3)

    @step(environment={"NAME": "Ada"})
    def ada() -> str:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait()
        return os.environ["NAME"]

    @step(environment={"NAME": "Bob"})
    def bob() -> str:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait()
        return os.environ["NAME"]

    @pipeline(executor="threads", jobs=2)
    def flow() -> None:
        ada()
        bob()

    assert {name: each.output.load() for name, each in flow().steps.items()} == {"ada": "Ada", "bob": "Bob"}
    assert "NAME" not in os.environ


@pytest.mark.parametrize("executor", ["inline", "threads"])
def test_steps_of_a_pipeline_that_a_step_runs_have_their_own(executor: str) -> None:
    @step(environment={"NAME": "inner"})
    def inner() -> str:
        return os.environ["NAME"]

    @pipeline(executor=executor)
    def small() -> None:
        inner()

    @step(environment={"NAME": "outer"})
    def outer() -> list[str]:
        return [small().steps["inner"].output.load(), os.environ["NAME"]]

    @pipeline(executor=executor)
    def flow() -> None:
        outer()

    assert flow().steps["outer"].output.load() == ["inner", "outer"]
    assert "NAME" not in os.environ


def test_steps_of_pipelines_that_steps_run_wait_for_nobody_and_what_they_see_of_each_other_is_not_used_again() -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    @step(environment={"NAME": "one"})
    def one() -> str:
        both.wait()
        seen = os.environ["NAME"]
        both.wait()
        return seen

    @step(environment={"NAME": "two"})
    def two() -> str:
        both.wait()
        seen = os.environ["NAME"]
        both.wait()
        return seen

    @pipeline(executor="threads", jobs=2)
    def small() -> None:
        one()
        two()

    commits: list[Commit | None] = []

    @step(enable_cache=False)
    def outer() -> None:
        commits.extend(each.execution for each in small().steps.values())

    @pipeline(executor="threads")
    def flow() -> None:
        outer()

    flow()
    assert None in [each.cache_key for each in commits if each is not None]


def test_what_a_step_on_a_thread_sees_of_the_variables_of_another_is_not_used_again() -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    @step(environment={"NAME": "Ada"})
    def ada() -> None:
        both.wait()
        both.wait()

    @step
    def asks() -> str | None:
        both.wait()
        seen = os.environ.get("NAME")
        both.wait()
        return seen

    @pipeline(executor="threads", jobs=2)
    def flow() -> None:
        ada()
        asks()

    refused = flow().steps["asks"].execution
    assert refused is not None
    assert refused.cache_key is None


def test_processes_that_are_forked_meanwhile_wait_for_nobody() -> None:
    begun, ended = threading.Event(), threading.Event()

    @step(environment={"NAME": "outside"})
    def beside() -> None:
        begun.set()
        ended.wait(PATIENCE)

    @step(environment={"NAME": "inside"})
    def inner() -> str:
        return os.environ["NAME"]

    @pipeline(executor="processes", jobs=2)
    def small() -> None:
        inner()

    @step
    def outer() -> str:
        begun.wait(PATIENCE)
        try:
            found: str = small().steps["inner"].output.load()
            return found
        finally:
            ended.set()

    @pipeline(executor="threads", jobs=2)
    def flow() -> None:
        beside()
        outer()

    assert flow().steps["outer"].output.load() == "inside"
