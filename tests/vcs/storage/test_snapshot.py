"""A snapshot finds everything that its state names, from the index or from the packs themselves."""

from __future__ import annotations

import random

import pytest

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.layout import PackName, op_name, segment_name
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.op_log import OpLog
from artvcs.vcs.storage.packs.pack import Pack
from artvcs.vcs.storage.packs.segment import Segment
from artvcs.vcs.storage.snapshot import Snapshot

from .making import blob, commit, flip, put_pack, put_segment, store_of

A, B, C, D = (hash_bytes(text) for text in (b"a", b"b", b"c", b"d"))


def newest(files: MemoryFiles, before: Snapshot | None = None) -> Snapshot:
    entry = OpLog(files).newest()
    assert entry is not None
    return Snapshot(files, entry, before)


def places(snapshot: Snapshot, oid: Oid) -> list[PackName]:
    found = list(snapshot.find(oid))
    assert all(at.oid == oid for _, at in found)
    return [name for name, _ in found]


@pytest.fixture
def files() -> MemoryFiles:
    """`a` and `b` in packs that the index lists, `c` in a loose pack, `d` in the op's own file."""
    files = MemoryFiles()
    indexed = [put_pack(files, blob(b"a")), put_pack(files, blob(b"b"))]
    commit(files, blob(b"d"), segments=[put_segment(files, *indexed)], loose=[put_pack(files, blob(b"c"))])
    return files


def test_everything_that_the_state_names_is_found_and_nothing_else(files: MemoryFiles) -> None:
    put_pack(files, blob(b"stranger"))
    snapshot = newest(files)
    assert [len(places(snapshot, oid)) for oid in (A, B, C, D, hash_bytes(b"stranger"))] == [1, 1, 1, 1, 0]
    assert places(snapshot, D) == [op_name(1)]
    assert len(snapshot.packs()) == 4
    assert set(snapshot.starting_with("")) == {A, B, C, D, snapshot.entry.oid}
    assert set(snapshot.starting_with(A[:8])) == {A}


@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "of another format"])
def test_a_lost_index_segment_hides_nothing(files: MemoryFiles, damage: str) -> None:
    name = segment_name(newest(files).state.segments[0])
    good = files.read(name)
    if damage == "missing":
        files.delete(name)
    else:
        files.put(name, {"truncated": good[:-1], "empty": b"", "of another format": b"JUNK" + good[4:]}[damage])
    snapshot = newest(files)
    assert [len(places(snapshot, oid)) for oid in (A, B, C, D)] == [1, 1, 1, 1]
    assert len(snapshot.packs()) == 4


def test_whichever_byte_of_the_index_is_damaged_everything_can_be_read(files: MemoryFiles) -> None:
    name = segment_name(newest(files).state.segments[0])
    good = files.read(name)
    for position in range(len(good)):
        for bit in (1, 0x80):
            flip(files, name, position, bit)
            store = store_of(files)
            assert [store.read(oid, "blob") for oid in (A, B, C, D)] == [b"a", b"b", b"c", b"d"], position
            assert store.has(A), position
            assert store_of(files).expand(A).oid == A, position
            files.put(name, good)


def test_a_damaged_index_is_read_again_as_a_whole_only_once(
    files: MemoryFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    whole = Segment.whole

    def spy(self: Segment) -> bool:
        hashed.append(self.name)
        return whole(self)

    monkeypatch.setattr(Segment, "whole", spy)
    flip(files, segment_name(newest(files).state.segments[0]), -1)
    store = store_of(files)
    for number in range(10):
        assert not store.has(hash_bytes(b"%d" % number))
        with pytest.raises(Exception, match="not in this repository"):
            store.read(hash_bytes(b"%d" % number), "blob")
    assert len(hashed) <= 2


def test_condemned_packs_count_as_absent() -> None:
    files = MemoryFiles()
    kept, gone, loose = (put_pack(files, blob(text)) for text in (b"a", b"b", b"c"))
    segment = put_segment(files, kept, gone)
    commit(files, blob(b"d"), segments=[segment], loose=[loose])
    condemned: dict[str, int] = {gone: 2, loose: 2, op_name(1): 2}
    for segments in ([segment], [hash_bytes(b"a segment that is lost")]):
        commit(files, segments=segments, loose=[loose, op_name(1)], condemned=condemned)
        snapshot = newest(files)
        assert places(snapshot, A) == [kept]
        assert [places(snapshot, oid) for oid in (B, C, D)] == [[], [], []]
        assert not condemned.keys() & set(snapshot.packs())
        assert not {B, C, D} & set(snapshot.starting_with(""))


def test_an_object_in_several_packs_is_found_in_each_the_newest_first() -> None:
    files = MemoryFiles()
    names = [put_pack(files, blob(b"a"), blob(b"%d" % number)) for number in range(4)]
    commit(files, segments=[put_segment(files, *names[:2])], loose=names[2:])
    found = places(newest(files), A)
    assert found[:2] == [names[3], names[2]]
    assert set(found[2:]) == set(names[:2])


def test_a_pack_that_is_lost_or_damaged_takes_nothing_else_along(files: MemoryFiles) -> None:
    before = newest(files)
    [loose] = [name for name in before.state.loose if name.startswith("packs/")]
    flip(files, loose, -1)
    assert [len(places(newest(files), oid)) for oid in (A, B, C, D)] == [1, 1, 0, 1]
    files.delete(loose)
    assert [len(places(newest(files), oid)) for oid in (A, B, C, D)] == [1, 1, 0, 1]
    assert len(places(before, C)) == 1  # who looked before still knows where it was


def test_a_later_snapshot_opens_only_what_is_new(files: MemoryFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    before = newest(files)
    state = before.state
    commit(files, blob(b"e"), segments=state.segments, loose=[PackName(name) for name in state.loose])
    opened: list[str] = []
    opening = Pack.open.__func__  # type: ignore[attr-defined]

    def open_pack(cls: type[Pack], files: MemoryFiles, name: str) -> Pack:
        opened.append(name)
        found: Pack = opening(cls, files, name)
        return found

    monkeypatch.setattr(Pack, "open", classmethod(open_pack))
    monkeypatch.setattr(Segment, "open", lambda *_: pytest.fail("the segment is open already"))
    after = newest(files, before)
    assert opened == []
    assert [len(places(after, oid)) for oid in (A, B, C, D, hash_bytes(b"e"))] == [1] * 5


def test_a_snapshot_never_changes(files: MemoryFiles) -> None:
    before = newest(files)
    commit(files, blob(b"e"))
    assert (before.seq, len(places(before, A)), len(places(newest(files), A))) == (1, 1, 0)


def test_a_damaged_entry_is_refused(files: MemoryFiles) -> None:
    flip(files, op_name(1), -1)
    with pytest.raises(DamagedError, match="ops/000000000001 is damaged"):
        newest(files)


def test_many_packs_are_found_by_any_of_their_ids() -> None:
    files, rng = MemoryFiles(), random.Random(7)
    texts = [rng.randbytes(20) for _ in range(300)]
    names = [put_pack(files, *(blob(text) for text in texts[at : at + 10])) for at in range(0, 300, 10)]
    commit(files, segments=[put_segment(files, *names[:20]), put_segment(files, *names[20:25])], loose=names[25:])
    snapshot = newest(files)
    assert [places(snapshot, hash_bytes(text)) for text in texts] == [[names[at // 10]] for at in range(300)]
