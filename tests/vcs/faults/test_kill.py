"""kill -9 at every system call that matters: nothing promised is lost, and nothing is left in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs.vcs.repository import Repository

from ..helpers import problems
from . import scenarios
from .inject import CALLS, needs_strace, run

pytestmark = [pytest.mark.faults, needs_strace]


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "tester")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("work", [scenarios.publish, scenarios.collect], ids=["publish", "collect"])
def test_killed_at_every_call(tmp_path: Path, work: scenarios.Work, call: str) -> None:
    scenarios.prepare(tmp_path / "template")
    work(scenarios.copy(tmp_path / "template", tmp_path / "warm"), lambda _: None)
    for number in range(1, 500):
        folder = scenarios.copy(tmp_path / "template", tmp_path / "repository")
        outcome = run(lambda say, folder=folder: work(folder, say), f"{call}:signal=KILL:when={number}")  # type: ignore[misc]
        assert problems(folder) == [], number
        scenarios.check_promises(folder, outcome)
        assert problems(folder) == [], number
        scenarios.check_second_try(folder)
        if not outcome.killed:
            assert outcome.error == ""
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("call", CALLS)
def test_killed_while_a_repository_is_made(tmp_path: Path, call: str) -> None:
    scenarios.make(tmp_path / "warm", lambda _: None)
    for number in range(1, 200):
        folder = tmp_path / f"made-{number}"
        outcome = run(lambda say, folder=folder: scenarios.make(folder, say), f"{call}:signal=KILL:when={number}")  # type: ignore[misc]
        scenarios.make(folder, lambda _: None)
        scenarios.check_second_try(folder)
        if not outcome.killed:
            return
    pytest.fail("it never came to its end")


@pytest.mark.parametrize("call", CALLS)
def test_killed_while_recovering_from_a_kill(tmp_path: Path, call: str) -> None:
    scenarios.prepare(tmp_path / "template")
    scenarios.publish(scenarios.copy(tmp_path / "template", tmp_path / "warm"), lambda _: None)
    first = run(lambda say: scenarios.publish(tmp_path / "template", say), "fsync:signal=KILL:when=1")
    assert first.killed
    for number in range(1, 200):
        folder = scenarios.copy(tmp_path / "template", tmp_path / "repository")
        again = run(lambda _, folder=folder: Repository(folder).recover(), f"{call}:signal=KILL:when={number}")  # type: ignore[misc, arg-type]
        assert problems(folder) == [], number
        scenarios.check_promises(folder, first)
        scenarios.check_second_try(folder)
        if not again.killed:
            return
    pytest.fail("it never came to its end")
