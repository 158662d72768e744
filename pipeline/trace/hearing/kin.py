"""Whose doing something is, where other steps are executed beside in processes of their own."""

from __future__ import annotations

import os
import resource


class Kin:
    """This process and those that it has started.

    Args:
        strangers: The processes that execute other steps are below these, or are these.
    """

    def __init__(self, strangers: frozenset[int]) -> None:
        self._own = os.getpid()
        self._strangers = strangers
        self._began = _of_children()

    def begin_anew(self) -> None:
        """What was started by now does not count any more, if it has ended."""
        self._began = _of_children()

    def has(self, process: int) -> bool:
        """Whether something is this process' doing, or of one that it has started, or of nobody's who is known.

        Args:
            process: Who has done it; 0 where nobody says.
        """
        if process == self._own:
            return True
        while process > 1:
            if process == self._own:
                return True
            if process in self._strangers:
                return False
            process = _parent(process)
        return process == 1 or self._has_started_any()

    def _has_started_any(self) -> bool:
        if _of_children() != self._began:
            return True
        try:
            with open(f"/proc/self/task/{self._own}/children", encoding="ascii") as children:
                return bool(children.read())
        except OSError:
            return True  # nobody says


def _parent(process: int) -> int:
    """Who has started a process; 0 if it has ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _of_children() -> tuple[float, ...]:
    """What children that have ended have used so far: something else if one more has."""
    return tuple(resource.getrusage(resource.RUSAGE_CHILDREN))
