"""Files in a folder that several machines see."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artvcs.testing import CommitPointContract, FilesContract
from artvcs.vcs.errors import RemoteRefused
from artvcs.vcs.remotes.places.folder import FolderFiles
from artvcs.vcs.remotes.places.probe import probe
from artvcs.vcs.storage.disk import system
from artvcs.vcs.storage.files import Files


class TestFolderFiles(FilesContract, CommitPointContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        return FolderFiles(tmp_path / "shared")

    def other(self, files: Files) -> Files:
        assert isinstance(files, FolderFiles)
        return FolderFiles(files._folder)


class TestFolderFilesWithoutLinks(TestFolderFiles):
    """As some network file systems, and sticks."""

    @pytest.fixture(autouse=True)
    def no_links(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)


def test_a_folder_keeps_what_pushing_needs(tmp_path: Path) -> None:
    assert probe(FolderFiles(tmp_path / "shared")).refusal is None
    assert not [path for path in (tmp_path / "shared").rglob("*") if path.is_file()]


def test_a_folder_that_cannot_create_exclusively_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(system, "rename_if_new", lambda _, __: False)
    with pytest.raises(RemoteRefused, match="only where there is none"):
        probe(FolderFiles(tmp_path / "shared"))


def test_a_disk_that_is_not_mounted_is_no_empty_place(tmp_path: Path) -> None:
    with pytest.raises(RemoteRefused, match="mount it"):
        FolderFiles(tmp_path / "not mounted" / "shared").put("ops/1", b"x")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_of_others_is_said_to_be_theirs(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o500)
    with pytest.raises(RemoteRefused, match="Permission was denied"):
        FolderFiles(tmp_path / "shared").put("ops/1", b"x")


def test_what_is_asked_is_counted(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path / "shared")
    files.put("packs/x", b"12345")
    files.read("packs/x", 1, 3)
    traffic = files.traffic
    assert (traffic.requests, traffic.sent, traffic.received) == (2, 5, 3)
