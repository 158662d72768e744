"""Merkle maps: they behave as a sorted dictionary, and their shape depends on their keys alone."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError, UnknownName
from artvcs.vcs.maps import refs
from artvcs.vcs.maps.merkle import MerkleMap, Shape
from artvcs.vcs.maps.refs import REFS, RefMap
from artvcs.vcs.objects import nodes as node_kinds
from artvcs.vcs.objects.nodes import RefsNode
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.op_log import OpLog
from artvcs.vcs.storage.store import ObjectStore

from ..storage.making import commit

KEYS = st.text(st.sampled_from("ab/é\ud7ff\U0010ffff"), max_size=4) | st.integers(0, 300).map(lambda n: f"k/{n:03d}")
IDS = st.integers(0, 3).map(lambda number: hash_bytes(str(number).encode()))
STATES = st.dictionaries(KEYS, IDS, max_size=60)
EDITS = st.dictionaries(KEYS, st.none() | IDS, max_size=20)


class Nodes:
    """A store that keeps nodes in memory, and counts what is put and looked at."""

    def __init__(self) -> None:
        files = MemoryFiles()
        self.store = ObjectStore(files, OpLog(files))
        self.put_ids: list[Oid] = []
        self.looked: list[Oid] = []
        record = self.store.record

        def spy(oid: Oid, cls: type[RefsNode]) -> RefsNode:
            self.looked.append(oid)
            return record(oid, cls)

        self.store.record = spy  # type: ignore[method-assign, assignment]

    def put(self, node: RefsNode) -> Oid:
        self.store.remember(node.oid, node, 0)
        self.put_ids.append(node.oid)
        return node.oid

    def map(self, state: dict[str, Oid]) -> RefMap:
        return RefMap(self.store, None).update(state, self.put)


@pytest.fixture(params=[1, 5], ids=["small nodes", "usual nodes"])
def nodes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    monkeypatch.setattr(refs, "REFS", Shape(RefsNode, "ref", request.param))  # small nodes make deep trees of few keys
    monkeypatch.setattr(node_kinds, "MAX_LEVEL", 64)
    return Nodes()


def apply(state: dict[str, Oid], edits: dict[str, Oid | None]) -> dict[str, Oid]:
    merged = {**state, **edits}
    return {key: oid for key, oid in merged.items() if oid is not None}


def levels(found: RefMap) -> Iterable[list[RefsNode]]:
    """The nodes of each level, the root first."""
    level = [] if found.root is None else [found._store.record(found.root, RefsNode)]
    while level:
        yield level
        level = [found._store.record(Oid(entry[1]), RefsNode) for node in level if node.level for entry in node.entries]


@pytest.mark.long
@given(state=STATES, edits=EDITS)
@settings(max_examples=300)
def test_edits_do_what_they_do_to_a_dictionary(
    nodes: Nodes, state: dict[str, Oid], edits: dict[str, Oid | None]
) -> None:
    expected = apply(state, edits)
    changed = nodes.map(state).update(edits, nodes.put)
    assert dict(changed.items()) == expected
    assert list(changed.items()) == sorted(expected.items())
    assert list(changed.items(reverse=True)) == sorted(expected.items(), reverse=True)
    assert changed.count() == len(expected)
    assert all(changed.get(key) == expected.get(key) for key in {*state, *edits, "absent"})


@pytest.mark.long
@given(state=STATES, prefixes=st.sets(KEYS | KEYS.map(lambda key: key[:2])))
@settings(max_examples=300)
def test_of_many_beginnings_the_first_keys_are_found_at_once(
    nodes: Nodes, state: dict[str, Oid], prefixes: set[str]
) -> None:
    found = nodes.map(state)
    one_by_one = {prefix: first for prefix in prefixes if (first := next(found.items(prefix), None)) is not None}
    assert found.first_of_each(prefixes) == one_by_one


@pytest.mark.long
@given(state=STATES, steps=st.lists(EDITS, max_size=4))
@settings(max_examples=300)
def test_the_same_keys_have_the_same_root_whatever_their_history(
    nodes: Nodes, state: dict[str, Oid], steps: list[dict[str, Oid | None]]
) -> None:
    changed = nodes.map(state)
    for edits in steps:
        state = apply(state, edits)
        changed = changed.update(edits, nodes.put)
    assert changed.root == nodes.map(state).root
    assert (changed.root is None) == (not state)


@given(state=STATES, order=st.randoms(use_true_random=False))
def test_the_same_keys_one_by_one_in_any_order_have_the_same_root(
    nodes: Nodes, state: dict[str, Oid], order: random.Random
) -> None:
    keys = list(state)
    order.shuffle(keys)
    found = RefMap(nodes.store, None)
    for key in keys:
        found = found.update({key: state[key]}, nodes.put)
    assert found.root == nodes.map(state).root
    order.shuffle(keys)
    for key in keys:
        found = found.update({key: None}, nodes.put)
    assert found.root is None


@given(state=STATES)
def test_nodes_end_where_the_hash_of_a_key_says_so_and_the_root_is_as_low_as_can_be(
    nodes: Nodes, state: dict[str, Oid]
) -> None:
    shape, rows = refs.REFS, list(levels(nodes.map(state)))
    for row in rows:
        for number, node in enumerate(row):
            keys = [entry[0] for entry in node.entries]
            assert all(shape.height(key) <= node.level for key in keys[:-1])
            assert number == len(row) - 1 or shape.height(keys[-1]) > node.level
    for row, children in itertools.pairwise(rows):
        named = [entry for node in row for entry in node.entries]
        assert named == [(child.entries[-1][0], child.oid, *child.summary) for child in children]
    assert not rows or (len(rows[0]) == 1 and (rows[0][0].level == 0 or len(rows[0][0].entries) > 1))


@pytest.mark.long
@given(old=STATES, new=STATES)
@settings(max_examples=300)
def test_a_difference_is_the_difference_of_the_dictionaries(
    nodes: Nodes, old: dict[str, Oid], new: dict[str, Oid]
) -> None:
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    expected = {key: (old.get(key), new.get(key)) for key in keys}
    found = nodes.map(new).diff(nodes.map(old))
    assert found == expected
    assert list(found) == keys


@given(state=STATES, edits=EDITS)
def test_a_difference_is_what_was_edited(nodes: Nodes, state: dict[str, Oid], edits: dict[str, Oid | None]) -> None:
    before = nodes.map(state)
    after = before.update(edits, nodes.put)
    assert after.diff(before) == {
        key: (state.get(key), new) for key, new in sorted(edits.items()) if state.get(key) != new
    }
    assert before.diff(after).keys() == after.diff(before).keys()


@pytest.mark.long
@given(state=STATES, prefix=KEYS)
@settings(max_examples=300)
def test_a_prefix_finds_its_refs_in_both_directions_and_counts_them(
    nodes: Nodes, state: dict[str, Oid], prefix: str
) -> None:
    expected = sorted(item for item in state.items() if item[0].startswith(prefix))
    found = nodes.map(state)
    assert list(found.items(prefix)) == expected
    assert list(found.items(prefix, reverse=True)) == expected[::-1]
    assert found.last(prefix) == (expected[-1] if expected else None)
    assert found.count(prefix) == len(expected)


@pytest.fixture(scope="module")
def many() -> tuple[Nodes, RefMap, dict[str, Oid]]:
    """Ten thousand refs, half of them of one name."""
    made, rng = Nodes(), random.Random(7)
    names = [f"artifacts/model/{number:010d}" for number in range(5000)]
    names += [f"cache/{rng.randbytes(32).hex()}" for _ in range(5000)]
    state = {name: hash_bytes(name.encode()) for name in names}
    return made, made.map(state), state


def test_ten_thousand_refs_are_found_listed_and_counted(many: tuple[Nodes, RefMap, dict[str, Oid]]) -> None:
    made, found, state = many
    assert list(found.items()) == sorted(state.items())
    assert list(found.items("artifacts/model/000000012")) == sorted(
        item for item in state.items() if item[0].startswith("artifacts/model/000000012")
    )
    for prefix in ("", "artifacts/", "artifacts/model/0000001", "cache/", "cache/a", "nothing/"):
        made.looked.clear()
        assert found.count(prefix) == sum(key.startswith(prefix) for key in state)
        assert len(made.looked) <= 12  # whole nodes are counted by what stands above them
    for key in random.Random(7).sample(sorted(state), 100):
        made.looked.clear()
        assert found.get(key) == state[key]
        assert len(made.looked) <= 5


def test_the_first_of_many_and_the_last_are_found_without_reading_the_rest(
    many: tuple[Nodes, RefMap, dict[str, Oid]],
) -> None:
    made, found, _ = many
    for reverse, name in ((False, "artifacts/model/0000000000"), (True, "artifacts/model/0000004999")):
        made.looked.clear()
        assert next(found.items("artifacts/model/", reverse=reverse))[0] == name
        assert len(made.looked) <= 8


def test_changing_one_ref_among_many_writes_and_compares_few_nodes(
    many: tuple[Nodes, RefMap, dict[str, Oid]],
) -> None:
    made, before, state = many
    edits: list[dict[str, Oid | None]] = [
        {"artifacts/model/0000002500": hash_bytes(b"new")},
        {"artifacts/model/0000005000": hash_bytes(b"new")},
        {"artifacts/model/0000000007": None},
        {"zzz": hash_bytes(b"last")},
        {"": hash_bytes(b"first")},
    ]
    for edit in edits:
        made.put_ids.clear()
        after = before.update(edit, made.put)
        assert len(made.put_ids) <= 8
        made.looked.clear()
        assert {key: new for key, (_, new) in after.diff(before).items()} == edit
        assert len(made.looked) <= 16
        assert after.root == made.map(apply(state, edit)).root


def test_no_edits_write_nothing(many: tuple[Nodes, RefMap, dict[str, Oid]]) -> None:
    made, before, state = many
    made.put_ids.clear()
    assert before.update({}, made.put).root == before.root
    assert made.put_ids == []
    some = dict(list(state.items())[:3])
    assert before.update(dict(some), made.put).root == before.root
    assert before.update({"absent": None}, made.put).root == before.root


def test_a_node_holds_some_dozens_of_entries(many: tuple[Nodes, RefMap, dict[str, Oid]]) -> None:
    _, found, _ = many
    rows = list(levels(found))
    assert 16 < 10_000 / len(rows[-1]) < 64
    assert len(rows) <= 4


ID = hash_bytes(b"")


def hostile(nodes: Nodes, level: int, entry: tuple[object, ...]) -> MerkleMap:
    """A root above a leaf of `a` and `b`, which says something false about it."""
    leaf = nodes.put(RefsNode(0, (("a", ID), ("b", ID))))
    key, count = entry
    return MerkleMap(nodes.store, nodes.put(RefsNode(level, ((key, leaf, count), ("z", leaf, 2)))), REFS)


@pytest.mark.parametrize(
    ("level", "entry"),
    [(5, ("b", 2)), (2, ("b", 2)), (1, ("c", 2)), (1, ("a", 2)), (1, ("b", 1)), (1, ("b", 10**9))],
    ids=["level 5", "level 2", "a later key", "an earlier key", "fewer", "more"],
)
def test_a_node_that_is_not_what_the_one_above_says_is_refused(level: int, entry: tuple[object, ...]) -> None:
    nodes = Nodes()
    found = hostile(nodes, level, entry)
    looks: list[Callable[[], object]] = [
        lambda: found.find("a"),
        lambda: list(found.entries()),
        lambda: list(found.entries("a", reverse=True)),
        lambda: found.changed({"a": None}, nodes.put),
    ]
    for look in looks:
        with pytest.raises(DamagedError, match="not what the one above it says"):
            look()


def test_few_nodes_cannot_lead_to_more_keys_than_there_are() -> None:
    nodes = Nodes()
    keys = "abcdefghijkl"
    # Each node holds all keys up to its last, again and again: some 12 ** 16 ways lead down.
    row = [RefsNode(0, tuple((key, ID) for key in keys[: at + 1])) for at in range(len(keys))]
    for level in range(1, 17):
        below = [(key, nodes.put(node), *node.summary) for key, node in zip(keys, row, strict=True)]
        row = [RefsNode(level, tuple(below[: at + 1])) for at in range(len(keys))]
    found = MerkleMap(nodes.store, nodes.put(row[-1]), REFS)
    looks: list[Callable[[], object]] = [
        lambda: list(found.entries()),
        lambda: list(found.entries(reverse=True)),
        lambda: found.find("k"),
        lambda: found.first_of_each(["k"]),
        lambda: found.changed({"k": None}, nodes.put),
    ]
    for look in looks:
        with pytest.raises(DamagedError, match="overlaps with the one before it"):
            look()
    assert sorted(found.diff(MerkleMap(nodes.store, None, REFS))) == list(keys)


def test_a_missing_node_is_named_and_takes_nothing_else_along() -> None:
    nodes = Nodes()
    commit(nodes.store.files)
    missing, leaf = hash_bytes(b"missing"), nodes.put(RefsNode(0, (("a", ID), ("b", ID))))
    found = MerkleMap(nodes.store, nodes.put(RefsNode(1, (("b", leaf, 2), ("d", missing, 2)))), REFS)
    with pytest.raises(UnknownName, match="is not in this repository"):
        found.find("c")
    assert found.find("a") == ("a", ID)
    assert found.count() == 4
