"""Files and folders: stored as they are, put back safely, and never at the price of somebody's edits."""

from __future__ import annotations

import os
import random
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import ArtError, InvalidName, StorageError, WouldOverwrite
from artvcs.vcs.objects.kinds import EXECUTABLE, FILE, FOLDER, SYMLINK, Entry, Tree
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.worktree import files as worktree

from ..helpers import files


def add(repository: Repository, path: Path, name: str = "data") -> Entry:
    with repository.transaction("add") as transaction:
        entry = worktree.add_path(transaction, path, name)
        transaction.set_ref(f"tags/{entry.id}", entry.id)
    return entry


def entry_of(repository: Repository, content: bytes, name: str = "file", mode: str = FILE) -> Entry:
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(content)
        transaction.set_ref(f"tags/{oid}", oid)
    return Entry(name, mode, oid, len(content))


def tree_of(repository: Repository, *entries: Entry) -> Entry:
    """Stores a tree that no `art add` would make."""
    with repository.transaction("put") as transaction:
        oid = transaction.put(Tree(tuple(sorted(entries, key=lambda entry: entry.name.encode()))))
        transaction.set_ref(f"tags/{oid}", oid)
    return Entry("folder", FOLDER, oid, 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "text").write_text("some text")
    (folder / "sub" / "large").write_bytes(random.Random(1).randbytes(3_000_000))
    (folder / "sub" / "nothing").write_bytes(b"")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "sub" / "link").symlink_to("../text")
    (folder / "ünï ✓").write_text("unicode")
    return folder


def test_a_folder_comes_back_as_it_was(repository: Repository, data: Path, tmp_path: Path) -> None:
    entry = add(repository, data)
    assert worktree.checkout(repository.store, entry, tmp_path / "back")
    assert files(tmp_path / "back") == files(data)
    assert os.readlink(tmp_path / "back" / "sub" / "link") == "../text"
    assert os.access(tmp_path / "back" / "run.sh", os.X_OK)
    assert not os.access(tmp_path / "back" / "text", os.X_OK)
    assert (tmp_path / "back" / "sub" / "empty").is_dir()
    assert entry.size == sum(path.lstat().st_size for path in data.rglob("*") if path.is_symlink() or path.is_file())


@given(st.dictionaries(st.sampled_from("abcde"), st.binary(max_size=30), max_size=5))
def test_the_same_files_have_the_same_tree(repository: Repository, tmp_path: Path, content: dict[str, bytes]) -> None:
    ids = set()
    for names in (sorted(content), sorted(content, reverse=True)):
        folder = tmp_path / os.urandom(8).hex()
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(content[name])
        ids.add(add(repository, folder).id)
    assert len(ids) == 1


def test_a_files_id_is_that_of_its_bytes(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 2_000_000)
    assert add(repository, tmp_path / "file").id == worktree.file_id(tmp_path / "file")


def test_progress_counts_every_byte(repository: Repository, data: Path, tmp_path: Path) -> None:
    read: list[int] = []
    with repository.transaction("add") as transaction:
        entry = worktree.add_path(transaction, data, "data", read.append)
        transaction.set_ref("tags/a", entry.id)
    written: list[int] = []
    worktree.checkout(repository.store, entry, tmp_path / "back", written.append)
    of_files = sum(path.stat().st_size for path in data.rglob("*") if path.is_file() and not path.is_symlink())
    assert sum(read) == sum(written) == of_files


# Links


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "//etc/passwd", "..", "../..", "../x", "a/../../x", "sub/..", "sub/../..", "./../x", "sub/../text"],
)
def test_a_link_that_leads_out_is_refused_on_add_and_on_checkout(
    repository: Repository, tmp_path: Path, target: str
) -> None:
    folder = tmp_path / "hostile"
    (folder / "sub").mkdir(parents=True)
    (folder / "link").symlink_to(target)
    with pytest.raises(InvalidName, match="leads out"):
        add(repository, folder)
    stored = tree_of(repository, entry_of(repository, target.encode(), "link", SYMLINK))
    with pytest.raises(InvalidName, match="leads out"):
        worktree.checkout(repository.store, stored, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_links_that_lead_out_together_are_refused(repository: Repository, tmp_path: Path) -> None:
    # a/up → .. stays inside; a/b/out → ../up/../x would leave through it.
    folder = tmp_path / "hostile"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "up").symlink_to("..")
    add(repository, folder)
    (folder / "a" / "b" / "out").symlink_to("../up/../x")
    assert (folder / "a" / "b" / "out").resolve() == (tmp_path / "x").resolve()
    with pytest.raises(InvalidName, match="leads out"):
        add(repository, folder)


@given(st.lists(st.sampled_from(["..", ".", "a", "b", "up", "down", ""]), max_size=6))
def test_no_link_that_is_taken_resolves_outside(tmp_path: Path, parts: list[str]) -> None:
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True, exist_ok=True)
    for link, to in ((top / "a" / "up", ".."), (top / "down", "a/b")):
        if not link.is_symlink():
            link.symlink_to(to)
    try:
        worktree._check_link("/".join(parts), PurePosixPath("a/b/link"))
    except InvalidName:
        return
    assert (top / "a" / "b" / "/".join(parts)).resolve().is_relative_to(top.resolve())


@pytest.mark.parametrize("target", [b"", b"a\0b"])
def test_a_link_to_nothing_is_refused_with_our_own_error(repository: Repository, tmp_path: Path, target: bytes) -> None:
    stored = tree_of(repository, entry_of(repository, target, "link", SYMLINK))
    with pytest.raises(InvalidName):
        worktree.checkout(repository.store, stored, tmp_path / "back")


def test_a_link_to_a_name_that_is_no_unicode_comes_back(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.symlink(b"caf\xe9", os.fsencode(tmp_path / "data" / "link"))
    entry = add(repository, tmp_path / "data")
    worktree.checkout(repository.store, entry, tmp_path / "back")
    assert os.readlink(os.fsencode(tmp_path / "back" / "link")) == b"caf\xe9"


def test_nothing_is_written_through_a_link_of_the_tree(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "folder").symlink_to(outside)
    inner = entry_of(repository, b"content", "file")
    with pytest.raises(ArtError):
        worktree.write_tree(repository.store, tree_of(repository, tree_of(repository, inner)).id, tmp_path / "back")
    assert list(outside.iterdir()) == []


def test_a_link_at_the_top_is_followed_as_the_user_meant_it(repository: Repository, data: Path, tmp_path: Path) -> None:
    (tmp_path / "shortcut").symlink_to(data)
    assert add(repository, tmp_path / "shortcut").id == add(repository, data).id


# Hostile and odd trees


def test_two_names_that_are_one_here_do_not_become_one_file(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [entry_of(repository, b"one", "README"), entry_of(repository, b"two", "readme")]
    stored, real_open = tree_of(repository, *names), os.open

    def ignoring_case(path: object, *arguments: object, **more: object) -> int:
        folded = Path(str(path))
        return real_open(folded.with_name(folded.name.lower()), *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(worktree.os, "open", ignoring_case)  # type: ignore[attr-defined]
    with pytest.raises(StorageError, match="exists"):
        worktree.write_tree(repository.store, stored.id, tmp_path)


def test_an_existing_file_is_not_written_into(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(StorageError):
        worktree.write_tree(repository.store, tree_of(repository, entry_of(repository, b"theirs")).id, tmp_path)
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_bottomless_tree_is_refused(repository: Repository, tmp_path: Path) -> None:
    entry = entry_of(repository, b"deep")
    with repository.transaction("put") as transaction:
        for _ in range(2000):
            entry = Entry("d", FOLDER, transaction.put(Tree((entry,))), 4)
        transaction.set_ref("tags/a", entry.id)
    with pytest.raises(ArtError, match="deep"):
        worktree.checkout(repository.store, entry, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_folders_too_deep_to_come_back_are_refused_on_add(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "data").joinpath(*["d"] * 150).mkdir(parents=True)
    with pytest.raises(InvalidName, match="deep"):
        add(repository, tmp_path / "data")


def test_what_is_neither_file_nor_folder_is_refused(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "data" / "pipe")
    with pytest.raises(StorageError, match="neither"):
        add(repository, tmp_path / "data")


def test_a_name_that_is_no_unicode_is_refused(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with open(os.fsencode(tmp_path / "data") + b"/caf\xe9", "wb"):
        pass
    with pytest.raises(InvalidName):
        add(repository, tmp_path / "data")


def test_a_file_below_a_folder_that_is_no_unicode_can_be_added(repository: Repository, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    path = Path(os.fsdecode(folder)) / "file"
    path.write_text("old")
    os.utime(path, (1, 1))
    assert add(repository, path).size == 3


# Checkout over what is there


def test_what_is_there_already_is_left_alone(repository: Repository, data: Path) -> None:
    entry = add(repository, data)
    before = (data / "text").stat().st_ino
    assert not worktree.checkout(repository.store, entry, data)
    assert (data / "text").stat().st_ino == before


def test_another_stored_state_is_replaced(repository: Repository, data: Path) -> None:
    first = add(repository, data)
    (data / "text").write_text("changed")
    (data / "new").write_text("new")
    second = add(repository, data)
    assert worktree.checkout(repository.store, first, data)
    assert (data / "text").read_text() == "some text"
    assert not (data / "new").exists()
    assert worktree.checkout(repository.store, second, data)
    assert (data / "text").read_text() == "changed"
    assert [path.name for path in data.parent.iterdir() if "art-" in path.name] == []


@pytest.mark.parametrize("edit", ["changed file", "new file", "new link", "pipe"])
def test_edits_that_are_not_stored_are_never_overwritten(repository: Repository, data: Path, edit: str) -> None:
    first = add(repository, data)
    (data / "text").write_text("second")
    add(repository, data)
    place = data / "sub" / "mine"
    if edit == "changed file":
        place = data / "text"
        place.write_text("precious")
    elif edit == "new file":
        place.write_text("precious")
    elif edit == "new link":
        place.symlink_to("nowhere-else")
    else:
        os.mkfifo(place)
    with pytest.raises(WouldOverwrite, match=place.name):
        worktree.checkout(repository.store, first, data)
    assert place.is_symlink() or place.exists()
    assert sorted(path.name for path in data.parent.iterdir()) == ["data", "project"]


def test_a_single_file_with_edits_is_not_overwritten(repository: Repository, tmp_path: Path) -> None:
    entry = entry_of(repository, b"stored")
    target = tmp_path / "file"
    target.write_bytes(b"edited")
    with pytest.raises(WouldOverwrite):
        worktree.checkout(repository.store, entry, target)
    assert target.read_bytes() == b"edited"


@pytest.mark.parametrize("in_folder", [False, True])
def test_an_edit_made_during_a_checkout_is_not_lost(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_folder: bool
) -> None:
    target = tmp_path / "target"
    edited = target / "file" if in_folder else target
    entries = [entry_of(repository, content) for content in (b"old", b"new")]
    if in_folder:
        entries = [tree_of(repository, entry) for entry in entries]
    worktree.checkout(repository.store, entries[0], target)
    replace = worktree._replace

    def edit_first(*arguments: object) -> None:
        edited.write_bytes(b"edited meanwhile")
        replace(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(worktree, "_replace", edit_first)
    with pytest.raises(WouldOverwrite):
        worktree.checkout(repository.store, entries[1], target)
    assert edited.read_bytes() == b"edited meanwhile"


def test_a_name_as_long_as_names_can_be_is_checked_out(repository: Repository, tmp_path: Path) -> None:
    target = tmp_path / ("n" * 255)
    assert worktree.checkout(repository.store, entry_of(repository, b"x"), target)
    assert target.read_bytes() == b"x"


def test_a_file_takes_the_place_of_a_stored_folder_and_back(repository: Repository, data: Path) -> None:
    folder, file = add(repository, data), entry_of(repository, b"a file now")
    assert worktree.checkout(repository.store, file, data)
    assert data.read_bytes() == b"a file now"
    assert worktree.checkout(repository.store, folder, data)
    assert (data / "text").read_text() == "some text"


def test_what_is_missing_from_the_store_leaves_the_target_as_it_was(repository: Repository, tmp_path: Path) -> None:
    old = entry_of(repository, b"old")
    target = tmp_path / "file"
    worktree.checkout(repository.store, old, target)
    with pytest.raises(ArtError):
        worktree.checkout(repository.store, Entry("file", EXECUTABLE, Oid("0" * 64), 3), target)
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "project"]
