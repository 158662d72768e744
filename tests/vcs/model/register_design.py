"""The commit point as one register, changed by compare-and-swap; the states are files that it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .history import Entry, History, Outcome, Replay
from .log_design import EMPTY, WINDOW
from .world import Delete, List, Put, Read, Reply, Request, Steps, Swap, Violation, World, Write, surely

KEEP = 2


@dataclass(frozen=True)
class RegisterRules:
    compare: bool = True  # swap only what was read
    look_for_change: bool = True
    mind_window: bool = True
    never_tidy: bool = True
    fresh_attempts: bool = True  # no two attempts share the name of their state


FULL = RegisterRules()


@dataclass(frozen=True, eq=False)
class Root:
    """What the register holds. Its identity stands for the etag."""

    seq: int
    name: str


@dataclass
class RegisterDesign:
    world: World
    rules: RegisterRules = FULL
    empty: Entry = EMPTY
    history: History = field(init=False)

    def __post_init__(self) -> None:
        self.history = History([self.empty])
        self.world.watchers.append(self._watch)

    def _watch(self, request: Write) -> None:
        if isinstance(request, Swap | Put) and isinstance(request.value, Root):
            entry = self.world.files.get(request.value.name)
            if entry is None:
                raise Violation(f"dangling: the register names {request.value.name}, which is gone")
            self.history.append(entry)

    def newest(self) -> Steps[Entry]:
        _, entry = yield from self._read()
        return entry

    def _read(self) -> Steps[tuple[Root | None, Entry]]:
        while True:
            root: Root | None = yield Read("root")
            if root is None:
                return None, self.empty
            entry: Entry | None = yield Read(root.name)
            if entry is not None:
                return root, entry

    def commit(self, change: int, replay: Replay) -> Steps[Outcome]:
        root, newest = yield from self._read()
        open_attempts: set[int] = set()
        while True:
            entry = self._following(newest, change, (yield from replay(newest)))
            name = f"ops/{entry.seq:06}-{change}-{entry.attempt}"
            yield from surely(Put(name, entry))
            following = Root(entry.seq, name)
            reply: Reply = yield Swap("root", root, following) if self.rules.compare else Put("root", following)
            if reply is Reply.DONE:
                return Outcome.COMMITTED
            if reply is Reply.LOST and not self.rules.never_tidy:
                yield Delete(name)
            if reply is Reply.LOST:
                open_attempts.add(entry.seq)
                if self.world.random.random() < 0.1:
                    return Outcome.UNKNOWN
            root, newest = yield from self._read()
            if self.rules.look_for_change and any(change == known for _, known in newest.recent):
                return Outcome.COMMITTED
            if self.rules.mind_window and any(seq <= newest.seq - WINDOW for seq in open_attempts):
                return Outcome.UNKNOWN
            open_attempts = {seq for seq in open_attempts if seq > newest.seq}

    def _following(self, newest: Entry, change: int, state: object) -> Entry:
        seq = newest.seq + 1
        attempt = self.world.number() if self.rules.fresh_attempts else 0
        return Entry(seq, newest.digest, change, attempt, (*newest.recent, (seq, change))[-WINDOW:], state)

    def clean(self) -> Steps[None]:
        newest = yield from self.newest()
        names: list[str] = yield List("ops/")
        for name in names:
            if int(name[4:10]) <= newest.seq - KEEP:
                yield from surely(Delete(name))

    def hints(self) -> list[Callable[[], Request]]:
        return []
