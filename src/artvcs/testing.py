"""What every place for a repository's bytes must do, as suites of tests for whoever writes another one.

    class TestMyFiles(FilesContract, CommitPointContract):
        @pytest.fixture
        def files(self) -> Files:
            return MyFiles(...)  # an empty place

Each test takes `files`, an empty place; pytest gives it as a fixture, and by hand it is an argument. Two processes that
use one place are played by `other`. For messages that show values, `pytest.register_assert_rewrite("artvcs.testing")`.
"""

from __future__ import annotations

import json
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from artvcs.vcs.errors import InvalidName
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import OPS, ROOT, op_name
from artvcs.vcs.storage.op_log import Entry, OpLog, Outcome

__all__ = ["CommitPointContract", "FilesContract"]

T = TypeVar("T")

HOSTILE_NAMES = (
    "", "/", "/etc/passwd", "..", "../x", "packs/../../x", "packs/..", "./x", "packs//x", "packs/", "packs/.hidden",
    "packs\\x", "nul\0", "new\nline", "ops/1\n", "é", "a b", "-x", "~/x",
)  # fmt: skip
"""Names that lead out of a place, or would somewhere be taken for something else."""

FAR = 2**70
"""Beyond the end of any file; a damaged table may name such a place."""


class FilesContract:
    """What `Files` promises. Override `other` where a place can be opened twice."""

    def other(self, files: Files) -> Files:
        """The same place as another process sees it."""
        return files

    def test_of_many_who_create_a_file_exactly_one_succeeds(self, files: Files) -> None:
        for number in range(10):
            name, places = f"ops/{number}", [files, self.other(files)] * 8
            won = _at_once(
                [lambda place=place, me=me: place.create(name, b"%d" % me) for me, place in enumerate(places)]
            )
            assert won.count(True) == 1
            assert files.read(name) == b"%d" % won.index(True)

    def test_creating_leaves_alone_what_is_there(self, files: Files) -> None:
        files.put("ops/1", b"first")
        assert not files.create("ops/1", b"second")
        assert files.read("ops/1") == b"first"

    def test_putting_replaces_at_once_for_everybody(self, files: Files) -> None:
        other = self.other(files)
        for data in (b"one", b"three, which is longer", b""):
            files.put("packs/ab/x", data)
            assert (files.read("packs/ab/x"), files.size("packs/ab/x")) == (data, len(data))
            assert other.read("packs/ab/x") == data

    def test_a_hint_is_seen_and_can_be_replaced(self, files: Files) -> None:
        other = self.other(files)
        for data in (b"1", b"22"):
            files.hint("root", data)
            assert files.read("root") == other.read("root") == data

    def test_ranges_are_read_and_end_where_the_file_does(self, files: Files) -> None:
        data = random.Random(7).randbytes(3_000_000)
        files.put("packs/ab/x", data)
        assert files.read("packs/ab/x") == data
        for start, length in [(0, 10), (5, None), (2_999_990, 100), (1000, 0), (100, 2_500_000), (10, FAR)]:
            end = len(data) if length is None else start + length
            assert files.read("packs/ab/x", start, length) == data[start:end]
        for start in (len(data), len(data) + 1, 2**63 - 1, 2**64, FAR):
            assert files.read("packs/ab/x", start) == files.read("packs/ab/x", start, 10) == b""

    def test_a_mapped_file_has_the_bytes_that_are_read(self, files: Files) -> None:
        for data in (b"", b"x", bytes(range(256)) * 5000):
            files.put("index/x", data)
            mapped = files.map("index/x")
            assert (len(mapped), bytes(mapped[:]), bytes(mapped[10:20])) == (len(data), data, data[10:20])
            assert files.read("index/x") == data

    def test_a_mapped_file_stays_as_it_was(self, files: Files) -> None:
        files.put("index/x", b"old")
        mapped = files.map("index/x")
        files.put("index/x", b"new")
        files.delete("index/x")
        assert bytes(mapped[:]) == b"old"

    def test_all_files_of_a_folder_are_listed_and_no_others(self, files: Files) -> None:
        mine = [f"packs/{number:02d}/{number}" for number in range(300)] + ["packs/x"]
        for name in [*mine, "packs2/x", "pack", "other"]:
            assert files.create(name, b"x")
        assert sorted(files.list("packs")) == sorted(mine)
        assert list(files.list("packs/07")) == ["packs/07/7"]
        assert list(files.list("nowhere")) == []

    def test_what_stays_is_listed_while_others_come_and_go(self, files: Files) -> None:
        stays = {f"ops/{number:04d}" for number in range(0, 200, 2)}
        for name in stays:
            files.put(name, b"x")
        with _meanwhile(lambda n: (files.put(f"ops/{n % 100 * 2 + 1:04d}", b"y"), files.delete(f"ops/{n % 77:04d}x"))):
            for _ in range(20):
                assert stays <= set(self.other(files).list("ops"))

    def test_what_is_missing_is_said_to_be_missing(self, files: Files) -> None:
        files.put("ops/2", b"x")
        files.delete("ops/2")
        looks: list[Callable[[str], object]] = [
            files.read, files.map, files.size, files.signature, lambda name: files.read(name, 5, 5),
        ]  # fmt: skip
        for name in ("ops/1", "ops/2", "nowhere/at/all"):
            assert not files.exists(name)
            for look in looks:
                _raises(FileNotFoundError, look, name)

    def test_deleting_twice_is_as_deleting_once_and_everybody_sees_it(self, files: Files) -> None:
        other = self.other(files)
        files.put("packs/ab/x", b"x")
        assert other.read("packs/ab/x") == b"x"
        files.delete("packs/ab/x")
        files.delete("packs/ab/x")
        files.delete("nowhere/x")
        assert not other.exists("packs/ab/x")
        _raises(FileNotFoundError, other.read, "packs/ab/x")
        assert files.create("packs/ab/x", b"again")
        assert other.read("packs/ab/x") == b"again"

    def test_a_local_file_is_adopted_and_gone(self, files: Files) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for data in (b"one", b"two"):
                path = Path(folder) / "incoming.pack"
                path.write_bytes(data)
                files.adopt("packs/ab/x", path)
                assert files.read("packs/ab/x") == data
                assert not path.exists()

    def test_a_signature_tells_bytes_that_changed(self, files: Files) -> None:
        files.put("packs/ab/x", b"one")
        before = files.signature("packs/ab/x")
        assert before == files.signature("packs/ab/x") == self.other(files).signature("packs/ab/x")
        files.put("packs/ab/x", b"two")
        assert files.signature("packs/ab/x") != before

    def test_a_name_that_leads_elsewhere_is_refused(self, files: Files) -> None:
        with tempfile.NamedTemporaryFile() as file:
            uses: list[Callable[[str], object]] = [
                files.read, files.map, files.size, files.signature, files.exists, files.delete,
                lambda name: files.put(name, b"x"), lambda name: files.create(name, b"x"),
                lambda name: files.hint(name, b"x"), lambda name: list(files.list(name)),
                lambda name: files.adopt(name, Path(file.name)),
            ]  # fmt: skip
            for name in HOSTILE_NAMES:
                for use in uses:
                    _raises(InvalidName, use, name)
            assert Path(file.name).exists()

    def test_a_reader_sees_all_of_a_file_or_nothing(self, files: Files) -> None:
        whole, other = [bytes([65 + n]) * (n * 40_000 + 1) for n in range(5)], self.other(files)

        def write(number: int) -> None:
            files.put("root", whole[number % 5])
            files.create(f"ops/{number}", whole[number % 5])

        write(0)
        with _meanwhile(write):
            for number in range(300):
                assert other.read("root") in whole
                if other.exists(f"ops/{number % 40}"):
                    assert other.read(f"ops/{number % 40}") == whole[number % 5]


class CommitPointContract:
    """That `OpLog` keeps its promises over a place: one line of entries, and nobody is told what is not so."""

    def test_the_first_entry_is_made_once(self, files: Files) -> None:
        log = OpLog(files)
        assert log.newest() is None
        assert _at_once([lambda me=me: log.begin(b"%d" % me) for me in range(8)]).count(True) == 1
        newest = log.newest()
        assert newest is not None
        assert (newest.seq, log.is_newest(1), log.is_newest(2)) == (1, True, False)

    def test_writers_that_race_make_one_line_and_each_is_told_the_truth(self, files: Files) -> None:
        _begin(files)
        done = _at_once([lambda: [_commit(OpLog(files)) for _ in range(6)] for _ in range(8)])
        nonces = [nonce for each in done for nonce in each]
        line = _line(files)
        assert sorted(line[1:]) == sorted(nonces)
        assert len(set(nonces)) == 48

    def test_a_lost_reply_is_recognised(self, files: Files) -> None:
        for number, reply in enumerate((False, TimeoutError("no reply")), 2):
            log = OpLog(_begun(files))
            lossy = OpLog(cast(Files, _LostReply(files, reply)))
            entry = _next(log, f"mine {number}")
            assert lossy.commit(entry) is Outcome.COMMITTED
            assert log.newest() == entry

    def test_a_lost_request_is_no_commit(self, files: Files) -> None:
        log = OpLog(_begun(files))
        entry = _next(log, "mine")
        _raises(TimeoutError, OpLog(cast(Files, _LostReply(files, TimeoutError(), applies=False))).commit, entry)
        assert log.is_newest(1)

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

    def test_a_place_whose_entry_is_withdrawn_meanwhile_was_taken(self, files: Files) -> None:
        log = OpLog(_begun(files))
        # Refused, since there was one, which is gone when its bytes are looked at.
        lossy = OpLog(cast(Files, _LostReply(files, False, applies=False)))
        assert lossy.commit(_next(log, "mine")) is Outcome.TAKEN

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
        assert [OpLog(files).is_newest(seq) for seq in (99, 100, 101)] == [False, True, False]
        assert _newest_seq(files) == 100

    def test_old_entries_are_cleaned_up_from_the_oldest_on(self, files: Files) -> None:
        log = OpLog(_begun(files))
        for _ in range(19):
            _commit(log)
        assert log.clean_up(5, lambda seq: seq != 9) == list(range(1, 9))
        assert log.clean_up(5, lambda _: True) == list(range(9, 16))
        assert log.clean_up(5, lambda _: True) == []
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
        log.clean_up(5, lambda _: True)
        assert log.commit(late) is Outcome.UNSURE
        for hint in (b"2\n", b"20\n", b""):  # it deceives nobody, not even by the hint
            files.hint(ROOT, hint)
            assert _newest_seq(files) == 20
        log.withdraw(late)
        assert log.sequence() == [16, 17, 18, 19, 20]

    def test_writers_and_a_cleaner_side_by_side_lose_nothing(self, files: Files) -> None:
        _begin(files)
        seen: list[int] = []

        def tidy(_: int) -> None:
            OpLog(files).clean_up(4, lambda _: True)
            seen.append(_newest_seq(files))

        with _meanwhile(tidy):
            done = _at_once([lambda: [_commit(OpLog(files)) for _ in range(15)] for _ in range(6)])
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
    OpLog(files).begin(_data("first", []))


def _begun(files: Files) -> Files:
    _begin(files)
    return files


def _data(nonce: str, recent: list[str]) -> bytes:
    return json.dumps([nonce, *recent]).encode()


def _next(log: OpLog, nonce: str) -> Entry:
    newest = log.newest()
    assert newest is not None
    return Entry(newest.seq + 1, _data(nonce, json.loads(newest.data)))


def _commit(log: OpLog) -> str:
    """Commits as a publisher does, however often it takes, and returns the nonce."""
    nonce = random.SystemRandom().randbytes(8).hex()
    while True:
        entry = _next(log, nonce)
        outcome = log.commit(entry)
        if outcome is Outcome.UNSURE:
            newest = log.newest()
            assert newest is not None
            if nonce in json.loads(newest.data):
                return nonce
            log.withdraw(entry)
        elif outcome is Outcome.COMMITTED:
            return nonce


def _newest_seq(files: Files) -> int:
    newest = OpLog(files).newest()
    assert newest is not None
    return newest.seq


def _line(files: Files) -> list[str]:
    """The nonces of all entries there are, each checked to follow the one before."""
    line: list[str] = []
    for seq in OpLog(files).sequence():
        nonce, *recent = json.loads(files.read(op_name(seq)))
        assert not line or recent[0] == line[-1]
        line.append(nonce)
    assert len(line) == len(list(files.list(OPS)))
    return line


def _raises(error: type[Exception], call: Callable[..., object], *arguments: object) -> None:
    try:
        result = call(*arguments)
    except error:
        return
    raise AssertionError(f"{call} of {arguments!r} gave {result!r} and no {error.__name__}")


def _at_once(calls: list[Callable[[], T]]) -> list[T]:
    """Makes all calls at the same moment, each in a thread, and returns what they return."""
    results: dict[int, Any] = {}
    barrier = threading.Barrier(len(calls))

    def run(number: int) -> None:
        barrier.wait()
        results[number] = calls[number]()

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(calls))]


@contextmanager
def _meanwhile(step: Callable[[int], object]) -> Iterator[None]:
    """Calls `step` with 0, 1, 2, … in another thread as long as the block lasts."""
    stop, failed = threading.Event(), []

    def run() -> None:
        number = 0
        while not stop.is_set():
            try:
                step(number)
            except BaseException as error:
                failed.append(error)
                return
            number += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not failed, failed
