"""Writing so that it lasts: all or nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from artvcs.vcs.storage.disk import durable


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "register"
    durable.write_file(path, b"old")
    reader = path.open("rb")
    durable.write_file(path, b"new")
    assert (reader.read(), path.read_bytes()) == (b"old", b"new")
    reader.close()


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "register"
    durable.write_file(path, b"old")

    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output"):
        durable.write_file(path, b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("register", b"old")]


def test_a_half_written_file_lies_in_the_staging_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staging = tmp_path / "tmp"
    staging.mkdir()
    seen: list[Path] = []
    monkeypatch.setattr(os, "replace", lambda source, _: seen.append(Path(source)))
    durable.write_file(tmp_path / "register", b"new", staging=staging)
    assert seen[0].parent == staging


def test_a_short_write_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, pwrite = tmp_path / "file", os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[:3], offset))
    with open(path, "wb") as file:
        durable.write_at(file.fileno(), b"0123456789", 2)
    assert path.read_bytes() == b"\0\0" + b"0123456789"


# Files and folders of the user


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are looked up in /proc, and only Linux has syncfs")
@pytest.mark.parametrize("many", [1, 1000], ids=["the whole file system", "each file"])
def test_all_below_a_folder_is_made_durable(tmp_path: Path, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_MANY", many)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_text("x")
    (tmp_path / "sub" / "link").symlink_to("/nowhere")
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{fd}"))))
    durable.sync_below(tmp_path)
    assert synced == ([] if many == 1 else ["file", "sub", tmp_path.name])


def test_folders_that_are_missing_are_made_durably(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    durable.make_folders(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]
    durable.make_folders(tmp_path / "a" / "b")
    assert len(synced) == 2
