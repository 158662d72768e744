"""What the tests of pipelines share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 30.0
"""Seconds after which something will not come any more."""


def statuses(run: Any) -> dict[str, str]:
    """Invocation id → how the step ended."""
    return {name: each.status for name, each in run.steps.items()}


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until something is so."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, "it did not come to be so"
        time.sleep(0.01)


def in_processes(flow: Any, jobs: int = 2) -> Any:
    """A pipeline whose steps run in processes."""
    return flow.with_options(executor="processes", jobs=jobs)
