"""Running a graph: order, failures, interruptions, several processes, and many steps."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from artvcs import Client, pipeline, step
from artvcs.pipelines import pipelines
from artvcs.pipelines.define.graph import Graph
from artvcs.pipelines.errors import RunFailed
from artvcs.pipelines.record import publisher
from artvcs.vcs.upkeep.check.fsck import fsck
from tests.conftest import Python

from ..helpers import statuses, wait_for

pytestmark = pytest.mark.usefixtures("project")


@step
def good(x: int) -> int:
    return x


@step
def bad() -> int:
    if Path("mended").exists():
        return 1
    raise ValueError("broken")


@step
def join(x: int, y: int) -> int:
    return x + y


@pipeline
def forked() -> None:
    good(join(bad(), good(1)))
    good(2, id="apart")  # type: ignore[call-arg]


# Failures


def test_steps_that_do_not_depend_on_a_failed_one_finish() -> None:
    with pytest.raises(RunFailed) as failed:
        forked()
    assert statuses(failed.value.run) == {
        "bad": "failed", "good": "completed", "apart": "completed", "join": "skipped", "good_2": "skipped",
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["stop_on_failure", "fail_fast"])
def test_other_modes_begin_nothing_after_a_failure(mode: Any) -> None:
    @pipeline(execution_mode=mode)
    def flow() -> None:
        bad()
        good(1)
        good(2)

    with pytest.raises(RunFailed) as failed:
        flow()
    assert statuses(failed.value.run) == {"bad": "failed", "good": "skipped", "good_2": "skipped"}


def test_running_again_resumes() -> None:
    with pytest.raises(RunFailed):
        forked()
    Path("mended").touch()
    assert statuses(forked()) == {
        "bad": "completed", "good": "cached", "apart": "cached", "join": "completed", "good_2": "completed",
    }  # fmt: skip


def test_a_failed_run_is_recorded() -> None:
    with pytest.raises(RunFailed) as failed:
        forked()
    [run] = Client().list_pipeline_runs("forked")
    assert run.status == "failed"
    assert run.id == failed.value.run.id  # type: ignore[attr-defined]
    assert "broken" in str(run.steps["bad"].failure)


# Interruptions


def test_ctrl_c_in_a_step_keeps_what_has_finished() -> None:
    @step
    def interrupted(x: int) -> int:
        if not Path("mended").exists():
            raise KeyboardInterrupt
        return x

    @pipeline
    def flow() -> None:
        interrupted(good(1))

    with pytest.raises(KeyboardInterrupt) as stopped:
        flow()
    # Where somebody pressed it is seen at once: in their own code, not in ours between.
    assert [frame.name for frame in stopped.traceback] == [
        "test_ctrl_c_in_a_step_keeps_what_has_finished", "__call__", "interrupted",
    ]  # fmt: skip
    assert stopped.value.__notes__ == ["What had finished is kept: run it again to go on."]
    [run] = Client().list_pipeline_runs()
    assert run.status == "interrupted"
    assert statuses(run) == {"good": "completed", "interrupted": "interrupted"}
    Path("mended").touch()
    assert statuses(flow()) == {"good": "cached", "interrupted": "completed"}


HANGING = textwrap.dedent(
    """
    import os, sys, time
    from pathlib import Path
    from artvcs import pipeline, step

    @step
    def first() -> int:
        return 1

    @step
    def hang(x: int) -> int:
        if not Path("mended").exists():
            Path("hanging").touch()
            while True:
                time.sleep(60)
        return x + 1

    @pipeline
    def flow():
        hang(first())

    if __name__ == "__main__":
        if len(sys.argv) > 1:
            from artvcs.pipelines.record import publisher
            publisher.DELAY = float(sys.argv[1])
        print({name: each.status for name, each in flow().steps.items()})
    """
)


@pytest.fixture
def hanging(project: Path) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts a run in another process; returns when its second step hangs."""
    (project / "flow.py").write_text(HANGING)
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([sys.executable, "flow.py", *arguments])
        started.append(process)
        wait_for(lambda: (project / "hanging").exists() or process.poll() is not None)
        assert process.poll() is None
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_kill_9_keeps_what_has_finished_and_leaves_no_lock(hanging: Any, python: Any, project: Path) -> None:
    kill(hanging())
    [run] = Client().list_pipeline_runs()
    assert run.status == "interrupted"
    assert statuses(run) == {"first": "completed"}
    assert run.steps["first"].output.load() == 1
    (project / "mended").touch()
    assert python("flow.py").stdout.strip() == "{'first': 'cached', 'hang': 'completed'}"
    assert list(fsck(project / ".artifacts")) == []


WRITING = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from artvcs import pipeline, step

    @step
    def write(k: int) -> None:
        with open("both.txt", "w") as file:
            file.write(f"{k} a\\n")
            file.flush()
            if "killed" in sys.argv:
                os.kill(os.getpid(), signal.SIGKILL)
            file.write(f"{k} b\\n")

    @step
    def read() -> str:
        return Path("both.txt").read_text()

    @pipeline
    def flow(k: int):
        write(k)
        read(after="write")

    if __name__ == "__main__":
        print(flow(int(sys.argv[1])).steps["read"].output.load().split("\\n"))
    """
)


@pytest.mark.long
def test_what_a_killed_step_has_half_written_is_nobodys_edit(python: Any, project: Path) -> None:
    (project / "flow.py").write_text(WRITING)
    assert python("flow.py", "1").stdout.strip() == "['1 a', '1 b', '']"
    python("flow.py", "2", "killed", check=False)
    assert (project / "both.txt").read_text() == "2 a\n"
    assert python("flow.py", "1").stdout.strip() == "['1 a', '1 b', '']"
    (project / "both.txt").write_text("mine")
    assert python("flow.py", "1").stdout.strip() == "['mine']"
    assert (project / "both.txt").read_text() == "mine"


def test_kill_9_of_a_run_that_was_published_while_it_went_on(hanging: Any) -> None:
    process = hanging("0.01")
    wait_for(
        lambda: bool(Client().repository.store.refresh().seq > 1) and "first" in Client().list_pipeline_runs()[0].steps
    )
    wait_for(lambda: any(Client().repository.layout.incoming.iterdir()))
    assert Client().list_pipeline_runs()[0].status == "running"
    kill(process)
    assert Client().list_pipeline_runs()[0].status == "interrupted"


def test_a_run_that_goes_on_is_seen_from_outside(hanging: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging("0.01")
    wait_for(lambda: bool(Client().repository.store.refresh().seq > 1))
    assert [run.status for run in Client().list_pipeline_runs()] == ["running"]


def test_two_processes_run_the_same_pipeline_at_once(project: Path) -> None:
    (project / "flow.py").write_text(
        textwrap.dedent(
            """
            import sys
            from artvcs import pipeline, step

            @step
            def number(i: int) -> int:
                return i

            @pipeline
            def flow(who: int):
                for i in range(10):
                    number(i)
                number(100 + who)

            run = flow(int(sys.argv[1]))
            assert [each.output.load() for each in run.steps.values()] == [*range(10), 100 + int(sys.argv[1])]
            """
        )
    )
    processes = [subprocess.Popen([sys.executable, "flow.py", str(who)]) for who in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    client = Client()
    assert [run.status for run in client.list_pipeline_runs()] == ["completed"] * 3
    versions = client.list_artifact_versions("flow::number::output")
    assert [version.number for version in versions] == list(range(1, 14))
    assert sorted(version.load() for version in versions) == [*range(10), 100, 101, 102]
    executions = {each.record.commit for run in client.list_pipeline_runs() for each in run.steps.values()}
    assert len(executions) == 13
    assert list(fsck(project / ".artifacts")) == []


# What is in the way


@pytest.mark.long
def test_a_full_disk_fails_in_words_and_loses_nothing(python: Any, project: Path) -> None:
    disk = project / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        (project / "flow.py").write_text(
            textwrap.dedent(
                """
                import os, sys
                from artvcs import pipeline, step
                from artvcs.vcs.errors import ArtError, DiskFull

                @step
                def small() -> int:
                    return 7

                @step
                def big(x: int, size: int) -> bytes:
                    return os.urandom(size)

                @pipeline
                def flow(size: int):
                    big(small(), size)

                try:
                    print([each.status for each in flow(int(sys.argv[1])).steps.values()])
                except ArtError as error:
                    found = error
                    while found is not None and not isinstance(found, DiskFull):
                        found = found.__cause__ or found.__context__
                    print(type(found).__name__)
                """
            )
        )
        here = {"ARTVCS_DIR": str(disk / ".artifacts")}
        assert python("flow.py", "1000", **here).stdout.strip() == "['completed', 'completed']"
        assert python("flow.py", "3000000", **here).stdout.strip() == "DiskFull"
        assert python("flow.py", "2000", **here).stdout.strip() == "['cached', 'completed']"
        assert list(fsck(disk / ".artifacts")) == []
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_repository_that_cannot_be_written_says_so(python: Any, project: Path) -> None:
    (project / "place").write_text("a file where the folder should be")
    (project / "flow.py").write_text(HANGING)
    done = python("flow.py", check=False, ARTVCS_DIR=str(project / "place" / ".artifacts"))
    assert "artvcs.vcs.errors.StorageError" in done.stderr.splitlines()[-1]


def test_a_forked_step_does_no_harm() -> None:
    @step
    def forks() -> int:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return 1

    @pipeline
    def flow() -> None:
        forks()

    assert flow().steps["forks"].output.load() == 1


# Many steps


@pytest.mark.long
@pytest.mark.parametrize("kind", ["chain", "apart"])
def test_the_cost_of_a_step_does_not_grow_with_their_number(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted and not timed: how many bytes are put into the store for each step."""
    from artvcs.vcs.storage.packs.pack import Item
    from artvcs.vcs.storage.packs.pack_writer import PackWriter

    monkeypatch.setattr(publisher, "DELAY", 3600.0)
    stored: list[int] = []
    add = PackWriter.add

    def counted(self: PackWriter, item: Item) -> None:
        stored.append(item.size if item.kind == "run" else 0)
        add(self, item)

    monkeypatch.setattr(PackWriter, "add", counted)

    @pipeline
    def flow(n: int) -> None:
        x = good(-n)
        for i in range(n):
            x = join(x, 1) if kind == "chain" else good(i - 1000 * n)

    def per_step(n: int) -> float:
        stored.clear()
        assert len(flow(n).steps) == n + 1
        return sum(stored) / n

    few = per_step(100)
    assert per_step(400) < 2 * few


def test_many_short_steps_need_few_open_files(project: Path, python: Python) -> None:
    (project / "flow.py").write_text(
        "import resource\n"
        "from artvcs import pipeline, step\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))\n"
        "@step\n"
        "def item(number: int) -> int:\n"
        "    return number\n"
        "@pipeline\n"
        "def flow():\n"
        "    item.map(range(300))\n"
        "print(flow().status)\n"
    )
    assert python("flow.py").stdout == "completed\n"


@pytest.mark.parametrize("executor", ["inline", "threads", "processes"])
def test_nothing_of_a_run_stays_in_memory_when_it_has_ended(
    project: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    graphs = list[weakref.ref[Any]]()

    class Seen(Graph):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            graphs.append(weakref.ref(self))

    @step
    def item(number: int) -> int:
        return number

    @pipeline(executor=executor)
    def flow() -> None:
        item.map(range(3))

    monkeypatch.setattr(pipelines, "Graph", Seen)
    gc.disable()  # it would free what knows itself at some time, of a large run after the next has begun
    try:
        flow()
        assert [graph() for graph in graphs] == [None]
    finally:
        gc.enable()
