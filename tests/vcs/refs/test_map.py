"""The refs map: it behaves as a dictionary, and its shape depends on its keys alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from artvcs.vcs.refs import map as refs
from artvcs.vcs.refs.map import RefMap
from hypothesis import given, settings
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.kinds import RefsNode
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.layout import Layout
from artvcs.vcs.storage.store import ObjectStore

KEYS = st.text(st.sampled_from("ab/é\U0010ffff"), max_size=4) | st.integers(0, 300).map(lambda n: f"k/{n:03d}")
IDS = st.integers(0, 3).map(lambda number: hash_bytes(str(number).encode()))
STATES = st.dictionaries(KEYS, IDS, max_size=60)
EDITS = st.dictionaries(KEYS, st.none() | IDS, max_size=20)


class Nodes:
    """A store that keeps refs nodes in memory and counts what is put."""

    def __init__(self, folder: Path) -> None:
        self.store = ObjectStore(Layout(folder), lambda: None)
        self.put_ids: list[Oid] = []

    def put(self, node: RefsNode) -> Oid:
        self.store.remember(node.oid, node, 0)
        self.put_ids.append(node.oid)
        return node.oid

    def map(self, state: dict[str, Oid]) -> RefMap:
        return RefMap(self.store, None).update(state, self.put)


@pytest.fixture(params=[1, 5], ids=["small nodes", "usual nodes"])
def nodes(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    monkeypatch.setattr(refs, "_BITS", request.param)  # small nodes make deep trees of few keys
    monkeypatch.setattr("artvcs.vcs.objects.kinds.MAX_REFS_LEVEL", 64)
    return Nodes(tmp_path)


def apply(state: dict[str, Oid], edits: dict[str, Oid | None]) -> dict[str, Oid]:
    merged = {**state, **edits}
    return {key: oid for key, oid in merged.items() if oid is not None}


@given(state=STATES, edits=EDITS)
@settings(max_examples=300)
def test_edits_do_what_they_do_to_a_dictionary(
    nodes: Nodes, state: dict[str, Oid], edits: dict[str, Oid | None]
) -> None:
    expected = apply(state, edits)
    changed = nodes.map(state).update(edits, nodes.put)
    assert dict(changed.items()) == expected
    assert list(changed.items()) == sorted(expected.items())
    assert all(changed.get(key) == expected.get(key) for key in {*state, *edits, "absent"})


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


@given(old=STATES, new=STATES)
def test_a_difference_is_the_difference_of_the_dictionaries(
    nodes: Nodes, old: dict[str, Oid], new: dict[str, Oid]
) -> None:
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    expected = {key: (old.get(key), new.get(key)) for key in keys}
    assert nodes.map(new).diff(nodes.map(old)) == expected


@given(state=STATES, prefix=KEYS)
def test_a_prefix_finds_its_refs_and_the_last_of_them(nodes: Nodes, state: dict[str, Oid], prefix: str) -> None:
    expected = sorted(item for item in state.items() if item[0].startswith(prefix))
    found = nodes.map(state)
    assert list(found.items(prefix)) == expected
    assert found.last(prefix) == (expected[-1] if expected else None)


@given(state=STATES)
def test_nodes_lists_each_node_of_the_tree(nodes: Nodes, state: dict[str, Oid]) -> None:
    found = nodes.map(state)
    listed = list(found.nodes())
    assert len(listed) == len(set(listed))
    leaves = [node for oid in listed if not (node := nodes.store.record(oid, RefsNode)).level]
    assert sum(len(leaf.entries) for leaf in leaves) == len(state)


def test_changing_one_ref_among_many_writes_few_nodes(nodes: Nodes) -> None:
    state = {f"artifacts/model/{number:010d}": hash_bytes(b"") for number in range(5000)}
    before = nodes.map(state)
    nodes.put_ids.clear()
    after = before.update({"artifacts/model/0000002500": hash_bytes(b"new")}, nodes.put)
    assert len(nodes.put_ids) <= 20
    assert list(after.diff(before)) == ["artifacts/model/0000002500"]


def test_a_node_on_the_wrong_level_is_refused(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path)
    leaf = nodes.put(RefsNode(0, (("a", hash_bytes(b"")),)))
    hostile = RefMap(nodes.store, nodes.put(RefsNode(5, (("a", leaf),))))
    looks: list[Callable[[], object]] = [
        lambda: hostile.get("a"),
        lambda: list(hostile.items()),
        lambda: hostile.update({"a": None}, nodes.put),
    ]
    for look in looks:
        with pytest.raises(DamagedError, match="wrong level"):
            look()
