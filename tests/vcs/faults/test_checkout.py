"""A checkout is killed or refused at every system call: files are all old or all new, and nothing is left over."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs.vcs.storage.disk import durable

from . import checkouts, scenarios
from .inject import needs_strace, run

pytestmark = [pytest.mark.faults, needs_strace]

CALLS = ("renameat2", "fsync", "syncfs", "write", "pwrite64", "openat", "mkdir", "flock", "unlink", "unlinkat", "rmdir")
TYPED = {"ENOSPC": {"DiskFull", ""}, "EIO": {"StorageError", "DamagedError", "WouldOverwrite", ""}}


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "tester")


@pytest.fixture(autouse=True)
def a_few_files_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_MANY", 5)  # so that folders are made durable by one call, and a file by its own


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("target", list(checkouts.NAMES))
def test_killed_at_every_call(tmp_path: Path, target: str, call: str) -> None:
    checkouts.prepare(tmp_path / "template")
    for number in range(1, 200):
        folder = scenarios.copy(tmp_path / "template", tmp_path / "project")
        injection = f"{call}:signal=KILL:when={number}"
        outcome = run(lambda say, folder=folder: checkouts.checkout(folder, target, say), injection)  # type: ignore[misc]
        checkouts.check(folder, target, outcome.said)
        checkouts.check_second_try(folder, target)
        if not outcome.killed:
            assert outcome.error == ""
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("call", ["rename", "fsync", "unlink"])
@pytest.mark.parametrize("target", list(checkouts.NAMES))
def test_killed_where_two_names_cannot_be_exchanged(
    tmp_path: Path, target: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "_rename", lambda *_: False)
    checkouts.prepare(tmp_path / "template")
    for number in range(1, 200):
        folder = scenarios.copy(tmp_path / "template", tmp_path / "project")
        injection = f"{call}:signal=KILL:when={number}"
        outcome = run(lambda say, folder=folder: checkouts.checkout(folder, target, say), injection)  # type: ignore[misc]
        checkouts.check_second_try(folder, target)
        if not outcome.killed:
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("lasting", ["", "+"], ids=["once", "from then on"])
@pytest.mark.parametrize("errno", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("target", ["folder", "file"])
def test_refused_at_every_call(tmp_path: Path, target: str, call: str, errno: str, lasting: str) -> None:
    checkouts.prepare(tmp_path / "template")
    for number in range(1, 200):
        folder = scenarios.copy(tmp_path / "template", tmp_path / "project")
        injection = f"{call}:error={errno}:when={number}{lasting}"
        outcome = run(lambda say, folder=folder: checkouts.checkout(folder, target, say), injection)  # type: ignore[misc]
        assert outcome.error in TYPED[errno], (number, outcome)
        checkouts.check(folder, target, outcome.said)
        checkouts.check_second_try(folder, target)
        if not outcome.injected:
            return
    pytest.fail("it never came to its end")
