"""Folders: the same names make the same tree, and a change costs a few nodes, however many names there are."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError, InvalidName, UnknownName
from artvcs.vcs.maps import trees
from artvcs.vcs.objects.nodes import EXECUTABLE, FILE, FOLDER, Entry, Tree
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.op_log import OpLog
from artvcs.vcs.storage.store import ObjectStore


class Nodes:
    """Nodes in memory, and how many were put."""

    def __init__(self) -> None:
        files = MemoryFiles()
        self.made: dict[Oid, Tree] = {}
        self.puts = 0
        self.store = ObjectStore(files, OpLog(files))
        self.store.record = self._record  # type: ignore[method-assign, assignment]

    def put(self, node: Tree) -> Oid:
        self.puts += 1
        self.made[node.oid] = Tree.decode(node.encode())
        return node.oid

    def _record(self, oid: Oid, _: object) -> Tree:
        if oid not in self.made:
            raise UnknownName(oid)
        return self.made[oid]

    def write(self, entries: dict[str, Entry]) -> Oid:
        return trees.write(self.store, [entries[name] for name in sorted(entries)], self.put)

    def read(self, tree: Oid) -> dict[str, Entry]:
        return {entry.name: entry for entry in trees.entries(self.store, tree)}


def file(name: str, content: int = 0) -> Entry:
    return Entry(name, EXECUTABLE if content % 7 == 1 else FILE, hash_bytes(b"%d" % content), content)


def folder_of(count: int) -> dict[str, Entry]:
    return {name: file(name, number) for number in range(count) if (name := f"img_{number:07}.png")}


names = st.text(st.sampled_from("abÄ日\U0001f600-"), min_size=1, max_size=4)
folders = st.dictionaries(names, st.integers(0, 20), max_size=60)


@given(folders, folders, st.randoms(use_true_random=False))
def test_a_tree_does_not_depend_on_how_it_came_about(
    before: dict[str, int], after: dict[str, int], order: random.Random
) -> None:
    nodes = Nodes()
    old = nodes.write({name: file(name, content) for name, content in before.items()})
    wanted = {name: file(name, content) for name, content in after.items()}
    edits = [*wanted.items(), *((name, None) for name in before.keys() - after.keys())]
    order.shuffle(edits)
    tree = old
    for name, entry in edits:
        tree = trees.changed(nodes.store, tree, {name: entry}, nodes.put)
    at_once = trees.changed(nodes.store, old, dict(edits), nodes.put)
    assert tree == at_once == nodes.write(wanted)
    assert nodes.read(tree) == wanted


def test_a_large_tree_does_not_depend_on_how_it_came_about() -> None:
    nodes, order = Nodes(), random.Random(1)
    wanted = folder_of(3000)
    tree = nodes.write(dict(order.sample(sorted(wanted.items()), 1500)))
    for _ in range(30):
        edits = {f"extra{number}": file(f"extra{number}") for number in order.sample(range(10_000), 50)}
        tree = trees.changed(nodes.store, tree, edits, nodes.put)
        tree = trees.changed(nodes.store, tree, dict.fromkeys(edits), nodes.put)
        tree = trees.changed(nodes.store, tree, dict(order.sample(sorted(wanted.items()), 300)), nodes.put)
    assert trees.changed(nodes.store, tree, wanted, nodes.put) == nodes.write(wanted)


@given(folders, folders)
def test_the_difference_of_two_trees(before: dict[str, int], after: dict[str, int]) -> None:
    nodes = Nodes()
    old, new = ({name: file(name, content) for name, content in each.items()} for each in (before, after))
    found = trees.diff(nodes.store, nodes.write(new), nodes.write(old))
    differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    assert found == {name: (old.get(name), new.get(name)) for name in differing}


def test_names_are_in_the_order_of_their_bytes() -> None:
    nodes = Nodes()
    entries = {name: file(name) for name in ("\U0001f600", "￿", "b", "B", "ab", "a", "日")}
    found = list(nodes.read(nodes.write(entries)))
    assert found == sorted(entries, key=str.encode) == sorted(entries)


def test_one_name_is_found_without_reading_the_others() -> None:
    nodes = Nodes()
    entries = folder_of(5000)
    tree = nodes.write(entries)
    leaves = [oid for oid, node in nodes.made.items() if node.level == 0]
    [home] = [oid for oid in leaves if any(entry[0] == "img_0002500.png" for entry in nodes.made[oid].entries)]
    for oid in leaves:
        if oid != home:
            del nodes.made[oid]
    assert trees.find(nodes.store, tree, "img_0002500.png") == entries["img_0002500.png"]
    assert trees.find(nodes.store, tree, "zebra") is None
    with pytest.raises(UnknownName):
        nodes.read(tree)


@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.faults)])
def test_a_change_of_a_large_folder_makes_a_few_nodes(count: int) -> None:
    nodes = Nodes()
    tree = nodes.write(folder_of(count))
    for edits in (
        {"img_0050000.png": file("img_0050000.png", 5)},
        {"img_0050000.png": None},
        {"zzz": file("zzz")},
        {"img_0000000.pnf": file("img_0000000.pnf")},
    ):
        nodes.puts = 0
        changed = trees.changed(nodes.store, tree, edits, nodes.put)
        assert nodes.puts <= 7, "a leaf, perhaps cut in two or joined with the next, and the nodes above"
        assert trees.diff(nodes.store, changed, tree).keys() == edits.keys()
        tree = changed


def test_a_folder_knows_how_much_is_below() -> None:
    nodes = Nodes()
    entries = folder_of(1000)
    inner = trees.as_entry("inner", tree := nodes.write(entries), nodes.made[tree])
    assert (inner.size, inner.files) == (sum(range(1000)), 1000)
    empty = trees.as_entry("empty", tree := nodes.write({}), nodes.made[tree])
    assert (empty.size, empty.files) == (0, 1), "it is something to be made, too"
    tree = nodes.write({"inner": inner, "empty": empty, "z": file("z", 3)})
    assert nodes.made[tree].summary == (inner.size + 3, 1002)


@pytest.mark.parametrize(
    "lie",
    [
        lambda entry: (*entry[:2], entry[2] - 1, entry[3]),
        lambda entry: (*entry[:3], 1),
        lambda entry: ("zzz", *entry[1:]),
    ],
    ids=["size", "files", "last name"],
)
def test_a_node_that_is_not_what_the_one_above_says_is_refused(lie: Callable[[tuple[object, ...]], object]) -> None:
    nodes = Nodes()
    root = nodes.made[nodes.write(folder_of(5000))]
    assert root.level
    lying = Tree(root.level, (*root.entries[:-1], lie(root.entries[-1])))  # type: ignore[arg-type]
    with pytest.raises(DamagedError, match="not what the one above it says"):
        nodes.read(nodes.put(lying))


def test_an_empty_node_below_another_is_refused() -> None:
    nodes = Nodes()
    root = nodes.made[nodes.write(folder_of(5000))]
    last = (root.entries[-1][0], nodes.put(trees.EMPTY), *root.entries[-1][2:])
    with pytest.raises(DamagedError, match="not what the one above it says"):
        nodes.read(nodes.put(Tree(root.level, (*root.entries[:-1], last))))


@pytest.mark.parametrize(("size", "files"), [(0, 5000), (1, 1), (sum(range(5000)), 1)])
def test_a_folder_that_is_not_what_its_entry_says_is_refused(size: int, files: int) -> None:
    nodes = Nodes()
    lying = Entry("folder", FOLDER, nodes.write(folder_of(5000)), size, files)
    with pytest.raises(DamagedError, match="not what the one above it says"):
        list(trees.inside(nodes.store, lying))


def test_a_name_that_could_do_harm_is_not_written() -> None:
    for name in (".git", "a/b", "..", ""):
        with pytest.raises(InvalidName):
            Nodes().write({"a": file("a"), name: file(name)})
