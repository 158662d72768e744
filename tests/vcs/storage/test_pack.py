"""Packs: what is written can be listed and read, and a damaged or forged one is refused."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import hash_bytes
from artvcs.vcs.storage.layout import PackName
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.packs import pack
from artvcs.vcs.storage.packs.pack import RECORD_SIZE, TRAILER_SIZE, Item, Pack
from artvcs.vcs.storage.packs.table import CODES, KINDS, ROW_SIZE, Location

from .making import HEADER, blob, flip, put_pack, rows_of

ITEMS = st.builds(
    lambda kind, codec, stored, size: Item(hash_bytes(stored, kind), kind, codec, stored, size),
    st.sampled_from(KINDS), st.integers(0, 255), st.binary(max_size=200), st.integers(0, 2**64 - 1),
)  # fmt: skip


def record(files: MemoryFiles, name: PackName, at: Location) -> bytes:
    return pack.check_record(files.read(name, at.offset, RECORD_SIZE + at.stored), at)


@given(st.lists(ITEMS, max_size=10))
def test_what_is_packed_comes_back(items: list[Item]) -> None:
    files = MemoryFiles()
    name = put_pack(files, *items)
    found = Pack.open(files, name)
    locations = list(found.locations())
    assert [at.oid for at in locations] == sorted(item.oid for item in items)
    assert {(at.oid, at.kind, at.codec, record(files, name, at), at.size) for at in locations} == {
        (item.oid, item.kind, item.codec, item.stored, item.size) for item in items
    }
    assert sorted(pack.scan(files.read(name), found.end), key=lambda at: (at.oid, at.offset)) == sorted(
        locations, key=lambda at: (at.oid, at.offset)
    )
    assert found.whole(files)


@given(st.lists(ITEMS, max_size=10), st.integers(0, 10))
def test_many_objects_are_read_from_front_to_back(items: list[Item], wanted: int) -> None:
    files = MemoryFiles()
    found = Pack.open(files, name := put_pack(files, *items))
    locations = list(found.locations())
    assert list(found.held()) == [(bytes.fromhex(at.oid), CODES[at.kind], at.stored) for at in locations]
    keys = {bytes.fromhex(item.oid) for item in items[:wanted]}
    expected = sorted((at for at in locations if bytes.fromhex(at.oid) in keys), key=lambda at: at.offset)
    read = list(pack.records(files, found.name, found.in_order(keys)))
    assert [at for at, _ in read] == expected
    assert [pack.check_record(each, at) for at, each in read] == [
        pack.check_record(files.read(name, at.offset, RECORD_SIZE + at.stored), at) for at in expected
    ]


@pytest.mark.parametrize("change", [{"offset": 0}, {"offset": 2**60}, {"stored": 10_000}, {"stored": 2**64 - 1}])
def test_a_row_that_points_outside_is_refused_among_many_too(change: dict[str, Any]) -> None:
    files = MemoryFiles()
    [at] = rows_of(files, put_pack(files, blob(b"one")))
    found = Pack.open(files, put_pack(files, blob(b"one"), rows=[dataclasses.replace(at, **change)]))
    with pytest.raises(DamagedError):
        list(found.held())
    with pytest.raises(DamagedError):
        list(found.in_order({bytes.fromhex(at.oid)}))


def test_a_large_pack_is_opened_by_its_end_alone() -> None:
    read: list[int] = []

    class Counting(MemoryFiles):
        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            read.append(len(data := super().read(name, start, length)))
            return data

    files = Counting()
    name = put_pack(files, *(blob(bytes([number]) * 100_000) for number in range(50)))
    assert len(rows_of(files, name)) == 50
    assert sum(read) == 50 * ROW_SIZE + 2 * TRAILER_SIZE


def test_two_packs_of_the_same_objects_have_different_names() -> None:
    files = MemoryFiles()
    assert put_pack(files, blob(b"x")) != put_pack(files, blob(b"x"))


def test_a_pack_is_named_after_its_end_which_holds_the_hashes_of_all_of_it() -> None:
    files = MemoryFiles()
    name = put_pack(files, blob(b"one"), blob(b"two"))
    good = files.read(name)
    for position in range(len(good)):
        flip(files, name, position)
        try:
            opened = Pack.open(files, name)
            assert pack.pack_id(files.read(name)) != name[-64:] or not opened.whole(files), position
        except DamagedError:
            pass
        files.put(name, good)


def test_every_flipped_bit_in_the_table_or_the_end_is_noticed_on_opening() -> None:
    files = MemoryFiles()
    name = put_pack(files, blob(b"one"), blob(b"two"))
    good, end = files.read(name), Pack.open(files, name).end
    hash_of_records = range(len(good) - 64, len(good) - 32)  # looked at only when all is read
    for position in set(range(end, len(good))) - set(hash_of_records):
        for bit in (1, 0x80):
            flip(files, name, position, bit)
            with pytest.raises(DamagedError):
                Pack.open(files, name)
            files.put(name, good)


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_truncated_pack_is_refused(size: int) -> None:
    files = MemoryFiles()
    name = put_pack(files, blob(b"x" * size), blob(b"two"))
    good = files.read(name)
    for keep in (0, 10, 40, 100, len(good) - TRAILER_SIZE, len(good) - 1):
        files.put(name, good[:keep])
        with pytest.raises(DamagedError, match="truncated or damaged"):
            Pack.open(files, name)


@pytest.mark.parametrize(("rows", "end"), [(2**64 - 1, 0), (0, 2**64 - 1), (2**58, 32), (1, 0), (10**6, 2**63)])
def test_an_end_that_lies_about_its_table_is_refused_and_nothing_large_is_read(rows: int, end: int) -> None:
    most: list[int] = []

    class Watched(MemoryFiles):
        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            most.append(len(data := super().read(name, start, length)))
            return data

    files = Watched()
    trailer = struct.pack("<4sIQQ64s", b"ArtE", 2, rows, end, bytes(64))
    files.put("packs/x", bytes(1_000_000) + trailer)
    with pytest.raises(DamagedError):
        Pack.open(files, "packs/x")
    assert max(most) == TRAILER_SIZE


@pytest.mark.parametrize(
    "false",
    [
        {"offset": 0},
        {"offset": HEADER - 1},
        {"offset": 2**64 - 1},
        {"stored": 2**60},
        {"stored": 4},
        {"offset": HEADER + 1},
    ],
    ids=repr,
)
def test_a_row_that_points_outside_the_records_is_refused(false: dict[str, int]) -> None:
    files = MemoryFiles()
    [row] = rows_of(files, put_pack(files, blob(b"one")))
    forged = put_pack(files, blob(b"one"), rows=[dataclasses.replace(row, **false)])  # type: ignore[arg-type]
    with pytest.raises(DamagedError, match="points outside"):
        rows_of(files, forged)


@pytest.mark.parametrize("stored", [0, 5, 2**40, 2**63, 2**64 - 1])
def test_a_record_that_claims_another_length_is_refused_by_a_scan(stored: int) -> None:
    data = bytearray(pack.pack_bytes([blob(b"one")]))
    data[HEADER + 8 : HEADER + 16] = stored.to_bytes(8, "little")
    with pytest.raises(DamagedError):
        pack.scan(bytes(data), HEADER + RECORD_SIZE + 3)


@pytest.mark.parametrize("end", [0, 31, 33, 94, 96, 10**9])
def test_a_scan_that_ends_elsewhere_than_a_record_is_refused(end: int) -> None:
    data = pack.pack_bytes([blob(b"one")])
    assert len(pack.scan(data, HEADER + RECORD_SIZE + 3)) == 1
    with pytest.raises(DamagedError):
        pack.scan(data, end)


def test_a_record_that_is_not_the_one_that_was_promised_is_refused() -> None:
    files = MemoryFiles()
    name = put_pack(files, blob(b"one"), blob(b"two"))
    one, two = rows_of(files, name)
    for wrong in (
        dataclasses.replace(one, offset=two.offset),
        dataclasses.replace(one, kind="tree"),
        dataclasses.replace(one, codec=1),
        dataclasses.replace(one, stored=one.stored + 1),
        dataclasses.replace(one, size=10**11),
        dataclasses.replace(one, offset=10**9),
    ):
        with pytest.raises(DamagedError, match="is damaged in its pack"):
            record(files, name, wrong)
