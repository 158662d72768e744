"""Leases: who uses an older state is known as long as they live, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from artvcs.vcs.storage.disk import leases


def uses(folder: Path) -> list[int]:
    return [holder.seq for holder in leases.holders(folder)]


def test_the_oldest_state_in_use_comes_first(tmp_path: Path) -> None:
    folder = tmp_path / "leases"
    assert leases.holders(folder) == []
    held = [leases.begin(folder, seq) for seq in (7, 3, 5)]
    assert uses(folder) == [3, 5, 7]
    held[1].move(9)
    assert uses(folder) == [5, 7, 9]
    held[2].end()
    assert uses(folder) == [7, 9]
    for lease in held:
        lease.end()  # twice is as once
    assert list(folder.iterdir()) == []


def test_a_holder_says_who_and_since_when(tmp_path: Path) -> None:
    before = leases.begin(tmp_path, 1)
    [holder] = leases.holders(tmp_path)
    assert holder.process == os.getpid()
    assert abs(holder.begun - tmp_path.stat().st_mtime * 1000) < 60_000
    before.end()


def test_a_lease_that_says_nothing_yet_may_use_anything(tmp_path: Path) -> None:
    lease = leases.begin(tmp_path, 5)
    [path] = tmp_path.iterdir()
    for text in (b"", b"torn\xff"):
        path.write_bytes(text)
        assert uses(tmp_path) == [0]
    lease.end()


def test_a_strange_file_among_leases_is_no_lease(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert uses(tmp_path) == []


HOLD = """
import sys, time
from pathlib import Path
from artvcs.vcs.storage.disk import leases
lease = leases.begin(Path(sys.argv[1]), 4)
print("holding", flush=True)
time.sleep(60)
"""


def test_the_lease_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        [holder] = leases.holders(tmp_path)
        assert (holder.seq, holder.process) == (4, process.pid)
        process.send_signal(signal.SIGKILL)
    assert leases.holders(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def in_a_child(work: str, folder: Path, lease: leases.Lease) -> int:
    """Does something in a forked process and returns its exit code."""
    child = os.fork()
    if child == 0:
        try:
            if work == "end":
                lease.end()
            elif work == "move":
                with open(folder / "of the child", "w+b") as other:  # takes the descriptor that the lock had
                    other.write(b"untouched")
                    other.flush()
                    lease.move(99)
                    other.seek(0)
                    os._exit(0 if other.read() == b"untouched" else 2)
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_neither_ends_nor_moves_its_parents_lease(tmp_path: Path) -> None:
    folder = tmp_path / "leases"
    lease = leases.begin(folder, 4)
    for work in ("end", "move", "exit"):
        assert in_a_child(work, tmp_path, lease) == 0
        assert uses(folder) == [4]
    lease.end()
    assert uses(folder) == []


FORK = HOLD.replace(
    "time.sleep(60)",
    """
import os
if os.fork() == 0:
    print("alone", flush=True)
    time.sleep(10)
time.sleep(0.1)
os._exit(0)
""",
)


def test_a_forked_child_does_not_keep_its_dead_parents_lease_alive(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", FORK, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["holding\n", "alone\n"]
        process.wait()
        assert leases.holders(tmp_path) == []
