"""Index segments: rows of many packs in one table, merged without loss, refused when they make no sense."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.layout import PackName, op_name, pack_name
from artvcs.vcs.storage.packs import segment, table
from artvcs.vcs.storage.packs.segment import Segment
from artvcs.vcs.storage.packs.table import Location

IDS = st.binary(min_size=32, max_size=32).map(lambda raw: Oid(raw.hex())) | st.integers(0, 9).map(
    lambda number: hash_bytes(b"%d" % number)
)
NAMES = IDS.map(pack_name) | IDS.map(lambda oid: pack_name(oid, lineage=True)) | st.integers(1, 10**12 - 1).map(op_name)
PACKS = st.dictionaries(NAMES, st.lists(IDS, max_size=8, unique=True), max_size=5)
Packs = dict[PackName, list[Oid]]


def built(packs: Packs, without: frozenset[PackName] = frozenset()) -> bytes:
    return segment.build(
        [([name], table.build(Location(oid, "blob", 0, 36, 1, 1) for oid in ids)) for name, ids in packs.items()],
        without,
    )


def segment_of(packs: Packs) -> Segment:
    data = built(packs)
    return Segment(hash_bytes(data, "index"), data)


def places(found: Segment) -> Counter[tuple[PackName, Oid]]:
    return Counter((found.pack_of(number), at.oid) for at, number in found)


def expected(*each: Packs) -> Counter[tuple[PackName, Oid]]:
    return Counter((name, oid) for packs in each for name, ids in packs.items() for oid in ids)


@given(PACKS, IDS)
def test_a_segment_finds_each_copy_of_what_is_in_it(packs: Packs, other: Oid) -> None:
    found = segment_of(packs)
    assert places(found) == expected(packs)
    assert found.packs == sorted(packs)
    assert found.whole()
    for oid in {other, *(oid for ids in packs.values() for oid in ids)}:
        there = {found.pack_of(number) for _, number in found.find(bytes.fromhex(oid))}
        assert there == {name for name, ids in packs.items() if oid in ids}


@given(PACKS, PACKS, st.data())
def test_merged_segments_find_what_each_found_less_the_packs_left_out(
    one: Packs, two: Packs, data: st.DataObject
) -> None:
    without = frozenset(data.draw(st.sets(st.sampled_from(sorted({*one, *two})))) if one or two else ())
    parts = [segment_of(one), segment_of(two)]
    merged_bytes = segment.build([(part.packs, part.raw()) for part in parts], without)
    merged = Segment(hash_bytes(merged_bytes, "index"), merged_bytes)
    left = {place: count for place, count in expected(one, two).items() if place[0] not in without}
    assert places(merged) == left
    assert merged.packs == sorted({*one, *two} - without)


@given(PACKS, PACKS)
def test_many_rows_are_sorted_a_part_at_a_time(one: Packs, two: Packs) -> None:
    parts = [segment_of(one), segment_of(two)]
    tables = [(part.packs, bytes(part.raw())) for part in parts]
    at_once = segment.build(tables, frozenset())
    shuffled = [
        (names, b"".join(reversed([rows[at : at + 64] for at in range(0, len(rows), 64)]))) for names, rows in tables
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment, "_AT_ONCE", 1)
        assert segment.build(tables, frozenset()) == at_once
        assert segment.build(shuffled, frozenset()) == at_once


@given(PACKS)
def test_the_order_of_its_parts_makes_no_difference(packs: Packs) -> None:
    assert built(packs) == built(dict(reversed(packs.items())))


@given(PACKS, st.data())
def test_a_changed_byte_is_noticed_and_a_missing_one_refused(packs: Packs, data: st.DataObject) -> None:
    good = built(packs)
    name = hash_bytes(good, "index")
    position = data.draw(st.integers(0, len(good) - 1))
    flipped = good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
    with contextlib.suppress(DamagedError):
        assert not Segment(name, flipped).whole()
    for bad in (good[:position], good + b"\0", b""):
        with pytest.raises(DamagedError):
            Segment(name, bad)


@pytest.mark.parametrize(
    "head",
    [
        b"ARTI\x01\0\0\0" + bytes(16),
        b"JUNK\x02\0\0\0" + bytes(16),
        b"ARTI\x02\0\0\0" + b"\xff" * 16,
        b"ARTI\x02\0\0\0" + b"\xff" * 8 + bytes(8),
        b"ARTI\x02\0\0\0" + bytes(8) + b"\xff" * 8,
    ],
)
def test_a_segment_of_another_format_or_that_lies_about_its_size_is_refused(head: bytes) -> None:
    with pytest.raises(DamagedError):
        Segment(hash_bytes(head, "index"), head)


def test_a_row_of_a_pack_that_is_not_named_is_refused() -> None:
    data = bytearray(built({op_name(1): [hash_bytes(b"x")]}))
    data[-64 + 36] = 7
    forged = Segment(hash_bytes(bytes(data), "index"), bytes(data))
    [(_, number)] = list(forged)
    with pytest.raises(DamagedError, match="names no such pack"):
        forged.pack_of(number)
    with pytest.raises(DamagedError, match="names a pack that there is not"):
        segment.build([(forged.packs, forged.raw())], frozenset())
    assert not forged.whole()
