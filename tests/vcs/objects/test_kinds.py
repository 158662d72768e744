"""Trees and refs nodes: hostile ones are refused before anything is done with them."""

from __future__ import annotations

from typing import Any

import pytest

from artvcs.vcs.errors import ArtError, DamagedError, InvalidName
from artvcs.vcs.objects import canonical
from artvcs.vcs.objects.kinds import Op, State
from artvcs.vcs.objects.names import check_entry_name
from artvcs.vcs.objects.nodes import FILE, FOLDER, MAX_LEVEL, SYMLINK, Entry, RefsNode, Tree
from artvcs.vcs.objects.oid import Oid, hash_bytes

ID = hash_bytes(b"")

HOSTILE = ["", ".", "..", "a/b", "/", "../x", "a\\b", "nul\0", ".git", ".GIT", ".Git", ".git.", ".git ", "\ud800"]
HOSTILE += [".artifacts", ".Artifacts", ".artifacts. ", ".arti\u200cfacts", "ARTIFA~1", "artifa~2", ".artifacts::$DATA"]
HOSTILE += [".g\u200cit", "git~1", "GIT~1", ".git::$INDEX_ALLOCATION", "x" * 256, "日" * 86]


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_name_that_could_do_harm_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        check_entry_name(name)


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_stored_tree_with_such_a_name_is_refused(name: str) -> None:
    try:
        leaf = canonical.dumps({"entries": [[name, FILE, ID, 0, 1]], "level": 0})
        inner = canonical.dumps({"entries": [[name, ID, 0, 1]], "level": 1})
    except ValueError:
        return  # not even JSON
    for data in (leaf, inner):
        with pytest.raises(DamagedError):
            Tree.decode(data)


@pytest.mark.parametrize(
    "name",
    ["a", "ä", "...", ".gitignore", "git", "artifacts", ".artifacts-old", "a b", "日本", "x" * 255, "日" * 85, "\n"],
    ids=repr,
)
def test_other_names_are_taken_as_they_are(name: str) -> None:
    assert check_entry_name(name) == name


def test_a_tree_is_sorted_by_bytes_and_holds_each_name_once() -> None:
    a, b = Entry("a", FILE, ID, 1), Entry("b", FILE, ID, 2)
    assert Tree(0, (a, b)).summary == (3, 2)
    for wrong in ((b, a), (a, a)):
        with pytest.raises(DamagedError):
            Tree(0, wrong)


def test_a_node_of_a_tree_reads_back_as_it_was() -> None:
    names = ["a", "ab", "ä", "日本"]
    leaf = Tree(0, tuple(Entry(name, FILE, ID, size) for size, name in enumerate(names)))
    inner = Tree(1, (("ab", leaf.oid, *leaf.summary), ("ä", ID, 7, 9)))
    for node in (leaf, inner, Tree(0, ())):
        assert Tree.decode(node.encode()) == node
    assert leaf.children == [ID] * 4
    assert inner.children == [leaf.oid, ID]
    assert inner.summary == (13, 13)


@pytest.mark.parametrize(
    "entry",
    [
        ["a", "100600", ID, 1, 1],
        ["a", "160000", ID, 1, 1],
        ["a", "", ID, 1, 1],
        ["a", 100644, ID, 1, 1],
        ["a", [FILE], ID, 1, 1],
        ["a", FILE, ID, -1, 1],
        ["a", FILE, ID, True, 1],
        ["a", FILE, ID, 1, 0],
        ["a", FILE, ID, 1, 2],
        ["a", FOLDER, ID, 1, 0],
        ["a", FILE, ID[:-1], 1, 1],
        ["a", FILE, None, 1, 1],
        ["a", FILE, ID, 1],
        ["a", FILE, ID, 1, 1, 1],
        [1, FILE, ID, 1, 1],
        [],
        {},
        None,
    ],
    ids=repr,
)
def test_an_entry_that_cannot_be_is_refused(entry: Any) -> None:
    with pytest.raises(DamagedError):
        Tree.decode(canonical.dumps({"entries": [entry], "level": 0}))


@pytest.mark.parametrize(
    "node",
    [
        {"entries": [], "level": 1},
        {"entries": [["a", FILE, ID, 1, 1]], "level": 1},
        {"entries": [["a", ID, 1, 1]], "level": 0},
        {"entries": [["b", ID, 1, 1], ["a", ID, 1, 1]], "level": 1},
        {"entries": [["a", ID, 1, 0]], "level": 1},
        {"entries": [["a", ID, 1, 1]], "level": MAX_LEVEL + 1},
        {"entries": [["a", ID, 1, 1]], "level": -1},
        {"entries": [["a", ID, 1, 1]], "level": True},
        {"entries": {}, "level": 0},
        {"entries": []},
        {"entries": [], "level": 0, "more": 1},
    ],
    ids=repr,
)
def test_a_node_of_a_tree_that_no_writer_makes_is_refused(node: dict[str, Any]) -> None:
    with pytest.raises(DamagedError):
        Tree.decode(canonical.dumps(node))


def test_the_kind_follows_from_the_mode() -> None:
    assert [Entry("a", mode, ID, 0).kind for mode in (FILE, SYMLINK, FOLDER)] == ["blob", "blob", "tree"]


@pytest.mark.parametrize(
    ("level", "entries"),
    [
        (0, (("b", ID), ("a", ID))),
        (0, (("a", ID), ("a", ID))),
        (0, (("a",),)),
        (0, ((),)),
        (0, (("a", ID, ID),)),
        (0, (("a", ID, 1),)),
        (0, (("a", "../../etc"),)),
        (0, (("a", 5),)),
        (0, ((5, ID),)),
        (0, ((None, ID),)),
        (0, ()),
        (-1, (("a", ID),)),
        (MAX_LEVEL + 1, (("a", ID, 1),)),
        (1, (("a", ID),)),
        (1, (("a", ID, 0),)),
        (1, (("a", ID, -1),)),
        (1, (("a", ID, True),)),
        (1, (("a", ID, "1"),)),
        (1, (("b", ID, 1), ("a", ID, 1))),
    ],
)
def test_a_refs_node_that_no_writer_makes_is_refused(level: int, entries: tuple[tuple[Any, ...], ...]) -> None:
    with pytest.raises(ArtError):
        RefsNode(level, entries)
    with pytest.raises(ArtError):
        RefsNode.decode(canonical.dumps({"entries": [list(entry) for entry in entries], "level": level}))


def test_a_refs_node_says_how_many_refs_are_below() -> None:
    leaf = RefsNode(0, (("a", ID), ("b", ID)))
    above = RefsNode(1, (("b", leaf.oid, 2), ("z", ID, 1000)))
    assert (leaf.summary, above.summary) == ((2,), (1002,))
    assert RefsNode.decode(above.encode()) == above
    assert above.oid == hash_bytes(above.encode(), "refs")


def test_keys_of_refs_are_in_the_order_of_their_bytes() -> None:
    keys = sorted(["a", "Z", "é", "\ud7ff", "\ue000", "\U0010ffff", "aa"], key=str.encode)
    assert [entry[0] for entry in RefsNode(0, tuple((key, ID) for key in keys)).entries] == keys


STATE = State(ID, (ID,), ("ops/000000000001", "packs/ab/x"), {"packs/cd/y": 5}, 3, ("f" * 16,))


def test_an_op_comes_back_with_the_state_after_it() -> None:
    op = Op(2, ID, STATE, "0" * 16, "1" * 16, "Ada <ada@example.org>", 1, "add")
    assert Op.decode(op.encode()) == op
    assert op.oid == hash_bytes(op.encode(), "op")


@pytest.mark.parametrize(
    "false",
    [
        {"refs": "x"},
        {"segments": ["x"]},
        {"segments": {}},
        {"loose": [5]},
        {"condemned": {"packs/cd/y": "5"}},
        {"condemned": []},
        {"epoch": None},
        {"epoch": True},
        {"recent": [None]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_state_that_no_writer_makes_is_refused(false: dict[str, object]) -> None:
    with pytest.raises(DamagedError):
        State.decode(canonical.dumps({**canonical.loads(STATE.encode()), **false}))


def test_a_file_with_the_bytes_of_a_tree_is_not_the_tree() -> None:
    tree = Tree(0, (Entry("a", FILE, Oid(ID), 0),))
    assert hash_bytes(tree.encode()) != tree.oid
