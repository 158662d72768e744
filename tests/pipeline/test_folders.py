"""The folder of a value: in memory as long as that is enough, on disk as soon as somebody needs a path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from artvcs.pipelines.values import store
from artvcs.pipelines.values.folder import SMALL, Folder
from artvcs.vcs import Repository, worktree


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    def make() -> Path:
        place = tmp_path / "made"
        place.mkdir()
        return place

    return Folder(make)


@pytest.fixture
def repository(project: Path) -> Repository:
    return Repository.discover(create=True)


def test_small_files_need_no_disk(folder: Folder, tmp_path: Path) -> None:
    folder.write("a", b"one")
    folder.write("b", b"two")
    folder.remove("b")
    assert folder.read("a") == b"one"
    assert (folder.has("a"), folder.has("b"), folder.size("a")) == (True, False, 3)
    assert folder.held == {"a": b"one"}
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        folder.read("b")


def test_who_asks_for_a_path_finds_all_of_it_there(folder: Folder) -> None:
    folder.write("a", b"one")
    assert (folder.path / "a").read_bytes() == b"one"
    folder.write("b", b"two")
    (folder.path / "a").write_bytes(b"another")
    assert folder.held is None
    assert {path.name for path in folder.path.iterdir()} == {"a", "b"}
    assert (folder.read("a"), folder.size("a"), folder.has("b")) == (b"another", 7, True)
    folder.remove("b")
    assert not folder.has("b")


def test_what_is_large_goes_to_disk_with_all_that_came_before(folder: Folder) -> None:
    folder.write("a", b"one")
    folder.write("b", bytes(SMALL))
    assert folder.held is None
    assert folder.read("a") == b"one"
    assert folder.size("b") == SMALL


@pytest.mark.parametrize(
    "files", [{}, {"z": b"", "a": b"x" * 100}, {f"{number:03}": b"%d" % number for number in range(500)}]
)
def test_the_same_is_stored_from_memory_as_from_disk(
    repository: Repository, tmp_path: Path, files: dict[str, bytes]
) -> None:
    (tmp_path / "files").mkdir()
    for name, content in files.items():
        (tmp_path / "files" / name).write_bytes(content)
    with repository.transaction("both") as transaction:
        held = worktree.add_held(transaction, files)
        assert held == worktree.add_folder(transaction, tmp_path / "files")._replace(name=held.name)
        found = worktree.read_held(repository.store, held.id, SMALL)
    assert found == files or (found is None and len(files) > 128)


def test_only_plain_files_of_one_folder_are_read_into_memory(repository: Repository, tmp_path: Path) -> None:
    for name in ("inner/file", "program", "plain"):
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).write_bytes(b"12345")
    (tmp_path / "files" / "program").chmod(0o755)
    with repository.transaction("some") as transaction:
        for taken in ("inner", "program"):
            (tmp_path / "some").mkdir()
            (tmp_path / "files" / taken).rename(tmp_path / "some" / taken)
            tree = worktree.add_folder(transaction, tmp_path / "some")
            assert worktree.read_held(repository.store, tree.id, SMALL) is None
            (tmp_path / "some").rename(tmp_path / taken)
        tree = worktree.add_folder(transaction, tmp_path / "files")
        assert worktree.read_held(repository.store, tree.id, 5) == {"plain": b"12345"}
        assert worktree.read_held(repository.store, tree.id, 4) is None


@pytest.mark.parametrize("size", [10, SMALL // 8 - 100, SMALL // 8 + 100])
def test_an_array_of_any_size_comes_back(repository: Repository, size: int) -> None:
    value = np.arange(size, dtype=np.float64)
    with repository.transaction("save") as transaction:
        saved = store.save(transaction, repository, value)
        loaded = store.load(repository, saved.id, leased=True)
        loaded[0] = 7.0  # it is the caller's own
        assert np.array_equal(store.load(repository, saved.id, leased=True), value)
