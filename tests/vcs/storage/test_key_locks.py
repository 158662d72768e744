"""Locks on keys: of two who want one at the same time one has it, and it goes with its process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.storage.disk.key_locks import KeyLocks

KEY, OTHER = Oid("ab" * 32), Oid("cd" * 32)

ELSEWHERE = """
import os, sys
from pathlib import Path
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.storage.disk.key_locks import KeyLocks

locks = KeyLocks(Path(sys.argv[1]))
print(*(locks.take(Oid(key)) for key in sys.argv[2:]), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "running"


@pytest.fixture
def locks(folder: Path) -> Iterator[KeyLocks]:
    found = KeyLocks(folder)
    yield found
    found.close()


def another_process(folder: Path, *keys: Oid) -> tuple[subprocess.Popen[str], list[str]]:
    """A process that tries to take locks, and what it has come to."""
    command = [sys.executable, "-c", ELSEWHERE, str(folder), *keys]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    return started, started.stdout.readline().split()


def is_refused_elsewhere(folder: Path, key: Oid) -> bool:
    process, said = another_process(folder, key)
    process.communicate("\n")
    return said == ["False"]


def test_another_process_is_refused_what_is_taken_and_told_by_whom(folder: Path, locks: KeyLocks) -> None:
    process, said = another_process(folder, KEY)
    assert said == ["True"]
    assert not locks.take(KEY)
    assert locks.owner(KEY) == process.pid
    assert locks.take(OTHER)
    process.communicate("\n")
    assert locks.owner(KEY) is None
    assert locks.take(KEY)
    assert list(locks) in ([KEY, OTHER], [OTHER, KEY])


def test_a_killed_process_holds_nothing(folder: Path, locks: KeyLocks) -> None:
    process, _ = another_process(folder, KEY)
    process.kill()
    process.communicate()
    assert locks.take(KEY)


def test_in_one_process_an_instance_keeps_others_out(folder: Path, locks: KeyLocks) -> None:
    beside = KeyLocks(folder)
    assert locks.take(KEY)
    assert locks.take(KEY)
    assert not beside.take(KEY)
    assert beside.owner(KEY) == os.getpid()
    locks.release(KEY)
    assert beside.take(KEY)
    beside.close()


def test_what_one_instance_closes_leaves_the_locks_of_others(folder: Path, locks: KeyLocks) -> None:
    beside = KeyLocks(folder)
    assert locks.take(KEY)
    assert beside.take(OTHER)
    beside.close()
    assert not is_refused_elsewhere(folder, OTHER)
    assert is_refused_elsewhere(folder, KEY)
    assert beside.take(OTHER)  # it can be used again
    beside.close()


def test_a_forked_child_holds_nothing_and_gives_nothing_up(folder: Path, locks: KeyLocks) -> None:
    assert locks.take(KEY)
    child = os.fork()
    if not child:
        own = KeyLocks(folder)
        refused = not own.take(KEY)
        os._exit(0 if refused and own.take(OTHER) and own.owner(KEY) == os.getppid() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert locks.take(OTHER)
    assert is_refused_elsewhere(folder, KEY)


def test_a_repository_that_was_made_anew_in_its_place_has_locks_of_its_own(folder: Path, locks: KeyLocks) -> None:
    assert locks.take(KEY)
    folder.rename(folder.with_name("before"))
    anew = KeyLocks(folder)
    assert anew.take(KEY)
    anew.close()


def test_ten_thousand_take_four_open_files(folder: Path, locks: KeyLocks) -> None:
    before = len(os.listdir("/dev/fd"))
    assert all(locks.take(Oid(os.urandom(32).hex())) for _ in range(10_000))
    assert len(os.listdir("/dev/fd")) - before <= 4
    locks.close()
    assert len(os.listdir("/dev/fd")) == before


def test_what_is_no_file_is_refused(folder: Path, locks: KeyLocks, tmp_path: Path) -> None:
    folder.mkdir()
    (tmp_path / "mine").write_text("untouched")
    for number in range(4):
        (folder / str(number)).symlink_to(tmp_path / "mine")
    with pytest.raises(DamagedError, match=r"running/\d"):
        locks.take(KEY)
