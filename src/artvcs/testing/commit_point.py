"""The contract of the commit point, over any place: one line of entries, whatever replies, hints and writers do."""

from __future__ import annotations

import functools
import random
from typing import Any, cast

from artvcs.testing.tools import at_once, meanwhile, raises
from artvcs.vcs.objects.kinds import Op, State
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import OPS, ROOT
from artvcs.vcs.storage.op_file import Entry
from artvcs.vcs.storage.op_log import OpLog, Outcome


class CommitPointContract:
    """That `OpLog` keeps its promises over a place: one line of entries, and nobody is told what is not so."""

    def test_the_first_entry_is_made_once(self, files: Files) -> None:
        log = OpLog(files)
        assert log.newest() is None
        firsts = [_entry(1, None, f"{me}", ()).data for me in range(8)]
        assert at_once([functools.partial(log.begin, first) for first in firsts]).count(True) == 1
        newest = log.newest()
        assert newest is not None
        assert newest.seq == 1
        assert newest.data in firsts
        assert log.is_newest(newest)

    def test_writers_that_race_make_one_line_and_each_is_told_the_truth(self, files: Files) -> None:
        _begin(files)
        done = at_once([lambda: [_commit(OpLog(files)) for _ in range(6)] for _ in range(8)])
        nonces = [nonce for each in done for nonce in each]
        line = _line(files)
        assert sorted(line[1:]) == sorted(nonces)
        assert len(set(nonces)) == 48

    def test_a_lost_reply_is_recognised(self, files: Files) -> None:
        replies: list[bool | Exception] = [False, TimeoutError("no reply")]
        for number, reply in enumerate(replies):
            log = OpLog(_begun(files))
            lossy = OpLog(cast(Files, _LostReply(files, reply)))
            entry = _next(log, f"mine {number}")
            assert lossy.commit(entry) is Outcome.COMMITTED
            assert log.newest() == entry

    def test_a_lost_request_is_no_commit(self, files: Files) -> None:
        log = OpLog(_begun(files))
        entry = _next(log, "mine")
        raises(TimeoutError, OpLog(cast(Files, _LostReply(files, TimeoutError(), applies=False))).commit, entry)
        assert _newest_seq(files) == 1

    def test_a_hint_that_cannot_be_written_takes_no_commit_back(self, files: Files) -> None:
        log = OpLog(_begun(files))
        entry = _next(log, "mine")
        assert (
            OpLog(cast(Files, _LostReply(files, True, hint=OSError(28, "No space left")))).commit(entry)
            is Outcome.COMMITTED
        )
        assert log.newest() == entry

    def test_a_place_that_is_taken_is_said_to_be(self, files: Files) -> None:
        log = OpLog(_begun(files))
        mine, theirs = _next(log, "mine"), _next(log, "theirs")
        assert log.commit(theirs) is Outcome.COMMITTED
        assert log.commit(mine) is Outcome.TAKEN
        assert log.newest() == theirs

    def test_the_newest_is_found_whatever_the_hint_says(self, files: Files) -> None:
        log = OpLog(_begun(files))
        for _ in range(99):
            _commit(log)
        for hint in (b"1\n", b"7\n", b"99", b"100\n", b"101\n", b"999999999999999", b"", b"-3", b"x\0", b"\xff" * 50):
            files.hint(ROOT, hint)
            newest = OpLog(files).newest()
            assert newest is not None
            assert newest.seq == 100
        files.delete(ROOT)
        assert _newest_seq(files) == 100
        entries = [entry for seq in (99, 100) if (entry := log.entry(seq)) is not None]
        assert [OpLog(files).is_newest(entry) for entry in entries] == [False, True]

    def test_old_entries_are_cleaned_up_from_the_oldest_on(self, files: Files) -> None:
        log = OpLog(_begun(files))
        for _ in range(19):
            _commit(log)
        log.clean_up(lambda seq: seq != 9, keep=5)
        assert log.sequence() == list(range(9, 21))
        log.clean_up(lambda _: True, keep=5)
        assert log.sequence() == [16, 17, 18, 19, 20]
        log.clean_up(lambda _: True, keep=5)
        assert log.sequence() == [16, 17, 18, 19, 20]
        assert log.entry(15) is None
        for hint in (b"3\n", b"16\n", b"20\n"):
            files.hint(ROOT, hint)
            assert _newest_seq(files) == 20

    def test_a_late_writer_in_a_cleaned_up_place_is_not_believed(self, files: Files) -> None:
        log = OpLog(_begun(files))
        late = _next(log, "late")
        for _ in range(19):
            _commit(log)
        log.clean_up(lambda _: True, keep=5)
        assert log.commit(late) is Outcome.UNKNOWN
        for hint in (b"2\n", b"20\n", b""):  # it deceives nobody, not even by the hint
            files.hint(ROOT, hint)
            assert _newest_seq(files) == 20
        log.clean_up(lambda _: True, keep=5)
        assert log.sequence() == [16, 17, 18, 19, 20]

    def test_two_late_writers_do_not_vouch_for_each_other(self, files: Files) -> None:
        log = OpLog(_begun(files))
        late = _next(log, "late")
        _commit(log)
        later = _next(log, "later")
        for _ in range(19):
            _commit(log)
        log.clean_up(lambda _: True, keep=5)
        assert log.commit(late) is Outcome.UNKNOWN
        assert log.commit(later) is Outcome.UNKNOWN
        files.hint(ROOT, b"3\n")
        assert _newest_seq(files) == 21

    def test_a_late_first_entry_is_not_believed(self, files: Files) -> None:
        log = OpLog(_begun(files))
        for _ in range(9):
            _commit(log)
        log.clean_up(lambda _: True)
        assert log.begin(_entry(1, None, "late", ()).data)
        files.hint(ROOT, b"1\n")
        assert _newest_seq(files) == 10

    def test_writers_and_a_cleaner_side_by_side_lose_nothing(self, files: Files) -> None:
        _begin(files)
        seen: list[int] = []

        def tidy(_: int) -> None:
            OpLog(files).clean_up(lambda _: True, keep=4)
            seen.append(_newest_seq(files))

        with meanwhile(tidy):
            done = at_once([lambda: [_commit(OpLog(files)) for _ in range(15)] for _ in range(6)])
        assert seen == sorted(seen)
        assert _newest_seq(files) == 91
        nonces = {nonce for each in done for nonce in each}
        assert len(nonces) == 90
        assert set(_line(files)) <= nonces | {"first"}


class _LostReply:
    """A place that replies to `create` and `hint` otherwise than it did."""

    def __init__(
        self, files: Files, reply: bool | Exception, *, applies: bool = True, hint: Exception | None = None
    ) -> None:
        self._files, self._reply, self._applies, self._hint = files, reply, applies, hint

    def create(self, name: str, data: bytes) -> bool:
        if self._applies:
            self._files.create(name, data)
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply

    def hint(self, name: str, data: bytes) -> None:
        if self._hint is not None:
            raise self._hint
        self._files.hint(name, data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def _begin(files: Files) -> None:
    OpLog(files).begin(_entry(1, None, "first", ()).data)


def _begun(files: Files) -> Files:
    _begin(files)
    return files


def _entry(seq: int, parent: Oid | None, nonce: str, recent: tuple[str, ...]) -> Entry:
    attempt = random.SystemRandom().randbytes(8).hex()
    return Entry.make(Op(seq, parent, State(None, (), (), {}, 0, recent), nonce, attempt, "", 0, ""), ())


def _next(log: OpLog, nonce: str) -> Entry:
    newest = log.newest()
    assert newest is not None
    return _entry(newest.seq + 1, newest.oid, nonce, _nonces(newest))


def _nonces(entry: Entry) -> tuple[str, ...]:
    return (entry.op.nonce, *entry.op.state.recent)


def _commit(log: OpLog) -> str:
    """Commits as a publisher does, however often it takes, and returns the nonce."""
    nonce = random.SystemRandom().randbytes(8).hex()
    while True:
        if (outcome := log.commit(_next(log, nonce))) is Outcome.COMMITTED:
            return nonce
        if outcome is Outcome.UNKNOWN:
            newest = log.newest()
            assert newest is not None
            if nonce in _nonces(newest):
                return nonce


def _newest_seq(files: Files) -> int:
    newest = OpLog(files).newest()
    assert newest is not None
    return newest.seq


def _line(files: Files) -> list[str]:
    """The nonces of all entries there are, each checked to follow the one before."""
    line: list[str] = []
    for seq in OpLog(files).sequence():
        entry = Entry.read(files, seq)
        assert not line or entry.op.state.recent[0] == line[-1]
        line.append(entry.op.nonce)
    assert len(line) == len(list(files.list(OPS)))
    return line
