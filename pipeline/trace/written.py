"""What steps have left in files: so their work is told apart from what somebody has edited.

A file that one execution has left may be overwritten by another, for that is what running them does. What somebody else
has put there is never touched.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from artvcs.vcs import Commit, DamagedError, LookupFailed, Repository, runs

from . import files
from .model import Trace
from .places import Places

FILES = "files"
"""How a trace calls the files, folders and missing files that an execution left where it wrote."""
_RUNS = 30
"""So many of the last runs are looked at."""


class Written:
    """What the last runs, and the executions of this one so far, have left in files.

    Args:
        repository: Where the runs are.
        places: Which paths names of files stand for.
    """

    def __init__(self, repository: Repository, places: Places) -> None:
        self._repository = repository
        self._places = places
        self._known: dict[str, set[str]] | None = None
        self._new: list[Trace] = []

    def add(self, trace: Trace) -> None:
        """An execution has ended."""
        if trace.left.get(FILES):
            self._new.append(trace)
            self._known = None

    def owes(self, path: str, left: str) -> bool:
        """Whether an execution that left a path so would have to do it again.

        Args:
            path: The path.
            left: What it held then: the id of its content, or in words what was there.
        """
        now = files.content(path, self._repository.file_ids)
        if now == left or left == files.FOLDER:
            return False
        return now == files.ABSENT or now in self._contents().get(path, ())

    def _contents(self) -> Mapping[str, set[str]]:
        if self._known is None:
            self._known = {}
            for trace in itertools.chain(self._new, self._traces()):
                for name, content in trace.left.get(FILES, {}).items():
                    self._known.setdefault(self._places.resolve(name), set()).add(content)
        return self._known

    def _traces(self) -> Iterator[Trace]:
        refs = self._repository.refs()
        for run in itertools.islice(runs.newest_first(refs), _RUNS):
            for commit in {step.commit for step in run.steps.values() if step.commit is not None}:
                try:
                    yield Trace.decode(self._repository.store.read(refs.record(commit, Commit).trace, "blob"))
                except (LookupFailed, DamagedError):
                    continue  # collected, or damaged: then it says nothing
