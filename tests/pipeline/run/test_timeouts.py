"""Ending a step that takes too long."""

import threading
import time
from typing import Any

import pytest

from artvcs import pipeline, step
from artvcs.pipelines.errors import RunFailed, StepTimeout
from artvcs.pipelines.run.execution.timeouts import time_limit

pytestmark = pytest.mark.usefixtures("project")


def test_a_step_that_takes_too_long_fails() -> None:
    @step(timeout=0.05)
    def endless() -> int:
        threading.Event().wait(60)
        return 1

    @pipeline
    def flow() -> None:
        endless()

    started = time.monotonic()
    with pytest.raises(RunFailed, match=r"timeout of 0\.05 s") as failed:
        flow()
    assert isinstance(failed.value.__cause__, StepTimeout)
    assert time.monotonic() - started < 30


def test_each_try_has_the_time_for_itself() -> None:
    tries: list[Any] = []

    @step(timeout=0.05, retry=1)
    def slow_at_first() -> int:
        tries.append(None)
        if len(tries) == 1:
            threading.Event().wait(60)
        return len(tries)

    @pipeline
    def flow() -> None:
        slow_at_first()

    assert flow().steps["slow_at_first"].output.load() == 2


def test_a_step_that_catches_everything_is_late_all_the_same() -> None:
    def stubborn() -> None:
        with time_limit(0.02, "stubborn"):
            try:
                threading.Event().wait(60)
            except Exception:
                return

    with pytest.raises(StepTimeout):
        stubborn()


def test_what_is_in_time_is_left_alone() -> None:
    with time_limit(60, "quick"):
        pass


def test_outside_the_main_thread_lateness_is_seen_at_the_end() -> None:
    raised: list[Exception] = []

    def late() -> None:
        try:
            with time_limit(0.001, "late"):
                threading.Event().wait(0.01)
        except StepTimeout as error:
            raised.append(error)

    thread = threading.Thread(target=late)
    thread.start()
    thread.join()
    assert len(raised) == 1
