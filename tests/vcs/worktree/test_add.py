"""Files and folders are stored as they are, or refused; what changes while it is read is not stored torn."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs import worktree
from artvcs.vcs.errors import ChangedWhileRead, InvalidName, NoPermission, StorageError
from artvcs.vcs.repository import Repository

from ..helpers import files
from .helpers import add, checkout


def test_a_folder_comes_back_as_it_was(repository: Repository, data: Path, tmp_path: Path) -> None:
    entry = add(repository, data)
    assert checkout(repository, entry, tmp_path / "back")
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
    checkout(repository, entry, tmp_path / "back", written.append)
    of_files = sum(path.stat().st_size for path in data.rglob("*") if path.is_file() and not path.is_symlink())
    assert sum(read) == sum(written) == of_files


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


# Files that change


def place(path: Any, folder: int | None = None, readlink: Callable[[str], str] = os.readlink) -> Path:
    """What a call of the system is about: a path, or an open folder and perhaps a name in it."""
    if isinstance(path, int):
        path = readlink(f"/proc/self/fd/{path}")
    return Path(path) if folder is None else Path(readlink(f"/proc/self/fd/{folder}"), path)


class Writer:
    """Somebody who changes a file while it is read: just before its state is looked at, `times` times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path, times: int) -> None:
        self.changes = 0
        fstat = os.fstat

        def changed_before(fd: int) -> os.stat_result:
            if self.changes < times and place(fd) == path:
                self.changes += 1
                path.write_bytes(b"changed %03d" % self.changes)
            return fstat(fd)

        monkeypatch.setattr(os, "fstat", changed_before)
        monkeypatch.setattr("artvcs.vcs.worktree.files.reading._PAUSES", (0.001, 0.001))


def test_a_file_that_changes_while_it_is_read_is_read_again(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"at first")
    Writer(monkeypatch, tmp_path / "file", times=2)
    entry = add(repository, tmp_path / "file")
    assert repository.store.read(entry.id, "blob") == b"changed 002"
    assert entry.size == 11


def test_a_file_that_changes_all_the_time_is_refused(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(monkeypatch, data / "text", times=100)
    with pytest.raises(ChangedWhileRead, match="text changes while it is read; try again"):
        add(repository, data)
    assert writer.changes > 2


def test_a_file_that_goes_away_is_an_error_that_says_so(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir = os.listdir

    def and_remove(folder: int) -> list[str]:
        names = listdir(folder)
        if place(folder) == data:
            (data / "text").unlink()
        return names

    monkeypatch.setattr(os, "listdir", and_remove)
    with pytest.raises(ChangedWhileRead, match="text went away while it was read; try again"):
        add(repository, data)


def test_a_file_that_becomes_a_link_or_a_pipe_is_not_followed(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    for other in (lambda path: path.symlink_to("/etc/passwd"), os.mkfifo):

        def replaced(
            path: Any, *arguments: Any, dir_fd: int | None = None, other: Callable[[Path], None] = other
        ) -> int:
            if place(path, dir_fd) == data / "text":
                (data / "text").unlink()
                other(data / "text")
            return real_open(path, *arguments, dir_fd=dir_fd)

        with monkeypatch.context() as patched, pytest.raises(StorageError, match="text"):
            patched.setattr(os, "open", replaced)
            add(repository, data)
        (data / "text").unlink()
        (data / "text").write_text("some text")


@pytest.mark.parametrize("call", ["listdir", "readlink", "open"])
def test_what_may_not_be_read_is_named(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    real = getattr(os, call)

    secret = {"listdir": data / "sub", "readlink": data / "sub" / "link"}.get(call, data / "text")

    def refused(path: Any, *arguments: Any, **more: Any) -> object:
        if place(path, more.get("dir_fd")) == secret:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path, *arguments, **more)

    monkeypatch.setattr(os, call, refused)
    with pytest.raises(NoPermission, match=f"Permission was denied while reading {secret} "):
        add(repository, data)


def test_the_repository_itself_is_not_stored(repository: Repository) -> None:
    with pytest.raises(InvalidName, match=r"\.artifacts"):
        add(repository, repository.project)
