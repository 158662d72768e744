"""Trees and refs nodes: hostile ones are refused before anything is done with them."""

from __future__ import annotations

import pytest

from artvcs.vcs.errors import ArtError, DamagedError, InvalidName
from artvcs.vcs.objects import canonical
from artvcs.vcs.objects.kinds import FILE, FOLDER, SYMLINK, Entry, RefsNode, Tree, check_entry_name
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
    entry = {"name": name, "mode": FILE, "id": ID, "size": 0}
    try:
        data = canonical.dumps({"entries": [entry]})
    except ValueError:
        return  # not even JSON
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
    assert Tree((a, b)).size == 3
    for wrong in ((b, a), (a, a)):
        with pytest.raises(DamagedError):
            Tree(wrong)


@pytest.mark.parametrize(("mode", "size"), [("100600", 1), ("160000", 1), ("", 1), (FILE, -1)])
def test_an_entry_of_another_mode_or_a_negative_size_is_refused(mode: str, size: int) -> None:
    with pytest.raises(DamagedError):
        Entry("a", mode, ID, size)


def test_the_kind_follows_from_the_mode() -> None:
    assert [Entry("a", mode, ID, 0).kind for mode in (FILE, SYMLINK, FOLDER)] == ["blob", "blob", "tree"]


@pytest.mark.parametrize(
    ("level", "entries"),
    [
        (0, (("b", ID), ("a", ID))),
        (0, (("a", ID), ("a", ID))),
        (0, (("a",),)),
        (0, (("a", ID, ID),)),
        (0, (("a", "../../etc"),)),
        (0, ()),
        (-1, (("a", ID),)),
        (99, (("a", ID),)),
    ],
)
def test_a_refs_node_that_no_writer_makes_is_refused(level: int, entries: tuple[tuple[str, ...], ...]) -> None:
    with pytest.raises(ArtError):
        RefsNode(level, entries)


def test_a_file_with_the_bytes_of_a_tree_is_not_the_tree() -> None:
    tree = Tree((Entry("a", FILE, Oid(ID), 0),))
    assert hash_bytes(tree.encode()) != tree.oid
