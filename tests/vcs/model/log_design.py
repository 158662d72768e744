"""The commit point as a log of exclusive creates.

`ops/<seq>` is created only if absent; nothing else decides. Old entries are deleted, so that a writer who slept
may create an entry where one has been deleted: *junk*. All rules are there to tell junk from history.

A name is free for one of two reasons: nothing was there yet, or it was cleaned up. Clean-up goes strictly upwards,
so whoever finds `ops/<n-1>` in place *after* a request to `ops/<n>` knows that n had not been cleaned up by then.
In place means the very entry that n follows (by its hash): what stands there may be junk itself. The first
entry follows nothing; `cleaned`, created before anything is ever deleted and then kept, speaks for it by its absence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .history import Entry, History, Outcome, Replay
from .world import Create, Delete, List, Put, Read, Reply, Request, Steps, World, Write, surely

EMPTY = Entry(0, (0, 0, 0), 0, 0, ())
KEEP = 2  # newest entries that are never cleaned up
WINDOW = 6  # entries whose changes are named in the newest state


@dataclass(frozen=True)
class LogRules:
    """Each can be left out, to show what it is for."""

    check_predecessor: bool = True  # an entry counts for its writer only if its predecessor is still in place
    compare_hash: bool = True  # in place means the same entry, not any
    judge_after_walk: bool = True  # a reader looks for the predecessor after it saw that there is no successor
    hint_must_stand: bool = True
    mark_first_cleaning: bool = True
    ask_newest: bool = True  # whether a lost create was applied is read in the newest state, not under its own number
    look_for_change: bool = True  # a refused or lost create is not tried again before the newest state was asked
    mind_window: bool = True  # what the newest state can no longer tell is unknown, not "did not happen"
    fresh_attempts: bool = True  # no two requests to create carry the same bytes
    clean_upwards: bool = True
    await_deletes: bool = True
    list_after_newest: bool = True  # a cleaner's list holds all that is older than a state it had found before
    keep_two: bool = True
    never_tidy: bool = True  # what may have been committed is not deleted by its writer
    none_follows: bool = True  # nor what has been followed: only what does not stand, and is the last there


FULL = LogRules()
AS_FIRST_WRITTEN = LogRules(
    compare_hash=False, judge_after_walk=False, mark_first_cleaning=False, ask_newest=False, mind_window=False
)


def op(seq: int) -> str:
    return f"ops/{seq:06}"


@dataclass
class LogDesign:
    world: World
    rules: LogRules = FULL
    empty: Entry = EMPTY
    history: History = field(init=False)
    highest: int = 0

    def __post_init__(self) -> None:
        self.history = History([self.empty])
        self.world.watchers.append(self._watch)

    def _watch(self, request: Write) -> None:
        """The first entry ever created under a number is the real one."""
        entry = request.value if isinstance(request, Create) else None
        if isinstance(entry, Entry) and entry.seq > self.highest:
            self.highest = entry.seq
            self.history.append(entry)

    def newest(self) -> Steps[Entry]:
        hint: int | None = yield Read("root")
        start = hint
        while True:
            if start is None:
                names: list[str] = yield List("ops/")
                start = int(names[-1].removeprefix("ops/")) if names else 0
            entry = yield from self._walk(start)
            if entry is not None:
                return entry
            start = None

    def _walk(self, start: int) -> Steps[Entry | None]:
        """The newest entry, going forward from one; None if that one is gone or cannot be vouched for."""
        entry: Entry | None = self.empty
        if start > 0:
            entry = yield Read(op(start))
        if entry is None:
            return None
        if not self.rules.judge_after_walk and self.rules.hint_must_stand and not (yield from self._stands(entry)):
            return None
        while True:
            following: Entry | None = yield Read(op(entry.seq + 1))
            if following is None:
                break
            entry = following
        if self.rules.judge_after_walk and self.rules.hint_must_stand and not (yield from self._stands(entry)):
            return None
        return entry

    def _stands(self, entry: Entry) -> Steps[bool]:
        """Whether nothing from this entry on had been cleaned up, up to now."""
        if entry.seq <= 1:
            return not self.rules.mark_first_cleaning or (yield Read("cleaned")) is None
        before: Entry | None = yield Read(op(entry.seq - 1))
        return before is not None and (before.digest == entry.parent or not self.rules.compare_hash)

    def commit(self, change: int, replay: Replay) -> Steps[Outcome]:
        newest = yield from self.newest()
        open_attempts: set[int] = set()  # the numbers under which this change may have been written
        while True:
            state = yield from replay(newest)
            entry = self._following(newest, change, state)
            reply: Reply = yield Create(op(entry.seq), entry)
            if reply is Reply.DONE and (not self.rules.check_predecessor or (yield from self._stands(entry))):
                yield Put("root", entry.seq)
                return Outcome.COMMITTED
            if reply is Reply.DONE:
                yield from self._take_back(entry)
            if reply is Reply.LOST and not self.rules.never_tidy:
                yield Delete(op(entry.seq))
            if reply is not Reply.REFUSED:
                open_attempts.add(entry.seq)
            if reply is Reply.LOST and self.world.random.random() < 0.1:
                return Outcome.UNKNOWN  # no patience
            if not self.rules.ask_newest and reply is not Reply.DONE:
                found: Entry | None = yield Read(op(entry.seq))
                if found is not None and found.change == change:
                    return Outcome.COMMITTED
            newest = yield from self.newest()
            if self.rules.look_for_change and any(change == known for _, known in newest.recent):
                return Outcome.COMMITTED
            if self.rules.mind_window and any(seq <= newest.seq - WINDOW for seq in open_attempts):
                return Outcome.UNKNOWN
            open_attempts = {seq for seq in open_attempts if seq > newest.seq}

    def _take_back(self, entry: Entry) -> Steps[None]:
        """Deletes an entry of ours that does not stand, if none follows: the log may be another than it was.

        Everything here holds without it. It must not break anything.
        """
        if not self.rules.none_follows or (yield Read(op(entry.seq + 1))) is None:
            found: Entry | None = yield Read(op(entry.seq))
            if found is not None and found.digest == entry.digest:
                yield Delete(op(entry.seq))

    def _following(self, newest: Entry, change: int, state: object) -> Entry:
        seq = newest.seq + 1
        attempt = self.world.number() if self.rules.fresh_attempts else 0
        recent = (*newest.recent, (seq, change))[-WINDOW:]
        return Entry(seq, newest.digest, change, attempt, recent, state)

    def clean(self) -> Steps[None]:
        """Delete old entries, and junk with them; any number of cleaners may be at work, and die."""
        names: list[str] = yield List("ops/")
        newest = yield from self.newest()
        top = newest.seq - (KEEP if self.rules.keep_two else 1)
        if top < 1:
            return
        yield from surely(Create("cleaned", True))
        if self.rules.list_after_newest:
            names = yield List("ops/")
        old = [name for name in names if name <= op(top)]
        for name in old if self.rules.clean_upwards else reversed(old):
            if self.rules.await_deletes:
                yield from surely(Delete(name))
            else:
                yield Delete(name)

    def hints(self) -> list[Callable[[], Request]]:
        """What may happen to the hint: it goes back, or is lost."""
        return [
            lambda: Put("root", self.world.random.randint(1, max(1, self.history.last.seq))),
            lambda: Delete("root"),
        ]
