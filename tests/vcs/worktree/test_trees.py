"""Trees that no `art add` would make: refused at once, with nothing written where it should not be."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from artvcs.vcs import worktree
from artvcs.vcs.errors import ArtError, DamagedError, DiskFull, StorageError
from artvcs.vcs.objects.nodes import FOLDER, Entry, Tree
from artvcs.vcs.repository import Repository

from .helpers import checkout, entry_of, tree_of


def test_two_names_that_are_one_here_do_not_become_one_file(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [entry_of(repository, b"one", "README"), entry_of(repository, b"two", "readme")]
    stored, real_open = tree_of(repository, *names), os.open

    def ignoring_case(path: object, *arguments: object, **more: object) -> int:
        folded = Path(str(path))
        return real_open(folded.with_name(folded.name.lower()), *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", ignoring_case)
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
            entry = Entry("d", FOLDER, transaction.put(Tree(0, (entry,))), 4)
        transaction.set_ref("tags/a", entry.id)
    with pytest.raises(ArtError, match="deep"):
        checkout(repository, entry, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_small_tree_that_stands_for_more_than_any_disk_holds_is_refused_at_once(
    repository: Repository, tmp_path: Path
) -> None:
    entry = entry_of(repository, b"x")
    with repository.transaction("put") as transaction:
        for _ in range(7):
            children = (entry._replace(name=f"{number:02}") for number in range(100))
            tree = Tree(0, tuple(children))
            entry = Entry("folder", FOLDER, transaction.put(tree), *tree.summary)
        transaction.set_ref("tags/a", entry.id)
    began = time.monotonic()
    for write in (
        lambda: checkout(repository, entry, tmp_path / "back"),
        lambda: worktree.write_tree(repository.store, entry.id, tmp_path),
    ):
        with pytest.raises(DamagedError, match="more than can be written"):
            write()
    assert time.monotonic() - began < 1
    assert list(tmp_path.iterdir()) == [repository.project]


def test_what_does_not_fit_on_the_disk_is_refused_at_once(repository: Repository, tmp_path: Path) -> None:
    huge = entry_of(repository, b"small")._replace(size=1 << 52)
    with pytest.raises(DiskFull, match="do not fit"):
        checkout(repository, huge, tmp_path / "back")
    with pytest.raises(DiskFull, match="do not fit"):
        worktree.write_tree(repository.store, tree_of(repository, huge).id, tmp_path)
    assert list(tmp_path.iterdir()) == [repository.project]


@pytest.mark.parametrize("size", [3, 1000])
def test_a_file_of_another_size_than_its_folder_says_is_refused(
    repository: Repository, tmp_path: Path, size: int
) -> None:
    lying = entry_of(repository, b"content")._replace(size=size)
    with pytest.raises(DamagedError, match="another size"):
        checkout(repository, tree_of(repository, lying), tmp_path / "back")
    assert list(tmp_path.iterdir()) == [repository.project]
