"""Steps in processes of their own: what they find there, how they die, and that nothing is left running."""

from __future__ import annotations

import logging
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs import Client, pipeline, step
from artvcs.pipelines.errors import RunFailed
from artvcs.vcs.upkeep.check.fsck import fsck

pytestmark = pytest.mark.usefixtures("project")

counter = {"count": 0}


def in_processes(flow: Any, jobs: int = 2) -> Any:
    return flow.with_options(executor="processes", jobs=jobs)


def statuses(run: Any) -> dict[str, str]:
    return {name: each.status for name, each in run.steps.items()}


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


# What a step finds in memory


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
        assert (
            "'counting_2' uses tests/pipeline/run/executors/test_processes.py::counter, as it was when the run began"
            in first
        )
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


def test_threads_of_a_library_do_not_get_lost_in_a_fork(python: Any, project: Path) -> None:
    """GNU's OpenMP waits forever in a process that was forked after it was used."""
    pytest.importorskip("sklearn")
    (project / "flow.py").write_text(OPENMP)
    assert python("flow.py").stdout == "done\n"


# Dying


DEATHS = [
    ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL, as Linux does where memory runs out"),
    ("os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV, by a fault of a library"),
    ("os._exit(3)", "ended its process with exit code 3"),
    ("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM]) or time.sleep(60)", "took longer than its timeout"),
]


@pytest.mark.parametrize(("death", "told"), DEATHS, ids=["killed", "segfault", "exit", "deaf"])
def test_a_step_that_kills_its_process_fails_alone(death: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from artvcs.pipelines.run.executors.processes import foreman

    monkeypatch.setattr(foreman, "GRACE", 0.3)

    @step(timeout=0.3)
    def dies() -> int:
        print("last words", flush=True)
        return int(bool(eval(death, {"os": os, "signal": signal, "time": time})))

    @pipeline
    def flow() -> None:
        dies()
        where(1)

    with pytest.raises(RunFailed, match=told) as failed:
        in_processes(flow)()
    run: Any = failed.value.run
    assert statuses(run) == {"dies": "failed", "where": "completed"}
    assert run.steps["dies"].logs == "last words\n"
    assert list(fsck(Client().repository.layout.folder)) == []


@pytest.mark.parametrize("tries", [2, 3])
def test_a_killed_step_is_tried_again_as_its_retry_says(tries: int) -> None:
    @step(retry={"count": 2, "delay": 0.01})
    def flaky(tries: int) -> int:
        with open("tries", "a") as file:
            file.write(".")
        done = Path("tries").stat().st_size
        print("try", done, flush=True)
        if done == 1:
            raise ValueError("by itself")
        if done <= tries:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    @pipeline
    def flow() -> None:
        flaky(tries)

    if tries == 3:
        with pytest.raises(RunFailed, match="was killed by SIGKILL"):
            in_processes(flow)()
        return
    run = in_processes(flow)()
    assert run.steps["flaky"].output.load() == 3
    told = run.steps["flaky"].logs
    assert re.search(r"Try 2 of 3 failed: StepKilled: The step 'flaky' was killed by SIGKILL", told)
    assert "try 1" in told
    assert told.endswith("try 3\n")


# Ending


BUSY = textwrap.dedent(
    """
    import os, subprocess, sys, time
    from pathlib import Path
    from artvcs import pipeline, step

    @step
    def first() -> int:
        return 1

    @step
    def busy(x: int, number: int) -> int:
        Path("half-written").write_text("half")
        child = subprocess.Popen(["sleep", "1000"], start_new_session=number == 2)
        print("at it", flush=True)
        Path(f"pids-{number}").write_text(f"{os.getpid()} {os.getppid()} {child.pid}")
        time.sleep(1000)
        return x

    @pipeline
    def flow():
        x = first()
        busy(x, 1), busy(x, 2)

    if __name__ == "__main__":
        flow.with_options(executor="processes", jobs=2)()
    """
)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", ["Ctrl-C", "kill -9", "kill -9 of the host"])
def test_nothing_is_left_running(project: Path, how: str) -> None:
    (project / "busy.py").write_text(BUSY)
    process = subprocess.Popen(
        [sys.executable, "busy.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: all(Path(f"pids-{number}").exists() for number in (1, 2)))
    pids = [int(pid) for number in (1, 2) for pid in Path(f"pids-{number}").read_text().split()]
    if how == "kill -9 of the host":
        os.kill(pids[1], signal.SIGKILL)
    else:
        os.killpg(process.pid, signal.SIGINT if how == "Ctrl-C" else signal.SIGKILL)
    _, err = process.communicate(timeout=30)
    gone = pids if how != "kill -9 of the host" else [*pids[:2], *pids[3:5]]
    wait_for(lambda: not any(map(is_alive, gone)))
    for child in (pids[2], pids[5]):
        if is_alive(child):  # of a process that is killed nobody can end what it has started
            os.kill(child, signal.SIGKILL)
    [run] = Client().list_pipeline_runs()
    assert statuses(run)["first"] == "completed"
    assert list(fsck(Client().repository.layout.folder)) == []
    assert not list(Client().repository.layout.tmp.glob("workers-*")) or how == "kill -9"
    if how == "Ctrl-C":
        assert process.returncode == -signal.SIGINT, err
        assert statuses(run) == {"first": "completed", "busy": "interrupted", "busy_2": "interrupted"}
        assert run.steps["busy"].logs == "at it\n"
        assert run.status == "interrupted"
    elif how == "kill -9 of the host":
        assert "was killed by SIGKILL" in err
        assert run.status == "failed"


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


def test_a_killed_step_may_ask_for_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from artvcs.pipelines.run.capacity import Capacity

    asked: list[int] = []
    take = Capacity.take

    def noting(self: Capacity, step: str, needs: Any) -> None:
        asked.append(needs.memory)
        take(self, step, needs)

    monkeypatch.setattr(Capacity, "take", noting)

    @step(resources={"memory": "1MB"}, retry={"count": 3, "memory": "×2"})
    def greedy() -> int:
        with open("tries", "a") as file:
            file.write(".")
        if Path("tries").stat().st_size < 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1

    @pipeline
    def flow() -> None:
        greedy()

    assert statuses(in_processes(flow)()) == {"greedy": "completed"}
    assert asked == [1_000_000, 2_000_000, 4_000_000]


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


# What a process inherits, and what it must not


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
    from artvcs.pipelines.run.executors.processes import foreman

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


def test_values_of_classes_of_the_script_go_from_one_process_to_another(python: Any, project: Path) -> None:
    (project / "flow.py").write_text(OWN_CLASS)
    assert python("flow.py").stdout == "[0, 1, 2, 3]\n"
    (project / "flow.py").write_text(OWN_CLASS.replace("return own.value", "return own.value + 1"))
    assert python("flow.py").stdout == "[1, 2, 3, 4]\n"


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


def test_what_a_step_has_started_goes_on_after_it_as_inline() -> None:
    @step
    def start() -> int:
        return subprocess.Popen(["sleep", "60"]).pid

    @pipeline
    def flow() -> None:
        start()

    pid = in_processes(flow)().steps["start"].output.load()
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)


def test_too_few_open_files_are_a_sentence_or_fewer_processes(project: Path) -> None:
    (project / "flow.py").write_text(OWN_CLASS)
    for limit in (40, 64):
        command = f"ulimit -n {limit}; exec {sys.executable} flow.py"
        few = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        assert few.stdout == "[0, 1, 2, 3]\n" or "files may be open here, which is too few" in few.stderr
