"""A checkout is killed in every state and refused every call: files are all old or all new, and nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from artvcs.vcs.storage.disk import durable, system

from . import checkouts, scenarios
from .inject import killing, needs_strace, run, watch

pytestmark = [pytest.mark.faults, needs_strace]

CALLS = (
    *("rename", "renameat2", "fsync", "syncfs", "write", "pwrite64", "openat", "mkdir", "flock", "unlink", "unlinkat"),
    "rmdir",
)
TYPED = {"ENOSPC": {"DiskFull", ""}, "EIO": {"StorageError", "DamagedError", "WouldOverwrite", ""}}


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "tester")


@pytest.fixture(autouse=True)
def a_few_files_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_MANY", 5)  # so that folders are made durable by one call, and a file by its own


@pytest.mark.parametrize("target", list(checkouts.NAMES))
def test_killed_in_every_state(tmp_path: Path, target: str) -> None:
    for folder, injection in _each_kill(tmp_path, target):
        outcome = run(lambda say, folder=folder: checkouts.checkout(folder, target, say), injection)  # type: ignore[misc]
        assert outcome.killed, injection
        checkouts.check(folder, target, outcome.said)
        checkouts.check_second_try(folder, target)


@pytest.mark.parametrize("target", list(checkouts.NAMES))
def test_killed_where_two_names_cannot_be_exchanged(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "_rename", lambda *_: False)
    for folder, injection in _each_kill(tmp_path, target):
        outcome = run(lambda say, folder=folder: checkouts.checkout(folder, target, say), injection)  # type: ignore[misc]
        assert outcome.killed, injection
        checkouts.check_second_try(folder, target)


def _each_kill(tmp_path: Path, target: str) -> Iterator[tuple[Path, str]]:
    """Each state in which a checkout can be killed, and a folder in which it has not begun."""
    template, folder = tmp_path / "template", tmp_path / "project"
    checkouts.prepare(template)
    checkouts.checkout(scenarios.copy(template, tmp_path / "warm"), target, lambda _: None)
    scenarios.copy(template, folder)
    injections = killing(watch(lambda say: checkouts.checkout(folder, target, say)), CALLS)
    assert len(injections) > 8
    for injection in injections:
        yield scenarios.copy(template, folder), injection


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
