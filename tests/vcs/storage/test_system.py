"""What only some operating systems and file systems can do: exchange names, rename without replacing."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs.vcs.storage.disk import system


def test_two_names_are_exchanged_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("file")
    (tmp_path / "folder").mkdir()
    if not system.exchange(tmp_path / "file", tmp_path / "folder"):
        pytest.skip("this file system cannot exchange names")
    assert (tmp_path / "folder").read_text() == "file"
    assert (tmp_path / "file").is_dir()
    with pytest.raises(FileNotFoundError):
        system.exchange(tmp_path / "file", tmp_path / "missing")


@pytest.mark.parametrize("able", [True, False], ids=["renameat2", "without"])
def test_a_rename_to_a_new_name_replaces_nothing(tmp_path: Path, able: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not able:
        monkeypatch.setattr(system, "_libc", lambda name: None)
        assert not system.exchange(tmp_path, tmp_path)
    for name in ("one", "other"):
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("nowhere")
    for taken in ("other", "link"):
        with pytest.raises(FileExistsError):
            system.rename_new(tmp_path / "one", tmp_path / taken)
    system.rename_new(tmp_path / "one", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "new", "other"]
    assert (tmp_path / "other").read_text() == "other"


def test_what_is_refused_for_another_reason_is_not_taken_for_inability(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        system.rename_new(tmp_path / "missing", tmp_path / "new")
