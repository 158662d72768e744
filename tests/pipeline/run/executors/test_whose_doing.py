"""Steps side by side in processes: each depends on the files that it reads itself, also by code in C or Rust."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artvcs import pipeline, step
from artvcs.pipelines.trace.hearing import fanotify

pytestmark = pytest.mark.usefixtures("project")

A_WHILE = 0.4
"""Seconds before and after a step does what others may hear: by then all are there, and still are."""


@step
def read(name: str) -> int:
    """By a reader in C++."""
    time.sleep(A_WHILE)
    rows: int = pq.read_table(f"{name}.parquet").num_rows
    time.sleep(A_WHILE)
    return rows


@step
def write(name: str) -> None:
    """By a writer in C++."""
    time.sleep(A_WHILE)
    pq.write_table(pa.table({"x": [1]}), f"{name}.parquet")
    time.sleep(A_WHILE)


@step
def ask(name: str) -> str:
    """By a program."""
    time.sleep(A_WHILE)
    program = f"import pyarrow.parquet as pq; print(pq.read_table('{name}' + '.parquet').num_rows)"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pipeline
def reading() -> None:
    read("a"), read("b"), write("c")


@pipeline
def asking() -> None:
    read("a"), read("b"), ask("d")


@pytest.fixture
def tables(project: Path) -> Path:
    for name in ("a", "b", "d"):
        put(name, 1)
    return project


def put(name: str, rows: int) -> None:
    pq.write_table(pa.table({"x": list(range(rows))}), f"{name}.parquet")


def statuses(flow: Any) -> dict[str, str]:
    run = flow.with_options(executor="processes", jobs=3)()
    return {name: each.status for name, each in run.steps.items()}


@pytest.fixture(params=["told by whom", "not told by whom"])
def is_told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether Linux tells who opens a file: not in every container, nor on every file system."""
    if request.param == "told by whom":
        try:
            fanotify.Fanotify().close()
        except OSError as error:
            pytest.skip(f"here it does not: {error}")
        return True

    def refuse(_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(fanotify.Fanotify, "__init__", refuse)
    return False


@pytest.mark.long
def test_an_edit_has_those_run_again_that_read_it(tables: Path, is_told: bool) -> None:
    """Where it is not told who reads, all that ran beside run again: never one too few."""
    assert set(statuses(reading).values()) == {"completed"}
    assert set(statuses(reading).values()) == {"cached"}
    put("b", 2)
    found = statuses(reading)
    assert found["read_2"] == "completed"
    assert not is_told or (found["read"], found["write"]) == ("cached", "cached")
    assert set(statuses(reading).values()) == {"cached"}


@pytest.mark.long
def test_what_a_program_reads_is_the_doing_of_who_has_started_it(tables: Path) -> None:
    assert set(statuses(asking).values()) == {"completed"}
    assert set(statuses(asking).values()) == {"cached"}
    put("d", 2)
    assert statuses(asking)["ask"] == "completed"


@pytest.mark.long
def test_what_is_written_in_c_is_owed_by_who_has_written_it(tables: Path) -> None:
    @step
    def use() -> int:
        return int(pq.read_table("c.parquet").num_rows)

    @pipeline
    def using() -> None:
        read("a"), read("b")
        write("c")
        use(after=["write"])  # type: ignore[call-arg]

    assert set(statuses(using).values()) == {"completed"}
    Path("c.parquet").unlink()
    found = statuses(using)
    assert (found["read"], found["read_2"], found["write"]) == ("cached", "cached", "completed")
    assert pq.read_table("c.parquet").num_rows == 1


THREADS = """
import subprocess
from artvcs import pipeline, step

@step
def show(name: str) -> str:
    return subprocess.run(["sh", "-c", f"for f in *.{name}; do cat $f; done"], capture_output=True, text=True).stdout

@pipeline
def flow():
    show.map(["aa", "bb", "cc"])

run = flow.with_options(executor="threads", jobs=3)()
print([each.output.load().strip() for each in run.steps.values()])
"""


@pytest.mark.long
def test_what_programs_of_threads_read_is_heard(python: Any, project: Path) -> None:
    (project / "flow.py").write_text(THREADS)
    for number in range(200):
        (project / "many" / str(number)).mkdir(parents=True)
    for value in ("1", "2", "3"):
        for name in ("aa", "bb", "cc"):
            (project / f"x.{name}").write_text(value)
        assert python("flow.py").stdout.splitlines()[-1] == str([value] * 3)


SERVER = """
import socket, sys
there = socket.socket(socket.AF_UNIX)
there.bind("asked")
there.listen()
print("ready", flush=True)
while True:
    who, _ = there.accept()
    who.send(open(who.recv(100).decode()).read().encode())
    who.close()
"""

SERVED = """
import os, socket, subprocess, sys
import pyarrow
from artvcs import pipeline, step

@step
def ask(number: int) -> str:
    who = socket.socket(socket.AF_UNIX)
    who.connect("asked")
    who.send(b"data.txt")
    return who.recv(100).decode()

@pipeline
def flow():
    ask.map([1, 2])

if os.path.exists("asked"):
    os.unlink("asked")
server = subprocess.Popen([sys.executable, "server.py"], stdout=subprocess.PIPE)
server.stdout.readline()
try:
    run = flow.with_options(executor="processes", jobs=2)()
finally:
    server.kill()
print([each.output.load() for each in run.steps.values()])
"""


@pytest.mark.long
def test_what_a_server_reads_that_was_there_before_may_be_for_any_step(python: Any, project: Path) -> None:
    (project / "flow.py").write_text(SERVED)
    (project / "server.py").write_text(SERVER)
    for value in ("one", "two"):
        (project / "data.txt").write_text(value)
        assert python("flow.py").stdout.splitlines()[-1] == str([value] * 2)
