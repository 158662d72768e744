"""What a step in a process of its own finds in memory, and what it must not find there."""

from __future__ import annotations

import logging
import os
import random
import re
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs import pipeline, step
from artvcs.pipelines.run.executors.processes import foreman

from ...helpers import in_processes, statuses

pytestmark = pytest.mark.usefixtures("project")


counter = {"count": 0}


@step
def where(number: int) -> int:
    return os.getpid()


@step
def counting(number: int) -> list[int]:
    counter["count"] += 1
    return [os.getpid(), counter["count"]]


def test_a_process_is_used_again_as_long_as_it_is_as_it_was() -> None:
    @pipeline
    def quiet() -> None:
        for number in range(6):
            where(number)

    @pipeline
    def leaving() -> None:
        for number in range(3):
            counting(number)

    run = in_processes(quiet, jobs=1)()
    assert len({each.output.load() for each in run.steps.values()}) == 1
    run = in_processes(leaving, jobs=1)()
    found = [each.output.load() for each in run.steps.values()]
    assert [count for _, count in found] == [1, 1, 1]
    assert len({pid for pid, _ in found}) == 3
    assert counter == {"count": 0}


def test_what_steps_do_not_see_of_each_other_is_said(caplog: pytest.LogCaptureFixture) -> None:
    @pipeline
    def leaving() -> None:
        for number in range(3):
            counting(number)

    for status in ("completed", "cached"):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "artvcs"):
            assert set(statuses(in_processes(leaving)()).values()) == {status}
        [first, _] = [record.getMessage() for record in caplog.records]
        assert re.search(r"'counting_2' uses \S*test_memory.py::counter, as it was when the run began", first)
        assert "what 'counting' leaves there is in another process" in first


@step
def draw(number: int) -> list[float]:
    return [random.random(), float(np.random.rand())]


@pipeline
def drawing() -> None:
    for number in range(3):
        draw(number)


def test_random_numbers_go_on_where_the_run_began() -> None:
    random.seed(1)
    np.random.seed(2)
    run = in_processes(drawing, jobs=3)()
    expected = [random.Random(1).random(), float(np.random.RandomState(2).rand())]
    assert [each.output.load() for each in run.steps.values()] == [expected] * 3
    assert set(statuses(in_processes(drawing)()).values()) == {"cached"}


UNSEEDED = """
import random, sys
import numpy as np
from artvcs import pipeline, step

@step
def draw(number: int) -> list[float]:
    return [random.random(), float(np.random.rand())]

@pipeline
def drawing():
    for number in range(4):
        draw(number)

run = drawing.with_options(executor="processes", jobs=4)()
print([each.status for each in run.steps.values()])
print(*[len({each.output.load()[source] for each in run.steps.values()}) for source in (0, 1)])
"""


@pytest.mark.long
def test_what_nobody_has_seeded_differs_in_each_process(python: Any, project: Path) -> None:
    (project / "flow.py").write_text(UNSEEDED)
    assert python("flow.py").stdout.splitlines()[-1] == "4 4"
    assert python("flow.py").stdout.splitlines()[-2] == "['cached', 'cached', 'cached', 'cached']"


OPENMP = """
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from artvcs import pipeline, step

x = np.random.RandomState(0).rand(2000, 5)
y = (x[:, 0] > 0.5).astype(int)
HistGradientBoostingClassifier(max_iter=2).fit(x, y)

@step
def fit(seed: int) -> float:
    return float(HistGradientBoostingClassifier(max_iter=2, random_state=seed).fit(x, y).score(x, y))

@pipeline
def fitting():
    fit(1), fit(2)

fitting.with_options(executor="processes", jobs=2)()
HistGradientBoostingClassifier(max_iter=2).fit(x, y)
print("done")
"""


@pytest.mark.long
def test_threads_of_a_library_do_not_get_lost_in_a_fork(python: Any, project: Path) -> None:
    """GNU's OpenMP waits forever in a process that was forked after it was used."""
    pytest.importorskip("sklearn")
    (project / "flow.py").write_text(OPENMP)
    assert python("flow.py").stdout == "done\n"


INHERITED = """
import atexit, os, tempfile, threading
from artvcs import pipeline, step

SCRATCH = tempfile.TemporaryDirectory()
atexit.register(lambda: print("the end of", os.getpid() == MAIN, flush=True))
MAIN = os.getpid()
SEEN = {}

@step
def leave(number: int) -> int:
    SEEN[number] = number
    atexit.register(print, "the end of a worker", flush=True)
    return number

@step
def use(numbers: list[int]) -> int:
    with open(os.path.join(SCRATCH.name, "file"), "w") as file:
        file.write("x")
    return sum(numbers)

@pipeline
def flow():
    use(leave.map([1, 2]))

flow.with_options(executor="processes", jobs=2)()
"""


def test_a_worker_does_nothing_that_its_parent_does_at_its_end(python: Any, project: Path) -> None:
    (project / "flow.py").write_text(INHERITED)
    told = python("flow.py").stdout.splitlines()
    assert [line for line in told if line.startswith("the end")] == ["the end of True"]
    assert sum(line.endswith("the end of a worker") for line in told) == 2


def test_threads_that_go_on_take_no_place_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreman, "GRACE", 0.3)

    @step
    def leaves_a_thread(number: int) -> int:
        threading.Thread(target=time.sleep, args=(60,)).start()
        return number

    @step
    def needs(numbers: list[int]) -> int:
        return sum(numbers)

    @pipeline
    def flow() -> None:
        needs(leaves_a_thread.map([1, 2, 3]))

    began = time.monotonic()
    assert in_processes(flow)().steps["needs"].output.load() == 6
    assert time.monotonic() - began < 30


OWN_CLASS = """
import sys, time
from artvcs import pipeline, step

class Own:
    def __init__(self, value):
        self.value = value

@step
def make(number: int) -> Own:
    time.sleep(0.1)
    return Own(number)

@step
def use(own: Own) -> int:
    time.sleep(0.1)
    return own.value

@pipeline
def flow():
    for number in range(4):
        use(make(number))

if __name__ == "__main__":
    run = flow.with_options(executor="processes", jobs=2)()
    print([each.output.load() for name, each in run.steps.items() if name.startswith("use")])
"""


@pytest.mark.long
def test_values_of_classes_of_the_script_go_from_one_process_to_another(python: Any, project: Path) -> None:
    (project / "flow.py").write_text(OWN_CLASS)
    assert python("flow.py").stdout == "[0, 1, 2, 3]\n"
    (project / "flow.py").write_text(OWN_CLASS.replace("return own.value", "return own.value + 1"))
    assert python("flow.py").stdout == "[1, 2, 3, 4]\n"
