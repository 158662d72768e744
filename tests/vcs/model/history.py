"""What really happened, seen from outside, and what must hold of it. Actors know nothing of this."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .world import Steps, Violation

Digest = tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """The state after change number seq."""

    seq: int
    parent: Digest
    change: int
    attempt: int
    recent: tuple[tuple[int, int], ...]  # (seq, change) of the last WINDOW entries, this one included
    state: Any = None

    @property
    def digest(self) -> Digest:
        """Stands for the hash of its bytes: equal where they are."""
        return (self.seq, self.change, self.attempt)


Replay = Callable[[Entry], Steps[Any]]
"""Makes the new state from the newest one; may ask the store, and is called again after each lost commit."""


class Outcome(enum.Enum):
    COMMITTED = "committed"
    UNKNOWN = "unknown"  # may have happened: a typed error, never a second try


class CommitPoint(Protocol):
    empty: Entry

    def newest(self) -> Steps[Entry]: ...

    def commit(self, change: int, replay: Replay) -> Steps[Outcome]: ...


@dataclass
class History:
    """The one chain of states, what writers were told, and what readers took for the newest state."""

    chain: list[Entry]
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    watchers: list[Callable[[], None]] = field(default_factory=list)
    looks: int = 0

    @property
    def last(self) -> Entry:
        return self.chain[-1]

    def append(self, entry: Entry) -> None:
        if entry.seq != len(self.chain):
            raise Violation(f"gap: {entry.seq} was written while {self.last.seq} was the newest")
        if entry.parent != self.last.digest:
            raise Violation(f"fork: {entry.seq} does not follow {self.last.digest}")
        self.chain.append(entry)
        for watcher in self.watchers:
            watcher()

    def look(self, newest: Callable[[], Steps[Entry]]) -> Steps[Entry]:
        """Look for the newest state and judge what was found: real, and no older than when the look began."""
        newest_before = self.last.seq
        entry = yield from newest()
        self.looks += 1
        if entry.seq >= len(self.chain) or self.chain[entry.seq].digest != entry.digest:
            raise Violation(f"phantom: {entry.digest} was read as newest and is not part of the history")
        if entry.seq < newest_before:
            raise Violation(f"stale: {entry.seq} was read as newest when {newest_before} was known before")
        return entry

    def note(self, change: int, outcome: Outcome) -> None:
        self.outcomes[change] = outcome
        committed = any(entry.change == change for entry in reversed(self.chain))
        if outcome is Outcome.COMMITTED and not committed:
            raise Violation(f"lost: change {change} was acknowledged and is not in the history")

    def check(self) -> None:
        times = Counter(entry.change for entry in self.chain)
        for change, count in times.items():
            if count > 1:
                raise Violation(f"twice: change {change} is in the history {count} times")
        for change, outcome in self.outcomes.items():
            if outcome is Outcome.COMMITTED and change not in times:
                raise Violation(f"lost: change {change} was acknowledged and is not in the history")
