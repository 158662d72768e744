"""Records: a reader takes exactly the fields it knows, each of its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import ArtError, DamagedError
from artvcs.vcs.objects import canonical
from artvcs.vcs.objects.kinds import Entry, Op, RefsNode, Tree
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.objects.records import Record

SOME_ID = hash_bytes(b"something")


@dataclass(frozen=True)
class Part(Record):
    number: int


@dataclass(frozen=True)
class Whole(Record):
    KIND: ClassVar[str] = "whole"
    name: str
    flag: bool
    target: Oid | None
    parts: tuple[Part, ...]
    by_name: Mapping[str, Part]
    anything: Any = None


GOOD = {
    "name": "n",
    "flag": True,
    "target": SOME_ID,
    "parts": [{"number": 1}],
    "by_name": {"a": {"number": 2}},
    "anything": [1, {"x": None}],
}


def test_a_record_comes_back_from_its_bytes() -> None:
    record = Whole.decode(canonical.dumps(GOOD))
    assert record == Whole("n", True, SOME_ID, (Part(1),), {"a": Part(2)}, [1, {"x": None}])
    assert record.encode() == canonical.dumps(GOOD)


def test_the_id_is_the_hash_of_the_bytes_under_the_kind() -> None:
    record = Whole.decode(canonical.dumps(GOOD))
    assert record.oid == hash_bytes(record.encode(), "whole") != hash_bytes(record.encode())


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_missing_field_is_refused(field: str) -> None:
    data = {key: value for key, value in GOOD.items() if key != field}
    with pytest.raises(DamagedError, match="wrong fields"):
        Whole.decode(canonical.dumps(data))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(DamagedError, match="wrong fields"):
        Whole.decode(canonical.dumps({**GOOD, "more": 1}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 1},
        {"name": None},
        {"flag": 1},
        {"flag": "true"},
        {"target": "abc"},
        {"target": SOME_ID.upper()},
        {"target": f"{SOME_ID}\n"},
        {"parts": {"number": 1}},
        {"parts": [1]},
        {"parts": [{"number": True}]},
        {"parts": [{"number": None}]},
        {"by_name": []},
        {"by_name": {"a": {}}},
    ],
    ids=str,
)
def test_an_ill_typed_field_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DamagedError):
        Whole.decode(canonical.dumps({**GOOD, **wrong}))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"1", b'"x"', b"\xff"])
def test_what_is_no_object_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedError):
        Whole.decode(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_our_own_error(data: bytes) -> None:
    for kind in (Tree, Op, RefsNode):
        try:
            record = kind.decode(data)
        except ArtError:
            continue
        assert record.encode() == data


def test_a_long_wrong_value_does_not_flood_the_message() -> None:
    with pytest.raises(DamagedError) as caught:
        Entry.from_json({"name": ["x" * 100] * 10_000, "mode": "100644", "id": SOME_ID, "size": 1})
    assert len(str(caught.value)) < 500
