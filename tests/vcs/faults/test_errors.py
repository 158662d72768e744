"""The operating system refuses a call: the error is one of ours, nothing is lost, and a second try works."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..helpers import problems
from . import scenarios
from .inject import CALLS, needs_strace, run

pytestmark = [pytest.mark.faults, needs_strace]

TYPED = {"ENOSPC": {"DiskFull", ""}, "EIO": {"StorageError", "DamagedError", ""}}


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "tester")


@pytest.mark.parametrize("lasting", ["", "+"], ids=["once", "from then on"])
@pytest.mark.parametrize("errno", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("work", [scenarios.publish, scenarios.collect], ids=["publish", "collect"])
def test_refused_at_every_call(tmp_path: Path, work: scenarios.Work, call: str, errno: str, lasting: str) -> None:
    scenarios.prepare(tmp_path / "template")
    work(scenarios.copy(tmp_path / "template", tmp_path / "warm"), lambda _: None)
    seen: set[str] = set()
    for number in range(1, 500):
        folder = scenarios.copy(tmp_path / "template", tmp_path / "repository")
        injection = f"{call}:error={errno}:when={number}{lasting}"
        outcome = run(lambda say, folder=folder: work(folder, say), injection)  # type: ignore[misc]
        assert outcome.error in TYPED[errno], (number, outcome)
        seen.add(outcome.error)
        assert problems(folder) == [], number
        scenarios.check_promises(folder, outcome)
        scenarios.check_second_try(folder)
        if not outcome.injected:
            # The calls without which nothing is durable may not fail unnoticed.
            assert call not in ("rename", "link", "fsync", "pwrite64") or seen > {""}
            return
    pytest.fail("it never came to its end")
