"""The places we ship keep the contract that `artvcs.testing` has for others."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from artvcs.testing import CommitPointContract, FilesContract
from artvcs.vcs.errors import InvalidName, RepositoryBusy
from artvcs.vcs.storage import local
from artvcs.vcs.storage.disk import system
from artvcs.vcs.storage.disk.locks import Lock
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.local import LocalFiles
from artvcs.vcs.storage.memory import MemoryFiles


def local_files(tmp_path: Path) -> LocalFiles:
    (tmp_path / "place").mkdir(exist_ok=True)
    return LocalFiles(tmp_path / "place", tmp_path / "staging")


def refuse_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


class TestMemoryFiles(FilesContract, CommitPointContract):
    @pytest.fixture
    def files(self) -> Files:
        return MemoryFiles()


class TestLocalFiles(FilesContract, CommitPointContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        return local_files(tmp_path)

    def other(self, files: Files) -> Files:
        assert isinstance(files, LocalFiles)
        return LocalFiles(Path(files.path("x")).parent, files._staging)


class TestLocalFilesWithoutLinks(TestLocalFiles):
    """A file system that has no hard links, as some network mounts and memory sticks."""

    @pytest.fixture
    def files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
        refuse_links(monkeypatch)
        return local_files(tmp_path)


class TestLocalFilesWithLocks(TestLocalFilesWithoutLinks):
    """A file system that can neither link nor rename only where there is nothing."""

    @pytest.fixture
    def files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
        refuse_links(monkeypatch)
        monkeypatch.setattr(system, "rename_if_new", lambda _, __: False)
        return local_files(tmp_path)

    def test_who_holds_the_lock_too_long_is_not_waited_for(
        self, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(local, "_CREATE_TIMEOUT", 0.01)
        files.put("ops/1", b"x")
        lock = Lock.take(tmp_path / "staging" / "create.lock")
        assert lock is not None
        with pytest.raises(RepositoryBusy, match="try again"):
            files.create("ops/2", b"x")
        lock.release()
        assert files.create("ops/2", b"x")


def litter(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "staging").glob("*") if path.name != "create.lock"]


@pytest.mark.parametrize("call", ["fsync", "replace", "link"])
def test_what_the_system_refuses_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    files = local_files(tmp_path)
    files.put("ops/1", b"old")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, call, refuse)
        attempts: dict[str, Callable[[], object]] = {
            "put": lambda: files.put("ops/1", b"new"),
            "create": lambda: files.create("ops/2", b"new"),
        }
        for name in {"fsync": ["put", "create"], "replace": ["put"], "link": ["create"]}[call]:
            with pytest.raises(OSError, match="No space"):
                attempts[name]()
            assert litter(tmp_path) == []
    assert files.read("ops/1") == b"old"
    assert not files.exists("ops/2")


def test_a_refused_name_leaves_no_litter(tmp_path: Path) -> None:
    files = local_files(tmp_path)
    uses: list[Callable[[str, bytes], object]] = [files.put, files.create, files.hint]
    for use in uses:
        with pytest.raises(InvalidName):
            use("../x", b"x")
    assert litter(tmp_path) == []


def test_open_files_are_bounded_and_closed_in_the_end(tmp_path: Path) -> None:
    files, before = local_files(tmp_path), len(os.listdir("/proc/self/fd"))
    for number in range(200):
        files.put(f"packs/{number}", b"%d" % number)
        assert files.read(f"packs/{number}") == b"%d" % number
    assert len(os.listdir("/proc/self/fd")) - before <= 64
    files.close()
    assert len(os.listdir("/proc/self/fd")) == before
    assert files.read("packs/7") == b"7"


def test_a_dead_link_is_no_place_for_a_new_file(tmp_path: Path) -> None:
    files = local_files(tmp_path)
    (tmp_path / "place" / "ops").mkdir()
    (tmp_path / "place" / "ops" / "1").symlink_to(tmp_path / "elsewhere")
    assert not files.create("ops/1", b"x")
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes what is not listed for gone would delete, or overwrite, what is there."""
    files = local_files(tmp_path)
    files.put("folder/below/file", b"x")
    for refused in ("folder", "folder/below"):
        scandir, path = os.scandir, files.path(refused)

        def refuse(folder: str, path: str = path, scandir: Callable[..., object] = scandir) -> object:
            if folder == path:
                raise OSError(errno.EIO, "Input/output error")
            return scandir(folder)

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(OSError, match="Input/output error"):
            list(files.list("folder"))
        monkeypatch.undo()
    assert list(files.list("nothing")) == []
