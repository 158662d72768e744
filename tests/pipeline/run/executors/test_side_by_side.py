"""The same pipeline inline, in threads and in processes: the same artifacts, the same records, and each a hit after."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from artvcs import (
    CachePolicy,
    Client,
    Model,
    get_step_context,
    load_artifact,
    log_metadata,
    pipeline,
    register_artifact,
    save_artifact,
    step,
)
from artvcs.pipelines.errors import DefinitionError, RunFailed
from artvcs.vcs.upkeep.check.fsck import fsck

from ...helpers import statuses

pytestmark = pytest.mark.usefixtures("project")

EXECUTORS = ["inline", "threads", "processes"]
APART = ["threads", "processes"]


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def on(flow: Any, executor: str, jobs: int = 2) -> Any:
    """The pipeline with this executor."""
    return flow.with_options(executor=executor, jobs=None if executor == "inline" else jobs)


@step
def numbers(count: int) -> Annotated[np.ndarray, "numbers"]:  # type: ignore[type-arg]
    return np.arange(count, dtype=float)


@step
def half(values: np.ndarray, which: int) -> np.ndarray:  # type: ignore[type-arg]
    print("half", which)
    log_metadata({"which": which})
    return np.array_split(values, 2)[which]


@step
def total(parts: list[np.ndarray]) -> Annotated[float, "total"]:  # type: ignore[type-arg]
    return float(sum(part.sum() for part in parts))


@pipeline
def sums(count: int = 10) -> None:
    values = numbers(count)
    total([half(values, 0), half(values, 1)])


def test_what_one_has_made_all_others_reuse(executor: str) -> None:
    first = on(sums, executor)()
    assert set(statuses(first).values()) == {"completed"}
    assert first.steps["total"].output.load() == 45.0
    assert first.steps["half_2"].metadata == {"which": 1}
    assert first.steps["half"].logs == "half 0\n"
    for other in EXECUTORS:
        again = on(sums, other)()
        assert set(statuses(again).values()) == {"cached"}, other
        assert again.steps["total"].output.id == first.steps["total"].output.id
    assert list(fsck(Client().repository.layout.folder)) == []


@pytest.mark.long
def test_large_values_go_from_step_to_step_by_their_ids(executor: str) -> None:
    """More than is lent in a message: it is read where the step before has put it, though nobody has published it."""
    count = 3_000_000
    run = on(sums, executor)(count)
    assert run.steps["total"].output.load() == count * (count - 1) / 2


def test_steps_that_wait_for_nothing_run_side_by_side() -> None:
    for executor in APART:
        beside: Any = on(meeting, executor)()
        assert set(statuses(beside).values()) == {"completed"}


@step(enable_cache=False)
def meet(me: str, other: str) -> None:
    """Ends only if the other is there at the same time."""
    Path(me).touch()
    give_up = time.monotonic() + 30
    while not Path(other).exists():
        assert time.monotonic() < give_up, "nobody came"
        time.sleep(0.01)


@pipeline
def meeting() -> None:
    meet("a", "b")
    meet("b", "a")


@step(enable_cache=False)
def count_in(folder: str) -> int:
    """How many are in here at the same time."""
    mine = Path(folder) / f"{os.getpid()}-{threading.get_ident()}"
    mine.touch()
    time.sleep(0.1)
    there = len(list(Path(folder).iterdir()))
    mine.unlink()
    return there


@pytest.mark.parametrize("executor", APART)
def test_no_more_run_at_once_than_there_are_jobs(executor: str) -> None:
    Path("in").mkdir()

    @pipeline
    def crowd() -> None:
        for _ in range(7):
            count_in("in")

    run = on(crowd, executor, jobs=3)()
    assert max(each.output.load() for each in run.steps.values()) <= 3


# Failures


@step
def odd(number: int) -> int:
    if number % 2 == 0:
        raise ValueError(f"{number} is even")
    return number


@pipeline
def odds() -> None:
    for number in range(4):
        odd(number)


def test_one_that_fails_takes_no_other_with_it(executor: str) -> None:
    with pytest.raises(RunFailed, match=r"'odd' failed \(and 1 more\): ValueError: 0 is even") as failed:
        on(odds, executor)()
    run: Any = failed.value.run
    assert statuses(run) == {"odd": "failed", "odd_2": "completed", "odd_3": "failed", "odd_4": "completed"}
    assert "test_side_by_side.py" in run.steps["odd"].failure.traceback
    assert 'raise ValueError(f"{number} is even")' in run.steps["odd"].failure.traceback
    with pytest.raises(RunFailed) as again:
        on(odds, executor)()
    assert statuses(again.value.run)["odd_4"] == "cached"


class LockedError(Exception):
    """An error that no process can send to another."""

    def __init__(self, door: str, key: str) -> None:
        super().__init__(f"the door {door} is locked")
        self.lock = threading.Lock()


def test_an_error_that_cannot_travel_is_told_all_the_same(executor: str) -> None:
    @step
    def enter() -> None:
        raise LockedError("front", "none")

    @pipeline
    def house() -> None:
        enter()

    with pytest.raises(RunFailed, match="LockedError: the door front is locked") as failed:
        on(house, executor)()
    run: Any = failed.value.run
    assert 'raise LockedError("front", "none")' in run.steps["enter"].failure.traceback


def test_fail_fast_interrupts_what_runs_beside() -> None:
    @step(enable_cache=False)
    def fails() -> None:
        while not Path("running").exists():
            time.sleep(0.01)
        raise ValueError("broken")

    @step(enable_cache=False)
    def endless() -> None:
        Path("running").touch()
        while True:
            time.sleep(0.01)

    @pipeline(execution_mode="fail_fast")
    def flow() -> None:
        fails()
        endless()
        numbers(1)

    for executor in APART:
        Path("running").unlink(missing_ok=True)
        with pytest.raises(RunFailed) as failed:
            on(flow, executor)()
        assert statuses(failed.value.run) == {"fails": "failed", "endless": "interrupted", "numbers": "skipped"}


@pytest.mark.parametrize("executor", APART)
def test_a_step_that_takes_too_long_is_ended_wherever_it_runs(executor: str) -> None:
    @step(timeout=0.2)
    def endless() -> None:
        while True:
            time.sleep(0.01)

    @pipeline
    def flow() -> None:
        endless()

    with pytest.raises(RunFailed, match="took longer than its timeout of"):
        on(flow, executor)()


# What a step asks and notes on its way


@step
def look_round(first: int) -> str:
    there = get_step_context()
    saved = save_artifact(np.arange(3), "saved", tags=["mine"])
    Path("notes.txt").write_text("noted")
    registered = register_artifact("notes.txt", "notes")
    log_metadata({"seen": load_artifact("first")})
    return f"{there.invocation_id} saved {saved.name}@{saved.version} {registered.name}@{registered.version}"


@step
def begin() -> Annotated[int, "first"]:
    return 7


@step
def end(said: str) -> list[str]:
    return [said, *(f"{each.name}@{each.version}" for each in Client().list_artifact_versions(tag="mine"))]


@pipeline
def asking() -> None:
    end(look_round(begin()))


def test_the_client_answers_in_a_step_as_anywhere(executor: str) -> None:
    run = on(asking, executor)()
    assert run.steps["end"].output.load() == ["look_round saved saved@1 notes@1", "saved@1"]
    assert run.steps["look_round"].metadata == {"seen": 7}
    assert Client().get_artifact_version("saved").run.name == run.name
    assert set(statuses(on(asking, "inline")()).values()) == {"cached"}


@step
def train(seed: int) -> Annotated[float, "weight"]:
    get_step_context().model.log_metadata({"seed": seed})
    return seed / 2


@step(enable_cache=False)
def review(weight: float) -> str:
    model = get_step_context().model
    return f"{model.name} {model.version} {model.load_artifact('weight')}"


@pipeline(model=Model("net"))
def training() -> None:
    review(train(3))


def test_a_step_works_on_its_model_wherever_it_runs(executor: str) -> None:
    run = on(training, executor)()
    assert run.steps["review"].output.load() == "net 1 1.5"
    found = Client().get_model_version("net")
    assert found.metadata["seed"] == 3
    assert found.artifacts["weight"].load() == 1.5


# Where it is said


@step(cache=CachePolicy(env=["ARTVCS_TEST_PROCESS"]))
def whoami() -> int:
    return os.getpid()


@pipeline
def who() -> None:
    whoami()


def runs_apart(run: Any) -> bool:
    return bool(run.steps["whoami"].output.load() != os.getpid())


def test_what_is_said_nearest_goes_before(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome(flow: Any = who) -> bool:
        return runs_apart(flow.with_options(enable_cache=False)())

    assert not outcome()
    (project / "pyproject.toml").write_text('[tool.artvcs.run]\nexecutor = "processes"\n')
    assert outcome()
    monkeypatch.setenv("ARTVCS_EXECUTOR", "inline")
    assert not outcome()
    assert outcome(who.with_options(executor="processes"))
    monkeypatch.delenv("ARTVCS_EXECUTOR")
    monkeypatch.setenv("ARTVCS_JOBS", "1")
    assert outcome()
    (project / "pyproject.toml").unlink()
    assert not outcome()  # one at a time needs no other process
    monkeypatch.setenv("ARTVCS_JOBS", "2")
    assert outcome()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"executor": "proceses"}, "did you mean 'processes'"),
        ({"executor": "dusk"}, "There is no executor 'dusk'"),
        ({"jobs": 0}, "jobs=0 is not possible"),
        ({"jobs": True}, "jobs=True is not possible"),
        ({"jobs": "4"}, "jobs='4' is not possible"),
    ],
)
def test_what_cannot_be_is_said_where_it_is_declared(said: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        who.with_options(**said)


def test_what_the_environment_says_wrongly_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTVCS_JOBS", "many")
    with pytest.raises(DefinitionError, match="ARTVCS_JOBS='many' is no number"):
        who()
    assert Client().list_pipeline_runs() == []


@step
def slow(number: int) -> int:
    time.sleep(0.1)
    return number


def test_of_two_steps_that_are_the_same_one_is_executed(executor: str) -> None:
    @pipeline
    def flow() -> None:
        slow.map([1, 1, 2, 1])

    run = on(flow, executor, jobs=4)()
    assert sorted(statuses(run).values()) == ["cached", "cached", "completed", "completed"]
