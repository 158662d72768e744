"""Workers, schedulers and coordinators that die in the midst of a run, and steps that cannot be executed there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from artvcs import Client, load_artifact
from artvcs.pipelines.run.executors.clusters.worker import post
from artvcs.pipelines.run.executors.processes.foreman import GRACE
from artvcs.vcs.upkeep.check.fsck import fsck
from tests.servers.clusters import Dask, wait_until

from .conftest import Art, write

Begun = Callable[..., subprocess.Popen[str]]
Outposts = Callable[[], int]

WAITING = """
    import os, time
    from pathlib import Path
    from typing import Annotated
    from artvcs import pipeline, step

    SIGNS = Path({signs!r})  # a folder that only the test looks at


    @step(retry={retry})
    def waits(other: int) -> Annotated[int, "waited"]:
        (SIGNS / f"begun-{{os.getpid()}}").touch()
        while not (SIGNS / "go").exists():
            time.sleep(0.02)
        return 42


    @step
    def other() -> Annotated[int, "other"]:
        return 1


    @pipeline(execution_mode="continue_on_failure")
    def flow() -> None:
        waits(other())
"""


@pytest.fixture
def signs(tmp_path: Path) -> Path:
    """Where steps show that they have begun, and wait for a sign."""
    folder = tmp_path / "signs"
    folder.mkdir()
    return folder


def begun(signs: Path) -> int:
    """How many executions have begun."""
    return len(list(signs.glob("begun-*")))


def waiting(shared: Path, signs: Path, begun_art: Begun, engine: str, retry: int = 0) -> subprocess.Popen[str]:
    """A run whose second step has begun, and waits for a sign."""
    write(shared / "flow.py", WAITING.format(signs=str(signs), retry=retry))
    running = begun_art("run", "flow.py", "--executor", engine)
    wait_until(lambda: begun(signs) == 1, "the step has not begun")
    return running


def worker_above(process: int) -> int:
    """The worker of an engine whose outpost a process belongs to."""
    while b"clusters.worker.outpost" in Path(f"/proc/{process}/cmdline").read_bytes():
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return process


@pytest.fixture
def outposts(tmp_path: Path) -> Outposts:
    """How many processes of outposts there are on the workers of these tests, which have homes of their own."""
    home = f"HOME={tmp_path.parent}".encode()

    def count() -> int:
        found = 0
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                is_outpost = b"clusters.worker.outpost" in (process / "cmdline").read_bytes()
                found += is_outpost and home in (process / "environ").read_bytes()
        return found

    return count


@pytest.mark.clusters
@pytest.mark.parametrize("retry", [0, 1])
def test_a_worker_that_dies_is_a_failed_try(
    retry: int, shared: Path, signs: Path, begun_art: Begun, breakable: Dask
) -> None:
    worker = breakable.add_worker("--no-nanny")
    running = waiting(shared, signs, begun_art, breakable.executor, retry)
    breakable.kill(worker)
    breakable.add_worker("--no-nanny")
    wait_until(lambda: begun(signs) == 1 + retry or running.poll() is not None, "it was not tried again")
    (signs / "go").touch()
    said, _ = running.communicate(timeout=60)
    assert load_artifact("other") == 1
    if retry:
        assert running.returncode == 0, said
        assert load_artifact("waited") == 42
        step = Client().list_pipeline_runs()[0].steps["waits"]
        assert "Try 1 of 2 failed" in step.logs
    else:
        assert running.returncode == 1
        assert "The step 'waits' was lost: the worker tcp://" in said
        time.sleep(1)  # in which the other worker could begin, to which Dask gives it on its own
        assert begun(signs) == 1
    assert list(fsck(Client().repository.layout.folder)) == []


@pytest.mark.clusters
def test_that_no_worker_is_left_is_said(shared: Path, signs: Path, begun_art: Begun, breakable: Dask) -> None:
    worker = breakable.add_worker("--no-nanny")
    running = waiting(shared, signs, begun_art, breakable.executor, retry=1)
    breakable.kill(worker)
    assert running.stdout is not None
    told = "No worker of Dask is left, and the run waits for one: start one, as `dask worker "
    assert any(told in line for line in running.stdout), "it is said while it waits"
    breakable.add_worker("--no-nanny")
    (signs / "go").touch()
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert told not in said, "once"


@pytest.mark.clusters
def test_what_a_worker_of_ray_executed_ends_with_it(
    shared: Path, signs: Path, begun_art: Begun, ray: str, outposts: Outposts
) -> None:
    running = waiting(shared, signs, begun_art, ray)
    (step,) = (int(path.name.removeprefix("begun-")) for path in signs.glob("begun-*"))
    os.kill(worker_above(step), signal.SIGKILL)
    killed = time.monotonic()
    wait_until(lambda: not Path(f"/proc/{step}").exists(), "the step goes on")
    assert time.monotonic() - killed < GRACE  # it was interrupted, and did not have to be killed
    said, _ = running.communicate(timeout=60)
    assert "The step 'waits' was lost: its worker has ended" in said
    wait_until(lambda: outposts() == 0, "something goes on at the worker")


@pytest.mark.clusters
def test_a_scheduler_that_dies_ends_the_run_with_a_sentence(
    shared: Path, signs: Path, art: Art, begun_art: Begun, breakable: Dask, outposts: Outposts
) -> None:
    breakable.add_worker()
    running = waiting(shared, signs, begun_art, breakable.executor)
    assert outposts() > 0
    breakable.kill(breakable.scheduler)
    said, _ = running.communicate(timeout=60)
    assert "The connection to the Dask scheduler was lost; start it again" in said
    wait_until(lambda: outposts() == 0, "something goes on at the worker")
    (signs / "go").touch()
    assert "2 steps, 1 reused" in art("run", "flow.py").stdout


@pytest.mark.clusters
def test_ctrl_c_leaves_nothing_running(
    shared: Path, signs: Path, begun_art: Begun, engine: str, outposts: Outposts
) -> None:
    running = waiting(shared, signs, begun_art, engine)
    assert outposts() > 0
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=30)
    assert "Interrupted; what had finished is kept" in said
    wait_until(lambda: outposts() == 0, "something goes on at the worker")
    run = Client().list_pipeline_runs()[0]
    assert {name: each.status for name, each in run.steps.items()} == {"other": "completed", "waits": "interrupted"}


@pytest.mark.clusters
def test_a_coordinator_that_dies_is_missed(
    shared: Path, signs: Path, begun_art: Begun, ray: str, outposts: Outposts
) -> None:
    running = waiting(shared, signs, begun_art, ray)
    assert outposts() > 0
    os.killpg(running.pid, signal.SIGKILL)
    wait_until(lambda: outposts() == 0, "something goes on at the worker")


BAD = """
    import os, signal, threading, time
    from typing import Annotated
    from artvcs import pipeline, step


    def with_lock():
        lock = threading.Lock()

        @step
        def locked() -> int:
            with lock:
                return 1

        return locked


    @step(timeout=0.5)
    def slow() -> None:
        time.sleep(60)


    @step(retry=1)
    def dies() -> None:
        print("last words", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


    @step(resources={"gpus": 3})
    def large() -> None:
        pass


    @step
    def good() -> Annotated[int, "good"]:
        return 1


    @pipeline(execution_mode="continue_on_failure")
    def flow() -> None:
        with_lock()()
        slow()
        dies()
        large()
        good()
"""


@pytest.mark.long
def test_each_step_that_cannot_be_executed_says_why_and_the_others_stand(shared: Path, art: Art, engine: str) -> None:
    write(shared / "flow.py", BAD)
    art("run", "flow.py", "--executor", engine, check=False)
    run = Client().list_pipeline_runs()[0]
    said = {name: each.failure.message for name, each in run.steps.items() if each.failure is not None}
    assert "The step 'locked' cannot be sent to a worker (TypeError: cannot pickle '_thread.lock'" in said["locked"]
    assert "took longer than its timeout of 0.5 s" in said["slow"]
    assert "The step 'dies' was killed by SIGKILL" in said["dies"]
    assert run.steps["dies"].logs.count("last words") == 2
    assert "The step 'large' needs 3 graphics cards, and no" in said["large"]
    assert load_artifact("good") == 1


@pytest.mark.clusters
def test_a_worker_with_another_version_of_a_package_says_which(
    shared: Path, art: Art, breakable: Dask, tmp_path: Path
) -> None:
    for version, folder in (("1.0", "here"), ("2.0", "there")):
        write(tmp_path / folder / "site-packages" / "oddity.py", "def odd(): return 3\n")
        write(
            tmp_path / folder / "site-packages" / f"oddity-{version}.dist-info" / "METADATA",
            f"Metadata-Version: 2.1\nName: oddity\nVersion: {version}\n",
        )
        write(tmp_path / folder / "site-packages" / f"oddity-{version}.dist-info" / "RECORD", "oddity.py,,\n")
    breakable.add_worker(PYTHONPATH=str(tmp_path / "there" / "site-packages"))
    write(
        shared / "flow.py",
        """
        import oddity
        from artvcs import pipeline, step


        @step
        def odd() -> int:
            return oddity.odd()


        @pipeline
        def flow() -> None:
            odd()
        """,
    )
    path = str(tmp_path / "here" / "site-packages")
    done = art("run", "flow.py", "--executor", breakable.executor, check=False, PYTHONPATH=path)
    assert "The code of the step 'odd' is not the same on the worker (oddity 2.0 there and 1.0 here)" in done.stderr


def test_a_worker_with_another_python_or_artvcs_refuses() -> None:
    here = post.versions()
    header = post.Header("session", ("2.7", here[1]), (1,))
    [ended] = post.perform(header, (b"",), Deaf())
    assert ended[0] == "refused"
    assert ended[1] == f"it has Python {here[0]}, and the machine that runs the pipeline Python 2.7; install 2.7"


class Deaf:
    """A way to a coordinator that has died before it told its session."""

    worker = "here"
    given_up = threading.Event()

    def begins(self, header: post.Header) -> bool:
        return True

    def say(self, message: bytes) -> None:
        raise AssertionError("there is nobody")

    def ask(self, message: bytes, is_wanted: Callable[[], bool]) -> bytes:
        raise AssertionError("there is nobody")

    def session(self) -> bytes:
        self.given_up.wait()
        raise TimeoutError


def test_a_coordinator_that_does_not_answer_holds_up_no_other() -> None:
    def perform(run: str, line: post.Line) -> list[post.Ended]:
        return post.perform(post.Header(run, post.versions(), (1,)), (b"",), line)

    class Garbled(Deaf):
        def session(self) -> bytes:
            return b"no session"

    with ThreadPoolExecutor(1) as pool:
        dead = pool.submit(perform, "of the dead", Deaf())
        [(how, _)] = perform("of another", Garbled())  # which is refused for what it tells, and at once
        assert how == "refused"
        assert not dead.done()
        Deaf.given_up.set()
        assert dead.result() == [("lost", "the machine that runs the pipeline does not answer")]


@pytest.mark.clusters
def test_what_an_engine_needs_is_said(place: Path, art: Art, breakable: Dask) -> None:
    write(place / "flow.py", BAD)
    art("init")
    done = art("run", "flow.py", "--executor", breakable.executor, check=False)
    assert "Steps on Dask need a remote by which data comes to its workers; `art remote add origin URL`" in done.stderr
    art("remote", "add", "origin", str(place.parent / "remote"))
    done = art("run", "flow.py", "--executor", breakable.executor, check=False)
    assert "has no workers; start some, as `dask worker tcp://" in done.stderr
    begun = time.monotonic()
    done = art("run", "flow.py", "--executor", "dask://tcp://127.0.0.1:9", check=False)
    assert "No scheduler of Dask can be reached at tcp://127.0.0.1:9 (connection refused); start one" in done.stderr
    assert "interrupted" not in done.stderr
    done = art("run", "flow.py", "--executor", "ray://127.0.0.1:9", check=False)
    assert "No Ray can be reached at 127.0.0.1:9 (connection refused); start one there" in done.stderr
    assert time.monotonic() < begun + 20, "the engines themselves try for half a minute"
    assert Client().list_pipeline_runs()[0].steps == {}


@pytest.mark.clusters
@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"])
def test_who_answers_and_is_no_scheduler_is_not_waited_for(shared: Path, art: Art, answer: bytes) -> None:
    write(shared / "flow.py", BAD)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):  # the server is closed
                while True:
                    kept.append(server.accept()[0])
                    kept[-1].sendall(answer)

        kept: list[socket.socket] = []
        threading.Thread(target=serve, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        done = art("run", "flow.py", "--executor", f"dask://{address}", check=False)
    assert f"can be reached at tcp://{address} (who answers is no scheduler); start one there" in done.stderr


def test_without_the_package_it_is_said_what_to_install(shared: Path, art: Art) -> None:
    write(shared / "flow.py", BAD)
    hide = "import sys; sys.modules['ray'] = None; from artvcs.cli import start; sys.argv[1:] = {!r}; start()"
    command = hide.format(["run", "flow.py", "--executor", "ray"])
    done = subprocess.run([sys.executable, "-c", command], cwd=shared, capture_output=True, text=True, check=False)
    assert "Ray is not installed here (ray is missing); `pip install 'artvcs[ray]'` does that." in done.stderr


@pytest.mark.long
@pytest.mark.parametrize("engine", ["on_dask", "on_ray"])
def test_an_engine_s_worker_loads_nothing_but_what_starts_outposts(engine: str) -> None:
    """Which would take its time and memory in each worker, whoever else it works for."""
    pytest.importorskip({"on_dask": "distributed", "on_ray": "ray"}[engine])
    code = f"import sys; import artvcs.pipelines.run.executors.clusters.engines.{engine}.worker; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "artvcs.pipelines.run.executors.clusters.worker.post" in loaded
    assert {"artvcs.vcs", "pygit2", "artvcs.pipelines.define"}.isdisjoint(loaded)
