"""All by which it is noticed that something is used, put in place while something is recorded."""

from __future__ import annotations

import os
import sys
from typing import Any

from ..owners import every
from ..recording import Recording
from . import audit, environ, patches
from .monitor import Monitor
from .noticing import note, unnoticed

_installed = False
_monitor = Monitor() if sys.version_info >= (3, 12) else None


def install(recording: Recording, *, first: bool) -> None:
    """Begins to notice for a recording; `first` where nothing was recorded before."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(audit.on_event)
        os.register_at_fork(before=_before_fork)
    if first:
        environ.watch(_on_environment)
        patches.patch()
    if _monitor is not None and not _monitor.restart():
        recording.unverified.add("which code it enters: debuggers and profilers use all tools of sys.monitoring")


def uninstall(*, last: bool) -> None:
    """Ceases to notice; `last` where nothing is recorded any more."""
    if last:
        environ.unwatch()
        patches.unpatch()


def _before_fork() -> None:
    with unnoticed():
        for recording in every():
            recording.prepare_fork()


def _on_environment(kind: str, name: Any, value: Any) -> None:
    def take(recording: Recording) -> None:
        if environ.is_asked_by_user():
            recording.environment.take(kind, name, value)

    note(take)
