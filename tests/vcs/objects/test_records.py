"""Records: a reader takes exactly the fields it knows, each of its type."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import ArtError, DamagedError, InvalidName, StorageError
from artvcs.vcs.objects import canonical, kinds
from artvcs.vcs.objects.kinds import Commit, Op
from artvcs.vcs.objects.limits import MAX_TEXT, MAX_TIME
from artvcs.vcs.objects.nodes import RefsNode, StepsNode, Tree
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.objects.records import Record, later, record

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


@record
class Grown(Record):
    """A record that got a field when many had been stored without it."""

    KIND: ClassVar[str] = "grown"
    name: str
    more: Oid | None = later(None)


def test_a_field_that_came_later_changes_no_record_that_was_there() -> None:
    old = b'{"name":"n"}'
    assert Grown.decode(old) == Grown("n")
    assert Grown("n").encode() == old
    assert Grown.decode(Grown("n", SOME_ID).encode()) == Grown("n", SOME_ID)


@pytest.mark.parametrize(
    ("data", "said"),
    [({"name": "n", "more": None}, "says what is not to be said"), ({"more": SOME_ID}, "wrong fields")],
    ids=["two encodings of one record", "a field that was always there"],
)
def test_a_field_that_came_later_is_read_in_one_way(data: dict[str, Any], said: str) -> None:
    with pytest.raises(DamagedError, match=said):
        Grown.decode(canonical.dumps(data))


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
        Tree.from_json({"level": 0, "entries": [["name", ["x" * 100] * 10_000, SOME_ID, 1, 1]]})
    assert len(str(caught.value)) < 500


def test_a_text_is_as_long_as_a_reader_takes_it() -> None:
    longest = {**GOOD, "name": "n" * MAX_TEXT, "by_name": {"k" * MAX_TEXT: {"number": 2}}}
    assert Whole.decode(canonical.dumps(longest)).encode() == canonical.dumps(longest)
    for more in ({"name": "n" * (MAX_TEXT + 1)}, {"by_name": {"k" * (MAX_TEXT + 1): {"number": 2}}}):
        with pytest.raises(DamagedError, match="at most"):
            Whole.decode(canonical.dumps({**GOOD, **more}))


def test_a_writer_refuses_a_text_that_no_reader_takes() -> None:
    whole = Whole.from_json(GOOD)
    with pytest.raises(InvalidName, match="more than"):
        replace(whole, name="n" * (MAX_TEXT + 1)).encode()
    with pytest.raises(InvalidName, match="more than"):
        replace(whole, by_name={"k" * (MAX_TEXT + 1): Part(1)}).encode()
    with pytest.raises(StorageError, match="more than"):
        replace(whole, anything=["n" * MAX_TEXT] * 3000).encode()


@pytest.mark.parametrize("moment", [-1, MAX_TIME + 1])
def test_a_moment_in_no_calendar_is_refused(moment: int) -> None:
    with pytest.raises(DamagedError, match="cannot be"):
        Commit.from_json({**EXAMPLES[Commit], "started": moment})


# Whatever is done to a real record, a reader takes it or says that it is damaged.


def example(kind: type[Record]) -> Any:
    """The record that docs/format shows of a kind."""
    return json.loads(re.search(rf"^```json {kind.KIND} \w+\n(.*)\n```$", FORMAT, re.M)[1])  # type: ignore[index]


FORMAT = "".join(path.read_text() for path in (Path(__file__).parents[3] / "docs/format").glob("*.md"))
KINDS = [kind for kind in vars(kinds).values() if isinstance(kind, type) and issubclass(kind, Record) and kind.KIND]
KINDS += [StepsNode]
EXAMPLES = {kind: example(kind) for kind in KINDS}
HOSTILE: list[Any] = [
    None,
    True,
    -1,
    0,
    2**53 - 1,
    "",
    "\x1b]0;x\x07",
    "..",
    ".git",
    "x" * 100_000,
    "\ud800",
    1.5,
    2**70,
]
HOSTILE += [[], {}, [[]], {"": None}, {"$int": "9" * 5000}, ["a", "a"], SOME_ID, SOME_ID.upper(), [SOME_ID, SOME_ID]]


def read_or_refuse(kind: type[Record], data: bytes) -> None:
    refused = ""
    try:
        assert kind.decode(data).encode() == data
    except DamagedError as error:
        refused = str(error)
    assert len(refused) < 500


@given(st.data())
def test_changed_bytes_of_real_records(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    encoded = bytearray(canonical.dumps(EXAMPLES[kind]))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(encoded)))
        stop = data.draw(st.integers(start, min(len(encoded), start + 3)))
        encoded[start:stop] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"[", b"}", b",", b"9", b"\\u0000"])
        )
    read_or_refuse(kind, bytes(encoded))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in JSON data with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


@given(st.data())
def test_changed_fields_of_real_records(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    changed = copy.deepcopy(EXAMPLES[kind])
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from([*places(changed), ({"": None}, "")]))
        hostile = copy.deepcopy(data.draw(st.sampled_from(HOSTILE)))
        match data.draw(st.sampled_from(["replace", "delete", "add", "repeat"])):
            case "replace":
                container[key] = hostile
            case "delete":
                del container[key]
            case "repeat" if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
            case _ if isinstance(container, dict):
                container[data.draw(st.sampled_from(["", "z", "x" * 100_000, "\x9b"]))] = hostile
    text = json.dumps(changed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    read_or_refuse(kind, text.encode("utf-8", "surrogatepass"))
