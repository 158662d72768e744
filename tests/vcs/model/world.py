"""A store that keeps immutable values by name, its faults, and a scheduler that interleaves actors at random."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


class Violation(AssertionError):
    """Something that must never happen did happen."""


class Reply(enum.Enum):
    DONE = "done"
    REFUSED = "refused"
    LOST = "lost"  # a time-out or a 5xx: it was applied, or it was not, or it will be


@dataclass(frozen=True, slots=True)
class Read:
    """Replies the value, or None."""

    name: str


@dataclass(frozen=True, slots=True)
class List:
    """Replies the names under a prefix. Like readdir, it may or may not see what comes or goes while it runs."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Create:
    """Stores a value unless the name is taken."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Put:
    """Stores a value in any case."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Delete:
    name: str


@dataclass(frozen=True, slots=True)
class Swap:
    """Replaces the value that the writer has read (its etag), refused if it is another by now."""

    name: str
    expected: Any
    value: Any


Write = Create | Put | Delete | Swap
Request = Read | List | Write
Steps = Generator[Request, Any, T]
"""What an actor does: yields requests, is sent their replies, returns a T."""


@dataclass(frozen=True)
class Faults:
    """Probabilities, each for one request."""

    crash: float = 0.004
    reply_lost: float = 0.04
    not_applied: float = 0.03
    applied_late: float = 0.03
    sleep: float = 0.05
    naps: tuple[int, ...] = (10, 60, 300)  # steps
    torn_lists: bool = True


NO_FAULTS = Faults(0, 0, 0, 0, 0)


@dataclass
class Actor:
    name: str
    start: Callable[[], Steps[Any]]
    left: Callable[[], object]
    steps: Steps[Any] = field(init=False)
    pending: Request = field(init=False)
    listed: set[str] | None = None
    asleep_until: int = 0


class World:
    """One run: everything that is random comes from the seed."""

    def __init__(self, seed: int, faults: Faults = NO_FAULTS) -> None:
        self.random = random.Random(seed)
        self.faults = faults
        self.files: dict[str, Any] = {}
        self.now = 0
        self.actors: list[Actor] = []
        self.watchers: list[Callable[[Write], None]] = []
        self._late: list[tuple[int, Write]] = []
        self._numbers = 0

    def number(self) -> int:
        """One that was never given out before: stands for a random nonce."""
        self._numbers += 1
        return self._numbers

    def add(self, name: str, start: Callable[[], Steps[Any]], left: Callable[[], object] = lambda: None) -> None:
        """Let an actor take part; when it ends or crashes, `left` is called and it comes back without memory."""
        actor = Actor(name, start, left)
        self._begin(actor)
        self.actors.append(actor)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.now += 1
            self._apply_late()
            actor = self.random.choice(self.actors)
            if actor.asleep_until <= self.now:
                self._step(actor)

    def alone(self, steps: Steps[T], at_most: int = 3000) -> T:
        """Run one actor to its end while nobody else moves and nothing fails."""
        try:
            request = next(steps)
            for _ in range(at_most):
                request = steps.send(self.answer(request))
            raise Violation("stuck: does not end, though nobody else moves")
        except StopIteration as end:
            result: T = end.value
            return result

    def answer(self, request: Request) -> Any:
        """What a store answers that never fails."""
        if isinstance(request, Read):
            return self.files.get(request.name)
        return self._names(request.prefix) if isinstance(request, List) else self._apply(request)

    def settle(self) -> None:
        """Let requests that are still under way arrive."""
        self.now += 1_000_000
        self._apply_late()

    def end(self) -> None:
        """Everybody leaves."""
        for actor in self.actors:
            actor.steps.close()
            actor.left()
        self.actors.clear()

    def _begin(self, actor: Actor) -> None:
        actor.steps, actor.listed = actor.start(), None
        actor.pending = next(actor.steps)

    def _step(self, actor: Actor) -> None:
        if self._happens(self.faults.crash):
            actor.steps.close()
            actor.left()
            self._begin(actor)
            return
        if self._happens(self.faults.sleep):
            actor.asleep_until = self.now + self.random.choice(self.faults.naps)
            return
        if isinstance(actor.pending, List) and actor.listed is None and self.faults.torn_lists:
            actor.listed = set(self._names(actor.pending.prefix))
            return
        try:
            actor.pending = actor.steps.send(self._reply(actor))
        except StopIteration:
            actor.left()
            self._begin(actor)

    def _reply(self, actor: Actor) -> Any:
        if not isinstance(actor.pending, List):
            return self._ask(actor.pending)
        after = set(self._names(actor.pending.prefix))
        before = after if actor.listed is None else actor.listed
        actor.listed = None
        passing = sorted(before ^ after)
        return sorted((before & after) | {name for name in passing if self._happens(0.5)})

    def _ask(self, request: Request) -> Any:
        if isinstance(request, Read):
            return self.files.get(request.name)
        assert not isinstance(request, List)
        if request.name.startswith("leases/"):  # locks of one machine: nothing of them is lost on the way
            return self._apply(request)
        if self._happens(self.faults.applied_late):
            self._late.append((self.now + self.random.choice(self.faults.naps), request))
            return Reply.LOST
        if self._happens(self.faults.not_applied):
            return Reply.LOST
        reply = self._apply(request)
        return Reply.LOST if self._happens(self.faults.reply_lost) else reply

    def _apply(self, request: Write) -> Reply:
        if isinstance(request, Create) and request.name in self.files:
            return Reply.REFUSED
        if isinstance(request, Swap) and self.files.get(request.name) is not request.expected:
            return Reply.REFUSED
        if isinstance(request, Delete):
            self.files.pop(request.name, None)
        else:
            self.files[request.name] = request.value
        for watcher in self.watchers:
            watcher(request)
        return Reply.DONE

    def _apply_late(self) -> None:
        if self._late:
            due = [request for when, request in self._late if when <= self.now]
            self._late = [(when, request) for when, request in self._late if when > self.now]
            for request in due:
                self._apply(request)

    def _names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.files if name.startswith(prefix))

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability


def surely(request: Write) -> Steps[Reply]:
    """Ask until there is an answer. Only for what may be done twice."""
    while True:
        reply: Reply = yield request
        if reply is not Reply.LOST:
            return reply
