"""A hit that owes what it would have left, had it run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...fingerprint import Followed, State
from ..generators import Look
from ..model import Trace
from ..places import Places
from .kinds import GONE
from .whereabouts import Whereabouts
from .written import Written


@dataclass(frozen=True, eq=False)
class Debt:
    """A step that was a hit, and would have left something.

    Attributes:
        step: Its invocation id.
        name: Its name.
        decision: By what it can be run again.
        code: Its code.
        trace: What the execution was seen to use.
        files: Paths that it left → what was there.
        found: What of all that it left was there when it was a hit: name or variable → what it was.
        sources: The random numbers as it found them.
        whereabouts: Where the process worked.
        places: What its relative paths stand for, from there.
        written: What knew of the files of its run.
        done: How many steps of that run had left files.
        made: Folders that were made in its place.
    """

    step: str
    name: str
    decision: Any
    code: Followed
    trace: Trace
    files: Mapping[str, str]
    found: Mapping[str, str]
    sources: Mapping[str, Look | None]
    whereabouts: Whereabouts
    places: Places
    written: Written
    done: int
    made: list[str]

    def leads_to(self, module: str) -> bool:
        """Whether the code leads to a module of the user's."""
        inside = os.sep + module.replace(".", os.sep)
        return any(path.endswith((f"{inside}.py", os.path.join(inside, "__init__.py"))) for path in self.code.files)

    def done_in(self, written: Written) -> int:
        """How many executions of a run had left files when this one would have; 1 in another run than its own."""
        return self.done if self.written is written else 1


def noted(state: State, name: str) -> str:
    """What is noted of a live value, or of a collection that is only added to."""
    return state.values.get(name, state.added.get(name, GONE))
