"""How processes of steps die, what becomes of their steps, and that nothing is left running."""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, pipeline, step
from artvcs.pipelines.errors import RunFailed
from artvcs.pipelines.run.executors.processes import foreman
from artvcs.pipelines.run.side_by_side.capacity import Capacity
from artvcs.vcs.upkeep.check.fsck import fsck

from ...helpers import in_processes, statuses, wait_for

pytestmark = pytest.mark.usefixtures("project")


@step
def where(number: int) -> int:
    return os.getpid()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def segfault() -> None:
    faulthandler.disable()  # which pytest has enabled
    os.kill(os.getpid(), signal.SIGSEGV)


def leave() -> None:
    os._exit(3)


def listen_no_more() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    time.sleep(60)


DEATHS: dict[str, tuple[Callable[[], None], str]] = {
    "killed": (kill, "was killed by SIGKILL, as Linux does where memory runs out"),
    "segfault": (segfault, "was killed by SIGSEGV, by a fault of a library"),
    "exit": (leave, "ended its process with exit code 3"),
    "deaf": (listen_no_more, "took longer than its timeout"),
}


@pytest.mark.long
@pytest.mark.parametrize("how", DEATHS)
def test_a_step_that_kills_its_process_fails_alone(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreman, "GRACE", 0.3)

    @step(timeout=0.3)
    def dies(how: str) -> None:
        print("last words", flush=True)
        DEATHS[how][0]()

    @pipeline
    def flow() -> None:
        dies(how)
        where(1)

    with pytest.raises(RunFailed, match=DEATHS[how][1]) as failed:
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


def written(project: Path) -> list[int]:
    """What processes have written of themselves so far."""
    return [int(pid) for path in sorted(project.glob("pids-*")) for pid in path.read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.long
@pytest.mark.parametrize("how", ["Ctrl-C", "kill -9", "kill -9 of the host"])
def test_nothing_is_left_running(project: Path, how: str) -> None:
    (project / "busy.py").write_text(BUSY)
    process = subprocess.Popen(
        [sys.executable, "busy.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: len(written(project)) == 6)
    pids = written(project)
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


def test_a_killed_step_may_ask_for_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
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
    (project / "flow.py").write_text(BUSY.replace("time.sleep(1000)", "child.kill()"))
    for limit in (40, 64):
        command = f"ulimit -n {limit}; exec {sys.executable} flow.py"
        few = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        assert few.returncode == 0 or "files may be open here, which is too few" in few.stderr
