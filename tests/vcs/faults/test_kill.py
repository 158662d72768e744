"""kill -9 in every state that a disk comes to: nothing promised is lost, and nothing is left in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs.vcs.repository import Repository

from ..helpers import problems
from . import scenarios
from .inject import CALLS, Say, killing, nearly_all, needs_strace, run, watch

pytestmark = [pytest.mark.faults, needs_strace]


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "tester")


@pytest.mark.parametrize("work", [scenarios.publish, scenarios.collect], ids=["publish", "collect"])
def test_killed_in_every_state(tmp_path: Path, work: scenarios.Work) -> None:
    template, folder = tmp_path / "template", tmp_path / "repository"
    scenarios.prepare(template)
    work(scenarios.copy(template, tmp_path / "warm"), lambda _: None)
    scenarios.copy(template, folder)
    injections = killing(watch(lambda say: work(folder, say)), CALLS)
    assert len(injections) > 40
    killed = 0
    for injection in injections:
        scenarios.copy(template, folder)
        outcome = run(lambda say: work(folder, say), injection)
        killed += outcome.killed
        assert problems(folder) == [], injection
        scenarios.check_promises(folder, outcome)
        assert problems(folder) == [], injection
        scenarios.check_second_try(folder)
    assert nearly_all(killed, injections)


def test_killed_while_a_repository_is_made(tmp_path: Path) -> None:
    scenarios.make(tmp_path / "warm", lambda _: None)
    injections = killing(watch(lambda say: scenarios.make(tmp_path / "watched", say)), CALLS)
    assert len(injections) > 20
    killed = 0
    for number, injection in enumerate(injections):
        folder = tmp_path / f"made-{number}"
        killed += run(lambda say, folder=folder: scenarios.make(folder, say), injection).killed  # type: ignore[misc]
        scenarios.make(folder, lambda _: None)
        scenarios.check_second_try(folder)
    assert nearly_all(killed, injections)


def test_killed_while_recovering_from_a_kill(tmp_path: Path) -> None:
    template, folder = tmp_path / "template", tmp_path / "repository"
    scenarios.prepare(template)
    scenarios.publish(scenarios.copy(template, tmp_path / "warm"), lambda _: None)
    first = run(lambda say: scenarios.publish(template, say), "fsync:signal=KILL:when=1")
    assert first.killed

    def recover(_: Say) -> None:
        Repository(folder).recover()

    scenarios.copy(template, folder)
    injections = killing(watch(recover), CALLS)
    assert len(injections) > 10
    killed = 0
    for injection in injections:
        scenarios.copy(template, folder)
        killed += run(recover, injection).killed
        assert problems(folder) == [], injection
        scenarios.check_promises(folder, first)
        scenarios.check_second_try(folder)
    assert nearly_all(killed, injections)
