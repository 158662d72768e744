"""Steps in processes: what they print and say, what they need, and their errors."""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs import pipeline, step
from artvcs.pipelines.errors import RunFailed

from ...helpers import in_processes

pytestmark = pytest.mark.usefixtures("project")


@step
def where(number: int) -> int:
    return os.getpid()


def test_what_steps_print_comes_with_their_names_in_whole_lines(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    @step
    def talk(word: str) -> None:
        print(word, end="")
        sys.stdout.flush()
        print(" and more")
        print("10 %\r20 %\r100 %", file=sys.stderr)
        os.write(1, b"from a library\n")
        logging.getLogger("test_processes").warning("logged")
        print("unended", end="")

    @pipeline
    def flow() -> None:
        talk("first")

    run = in_processes(flow)()
    told = capsys.readouterr()
    assert told.out == "[talk] first and more\n[talk] from a library\n[talk] unended\n"
    assert "[talk] 100 %\n" in told.err
    assert run.steps["talk"].logs.startswith("first and more\n10 %\r20 %\r100 %\n")


def test_our_warnings_come_from_here_and_others_from_the_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Odd:
        pass

    @step
    def odd() -> Odd:
        warnings.warn("theirs", stacklevel=1)
        return Odd()

    @pipeline
    def flow() -> None:
        odd()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda message, *_: print(message, file=sys.stderr))
        in_processes(flow)()
    told = capsys.readouterr().err.splitlines()
    assert "[odd] theirs" in told
    assert [line for line in told if "is stored as a pickle" in line and not line.startswith("[")] != []


def test_a_pipeline_can_be_run_in_a_step_of_another() -> None:
    @pipeline
    def inner() -> None:
        where(1), where(2)

    @step
    def outer() -> int:
        return len(in_processes(inner)().steps)

    @pipeline
    def flow() -> None:
        outer()

    assert in_processes(flow)().steps["outer"].output.load() == 2


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_step_that_needs_two_cores_leaves_none_for_another(cpus: int) -> None:
    @step(resources={"cpus": cpus}, enable_cache=False)
    def meet(me: str) -> int:
        Path(me).touch()
        time.sleep(0.3)
        there = len(list(Path().glob("in-*")))
        Path(me).unlink()
        return there

    @pipeline
    def flow() -> None:
        meet("in-a"), meet("in-b")

    run = in_processes(flow)()
    assert max(each.output.load() for each in run.steps.values()) == (2 if cpus == 1 else 1)


@pytest.mark.long
def test_what_takes_longest_begins_first() -> None:
    @step(enable_cache=False)
    def last(seconds: float) -> float:
        time.sleep(seconds)
        return time.time()

    @pipeline
    def flow() -> None:
        for seconds in (0.0, 0.3, 0.0, 0.6):
            last(seconds)

    in_processes(flow)()
    run = in_processes(flow)()
    begun = sorted(run.steps, key=lambda id_: run.steps[id_].record.started)
    assert set(begun[:2]) == {"last_2", "last_4"}


class EndsAllError(Exception):
    """Its code ends the process that receives it."""

    def __reduce__(self) -> Any:
        return sys.exit, (3,)


def endless(number: int) -> int:
    return endless(number + 1)


def several() -> None:
    raise ExceptionGroup("several", [ValueError("one")])


def ends_all() -> None:
    raise EndsAllError("unsent")


ERRORS: dict[str, Callable[[], object]] = {
    "UnicodeDecodeError": lambda: b"\xff".decode(),
    "SyntaxError": lambda: compile("a b", "given", "exec"),
    "AxisError": lambda: np.zeros(3).sum(axis=5),
    "RecursionError": lambda: endless(0),
    "ExceptionGroup": several,
    "EndsAllError": ends_all,
    "FileNotFoundError": lambda: Path("nowhere.txt").read_text(),
}


@pytest.mark.long
@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_the_same_in_every_process(name: str) -> None:
    @step
    def fails(name: str) -> None:
        ERRORS[name]()

    @pipeline
    def flow() -> None:
        fails(name)

    def failure(flow: Any) -> tuple[str, str, str]:
        with pytest.raises(RunFailed) as failed:
            flow()
        found: Any = failed.value.run
        told = found.steps["fails"].failure
        return told.type, told.message, told.traceback.partition("[Previous line repeated")[0]

    inline = failure(flow)
    assert inline[0] == name
    assert failure(in_processes(flow)) == inline


def test_how_long_a_step_takes_is_known_when_its_result_is_used_again() -> None:
    @step
    def slow() -> None:
        time.sleep(0.3)

    @pipeline
    def flow() -> None:
        slow()

    run = [flow(), flow(), flow()][-1]
    assert run.steps["slow"].status == "cached"
    assert run.steps["slow"].duration == timedelta(0)
    took = run.steps["slow"].record.took
    assert took is not None
    assert took >= 300
    [planned] = in_processes(flow.with_options(enable_cache=False)).plan()
    assert planned.seconds == took / 1000
