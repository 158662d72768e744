"""Tables of objects: every row comes back, and is found by its id or the start of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.storage.packs import table
from artvcs.vcs.storage.packs.table import KINDS, ROW_SIZE, Location, Table

IDS = st.binary(min_size=32, max_size=32).map(lambda raw: Oid(raw.hex()))
CLOSE_IDS = (
    st.integers(0, 5).map(lambda number: Oid(f"{number:x}" * 3 + "0" * 61)) | IDS
)  # some alike, some starting alike
U64 = st.integers(0, 2**64 - 1)
LOCATIONS = st.builds(Location, CLOSE_IDS, st.sampled_from(KINDS), st.integers(0, 255), U64, U64, U64)
TABLES = st.lists(LOCATIONS, max_size=30)


def table_of(locations: list[Location], before: bytes = b"") -> Table:
    data = before + table.build(locations) + b"after"
    return Table(data, len(before), len(locations))


@given(LOCATIONS, st.integers(0, 2**32 - 1))
def test_a_row_comes_back(at: Location, number: int) -> None:
    [row] = table.renumbered(table.pack_row(at), [number])
    assert len(row) == ROW_SIZE == 64
    assert list(Table(row, 0, 1)) == [(at, number)]


@pytest.mark.long
@given(st.lists(st.tuples(LOCATIONS, st.integers(0, 300)), max_size=20), st.data())
def test_many_rows_get_other_numbers(rows: list[tuple[Location, int]], data: st.DataObject) -> None:
    """All at once: each its own, and those of packs that are left out are gone."""
    numbers = data.draw(st.lists(st.none() | st.integers(0, 2**32 - 1), min_size=301, max_size=301))
    before = b"".join(row for at, number in rows for row in table.renumbered(table.pack_row(at), [number]))
    after = b"".join(table.renumbered(before, range(301)))
    assert after == before
    changed = b"".join(table.renumbered(before, numbers))
    kept = [(at, found) for at, number in rows if (found := numbers[number]) is not None]
    assert list(Table(changed, 0, len(kept))) == kept
    assert Table(before, 0, len(rows)).last_number() == max((number for _, number in rows), default=0)


@given(TABLES, IDS, st.binary(max_size=50))
def test_a_table_finds_what_is_in_it_and_nothing_else(locations: list[Location], other: Oid, before: bytes) -> None:
    found = table_of(locations, before)
    by_rows = sorted(at.oid for at in locations)
    assert [at.oid for at, _ in found] == by_rows
    assert found.raw() == table.build(locations)
    for oid in {*by_rows, other}:
        there = {at for at, _ in found.find(bytes.fromhex(oid))}
        assert there == {at for at in locations if at.oid == oid}
        assert len(list(found.find(bytes.fromhex(oid)))) == by_rows.count(oid)


@given(TABLES, st.integers(0, 40))
def test_many_are_found_at_once_as_one_by_one(locations: list[Location], more: int) -> None:
    found = table_of(locations)
    keys = {bytes.fromhex(at.oid) for at in locations[:3]} | {bytes([number]) * 32 for number in range(more)}
    one_by_one = [
        (key, table.CODES[at.kind], at.codec, number, at.stored) for key in keys for at, number in found.find(key)
    ]
    assert sorted(found.places(keys)) == sorted(one_by_one)


@given(TABLES)
def test_the_order_in_which_objects_lie(locations: list[Location]) -> None:
    found = table_of(locations)
    assert [found.row(row)[0].offset for row in found.by_offset()] == sorted(at.offset for at in locations)


@given(TABLES, st.integers(0, 64))
def test_a_prefix_finds_every_id_that_starts_with_it(locations: list[Location], digits: int) -> None:
    found = table_of(locations)
    for prefix in {at.oid[:digits] for at in locations} | {"f" * digits, "0" * digits}:
        expected = sorted(at.oid for at in locations if at.oid.startswith(prefix))
        assert [at.oid for at, _ in found.starting_with(prefix)] == expected


@pytest.mark.parametrize("position", [32, 34, 35])
def test_a_row_that_no_writer_makes_is_refused(position: int) -> None:
    row = bytearray(64)
    row[position] = len(KINDS)
    with pytest.raises(DamagedError):
        list(Table(bytes(row), 0, 1).find(bytes(32)))
    with pytest.raises(DamagedError):
        Table(bytes(row), 0, 1).check()
