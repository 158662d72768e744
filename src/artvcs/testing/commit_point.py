"""The contract of the commit point, over any place: one line of entries, whatever replies, hints and writers do."""

from __future__ import annotations

import functools
import itertools
import secrets
from collections.abc import Callable
from typing import Any, cast

from artvcs.testing.tools import at_once, meanwhile, raises
from artvcs.vcs.objects.kinds import Op, State
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import ROOT
from artvcs.vcs.storage.op_log import OpLog, Outcome
from artvcs.vcs.storage.packs.op_file import Entry


class CommitPointContract:
    """That `OpLog` keeps its promises over a place: one line of entries, and nobody is told what is not so."""

    def test_the_first_entry_is_made_once(self, files: Files) -> None:
        log = OpLog(files)
        assert log.newest() is None
        firsts = [_entry(None, f"first {me}") for me in range(8)]
        begun = at_once([functools.partial(log.begin, first.data) for first in firsts])
        assert begun.count(True) == 1
        newest = _newest(files)
        assert newest == firsts[begun.index(True)]
        assert log.is_newest(newest)

    def test_writers_that_race_make_one_line_and_each_is_in_it_once(self, files: Files) -> None:
        _begin(files)
        done = at_once([lambda: [_commit(OpLog(files)) for _ in range(6)] for _ in range(8)])
        nonces = [nonce for each in done for nonce in each]
        assert sorted(_line(files)) == sorted(["first", *nonces])
        assert len(set(nonces)) == 48

    def test_a_lost_reply_is_recognised(self, files: Files) -> None:
        log = _begin(files)
        replies: list[bool | Exception] = [False, TimeoutError("no reply")]
        for number, reply in enumerate(replies):
            entry = _entry(log.newest(), f"mine {number}")
            lossy = OpLog(cast(Files, _Lossy(files, reply)))
            assert lossy.commit(entry) is Outcome.COMMITTED
            assert log.newest() == entry
            assert _commit(lossy, entry.op.nonce) == entry.op.nonce  # whoever asks again finds it done
            assert log.newest() == entry

    def test_a_place_whose_entry_was_refused_and_is_gone_was_taken(self, files: Files) -> None:
        log = _begin(files)
        lossy = OpLog(cast(Files, _Lossy(files, False, applies=False)))
        assert lossy.commit(_entry(log.newest(), "mine")) is Outcome.TAKEN

    def test_a_request_that_was_lost_is_no_commit(self, files: Files) -> None:
        log = _begin(files)
        before = _newest(files)
        lossy = OpLog(cast(Files, _Lossy(files, TimeoutError("no reply"), applies=False)))
        raises(TimeoutError, lossy.commit, _entry(before, "mine"))
        assert log.is_newest(before)

    def test_a_hint_that_cannot_be_written_takes_no_commit_back(self, files: Files) -> None:
        log = _begin(files)
        entry = _entry(log.newest(), "mine")
        full = OpLog(cast(Files, _Lossy(files, True, hint=OSError(28, "No space left on device"))))
        assert full.commit(entry) is Outcome.COMMITTED
        assert log.newest() == entry

    def test_a_place_that_is_taken_is_said_to_be(self, files: Files) -> None:
        log = _begin(files)
        mine, theirs = _entry(log.newest(), "mine"), _entry(log.newest(), "theirs")
        assert log.commit(theirs) is Outcome.COMMITTED
        assert log.commit(mine) is Outcome.TAKEN
        assert log.newest() == theirs

    def test_the_newest_is_found_whatever_the_hint_says(self, files: Files) -> None:
        log = _begin(files)
        for _ in range(99):
            _commit(log)
        hints = [b"1\n", b"7\n", b"99", b"100\n", b"101\n", b"999999999999999", b"", b"-3", b"0", b"x\0", b"\xff" * 50]
        for hint in hints:
            files.hint(ROOT, hint)
            assert _newest(files).seq == 100
        files.delete(ROOT)
        assert [log.is_newest(_there(files, seq)) for seq in (98, 99, 100)] == [False, False, True]
        assert _newest(files).seq == 100

    def test_old_entries_are_cleaned_up_from_the_oldest_on(self, files: Files) -> None:
        log = _begin(files)
        for _ in range(19):
            _commit(log)
        log.clean_up(lambda seq: seq != 9, keep=5)
        assert log.sequence() == list(range(9, 21))
        log.clean_up(lambda _: True, keep=5)
        log.clean_up(lambda _: True, keep=5)
        assert log.sequence() == [16, 17, 18, 19, 20]
        assert log.entry(15) is None
        for hint in (b"3\n", b"16\n", b"20\n"):
            files.hint(ROOT, hint)
            assert _newest(files).seq == 20
        log.clean_up(lambda _: True)
        assert log.sequence() == [19, 20]  # without the one before it the newest could not be told from a late one

    def test_a_late_writer_in_a_cleaned_up_place_is_believed_by_nobody(self, files: Files) -> None:
        log = _begin(files)
        late = [_entry(log.newest(), "late")]
        for number in range(19):
            _commit(log)
            if number == 0:
                late.append(_entry(log.newest(), "later"))  # behind the place of the first
        log.clean_up(lambda _: True, keep=5)
        for entry in late:
            assert log.commit(entry) is Outcome.UNKNOWN
            assert not log.is_newest(entry)
        assert log.begin(_entry(None, "much too late").data)
        for hint in (b"1\n", b"2\n", b"3\n", b"20\n", b""):  # it deceives nobody, not even by the hint
            files.hint(ROOT, hint)
            assert _newest(files).seq == 20
        files.hint(ROOT, b"20\n")
        log.clean_up(lambda _: True, keep=5)
        assert log.sequence() == [16, 17, 18, 19, 20]

    def test_writers_and_a_cleaner_side_by_side_lose_nothing(self, files: Files) -> None:
        _begin(files)
        seen: list[int] = []

        def tidy(_: int) -> None:
            OpLog(files).clean_up(lambda _: True, keep=4)
            seen.append(_newest(files).seq)

        with meanwhile(tidy):
            done = at_once([lambda: [_commit(OpLog(files)) for _ in range(15)] for _ in range(6)])
        assert seen == sorted(seen)
        newest = _newest(files)
        assert newest.seq == 91
        nonces = [nonce for each in done for nonce in each]
        assert sorted([newest.op.nonce, *newest.op.state.recent]) == sorted(["first", *nonces])


class _Lossy:
    """A place that replies to `create` and `hint` otherwise than it did."""

    def __init__(
        self, files: Files, reply: bool | Exception, *, applies: bool = True, hint: Exception | None = None
    ) -> None:
        self._files, self._reply, self._applies, self._hint = files, reply, applies, hint

    def create(self, name: str, data: bytes, visible: Callable[[], object]) -> bool:
        if self._applies:
            self._files.create(name, data, visible)
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply

    def hint(self, name: str, data: bytes) -> None:
        if self._hint is not None:
            raise self._hint
        self._files.hint(name, data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def _begin(files: Files) -> OpLog:
    log = OpLog(files)
    assert log.begin(_entry(None, "first").data)
    return log


def _entry(before: Entry | None, nonce: str) -> Entry:
    """An entry after another, or the first; its state has the nonces of all those before."""
    seq, parent = (1, None) if before is None else (before.seq + 1, before.oid)
    recent = () if before is None else (before.op.nonce, *before.op.state.recent)
    state = State(None, (), (), {}, 0, recent)
    return Entry.make(Op(seq, parent, state, nonce, secrets.token_hex(8), "tester", 0, "test"), ())


def _commit(log: OpLog, nonce: str | None = None) -> str:
    """Commits as a publisher does, however often it takes, and returns the nonce."""
    nonce = nonce or secrets.token_hex(8)
    while True:
        newest = log.newest()
        assert newest is not None
        if nonce in (newest.op.nonce, *newest.op.state.recent):
            return nonce
        if log.commit(_entry(newest, nonce)) is Outcome.COMMITTED:
            return nonce


def _newest(files: Files) -> Entry:
    newest = OpLog(files).newest()
    assert newest is not None
    return newest


def _there(files: Files, seq: int) -> Entry:
    entry = OpLog(files).entry(seq)
    assert entry is not None
    return entry


def _line(files: Files) -> list[str]:
    """The nonces of all entries there are, each checked to follow the one before."""
    line = [_there(files, seq) for seq in OpLog(files).sequence()]
    assert all(after.op.parent == before.oid for before, after in itertools.pairwise(line))
    return [entry.op.nonce for entry in line]
