"""Writing so that it lasts: all or nothing, and locks that die with their holder."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from artvcs.vcs.errors import RepositoryBusy
from artvcs.vcs.storage import durable


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "register"
    durable.write_file(path, b"old")
    reader = path.open("rb")
    durable.write_file(path, b"new")
    assert (reader.read(), path.read_bytes()) == (b"old", b"new")
    reader.close()


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "register"
    durable.write_file(path, b"old")

    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output"):
        durable.write_file(path, b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("register", b"old")]


def test_a_half_written_file_lies_in_the_staging_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staging = tmp_path / "tmp"
    staging.mkdir()
    seen: list[Path] = []
    monkeypatch.setattr(os, "replace", lambda source, _: seen.append(Path(source)))
    durable.write_file(tmp_path / "register", b"new", staging=staging)
    assert seen[0].parent == staging


def test_a_short_write_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, pwrite = tmp_path / "file", os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[:3], offset))
    with open(path, "wb") as file:
        durable.write_at(file.fileno(), b"0123456789", 2)
    assert path.read_bytes() == b"\0\0" + b"0123456789"


def test_only_one_holds_an_exclusive_lock_and_many_a_shared_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = durable.open_locked(path, shared=True)
    second = durable.open_locked(path, shared=True)
    assert first is not None
    assert second is not None
    assert durable.open_locked(path) is None
    os.close(first)
    os.close(second)
    third = durable.open_locked(path)
    assert third is not None
    assert durable.open_locked(path, shared=True) is None
    os.close(third)


def test_a_lock_on_a_removed_file_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, flock = tmp_path / "lock", fcntl.flock
    taken: list[int] = []

    def removed_meanwhile(fd: int, mode: int) -> None:
        flock(fd, mode)
        if not taken:
            path.unlink()  # as its former holder does on leaving
        taken.append(fd)

    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    fd = durable.open_locked(path)
    assert fd is not None
    assert len(taken) == 2
    assert os.fstat(fd).st_ino == path.stat().st_ino
    os.close(fd)


def test_waiting_for_a_lock_ends_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        durable.lock(path, busy="unused"),
        pytest.raises(RepositoryBusy, match="look for it"),
        durable.lock(path, timeout=0.05, busy="Somebody is there; look for it."),
    ):
        pass


HOLD = """
import sys, time
from pathlib import Path
from artvcs.vcs.storage import durable
fd = durable.open_locked(Path(sys.argv[1]))
print("holding", flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_no_stale_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        assert durable.open_locked(path) is None
        process.kill()
    fd = durable.open_locked(path)
    assert fd is not None
    os.close(fd)
