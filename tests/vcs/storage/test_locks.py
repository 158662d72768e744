"""Locks on files: one holder at a time, and none that outlives its process."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from artvcs.vcs.storage.disk.locks import Lock


def test_only_one_holds_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = Lock.take(path)
    assert first is not None
    assert first.held
    assert Lock.take(path) is None
    first.release()
    first.release()  # twice is as once
    assert not first.held
    second = Lock.take(path)
    assert second is not None
    second.remove()
    assert not path.exists()


def test_who_gave_a_lock_up_does_not_remove_the_file_of_the_next(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = Lock.take(path)
    assert first is not None
    first.release()
    second = Lock.take(path)
    first.remove()
    assert path.exists()
    assert second is not None
    second.release()


def test_a_lock_on_a_removed_file_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, flock = tmp_path / "lock", fcntl.flock
    taken: list[int] = []

    def removed_meanwhile(fd: int, mode: int) -> None:
        flock(fd, mode)
        if not taken:
            path.unlink()  # as its former holder does on leaving
        taken.append(fd)

    with monkeypatch.context() as racing:
        racing.setattr(fcntl, "flock", removed_meanwhile)
        lock = Lock.take(path)
    assert lock is not None
    assert len(taken) == 2
    assert os.fstat(lock.fd).st_ino == path.stat().st_ino
    lock.release()


@pytest.mark.parametrize("wait", [Lock.wait, Lock.queue])
def test_waiting_for_a_lock_ends(tmp_path: Path, wait: Callable[[Path, float], Lock | None]) -> None:
    path = tmp_path / "lock"
    first = Lock.take(path)
    assert first is not None
    assert wait(path, 0.05) is None
    timer = threading.Timer(0.05, first.release)
    timer.start()
    second = wait(path, 60)
    assert second is not None
    second.release()
    timer.join()


def test_locks_leave_no_descriptors_behind(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    lock = Lock.take(tmp_path / "lock")
    assert lock is not None
    for _ in range(10):
        assert Lock.take(tmp_path / "lock") is None
    lock.remove()
    assert len(os.listdir("/proc/self/fd")) == before


HOLD = """
import sys, time
from pathlib import Path
from artvcs.vcs.storage.disk.locks import Lock
lock = Lock.take(Path(sys.argv[1]))
print("holding", flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_no_stale_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        assert Lock.take(path) is None
        process.kill()
    lock = Lock.take(path)
    assert lock is not None
    lock.release()


def test_a_forked_child_has_none_of_its_parents_locks(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = Lock.take(path)
    assert lock is not None
    child = os.fork()
    if child == 0:
        lock.remove()
        os._exit(1 if lock.held or Lock.take(path) is not None else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.exists()
    assert Lock.take(path) is None
    lock.release()
    again = Lock.take(path)
    assert again is not None
    again.release()
