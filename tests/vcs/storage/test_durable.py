"""Writing so that it lasts: all or nothing, and locks that die with their holder."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from artvcs.vcs.errors import RepositoryBusy
from artvcs.vcs.storage import durable


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


def test_only_one_holds_an_exclusive_lock_and_many_a_shared_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = durable.open_locked(path, shared=True)
    second = durable.open_locked(path, shared=True)
    assert first is not None
    assert second is not None
    assert durable.open_locked(path) is None
    os.close(first)
    os.close(second)
    third = durable.open_locked(path)
    assert third is not None
    assert durable.open_locked(path, shared=True) is None
    os.close(third)


def test_a_lock_on_a_removed_file_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, flock = tmp_path / "lock", fcntl.flock
    taken: list[int] = []

    def removed_meanwhile(fd: int, mode: int) -> None:
        flock(fd, mode)
        if not taken:
            path.unlink()  # as its former holder does on leaving
        taken.append(fd)

    monkeypatch.setattr(fcntl, "flock", removed_meanwhile)
    fd = durable.open_locked(path)
    assert fd is not None
    assert len(taken) == 2
    assert os.fstat(fd).st_ino == path.stat().st_ino
    os.close(fd)


def test_waiting_for_a_lock_ends_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        durable.lock(path, busy="unused"),
        pytest.raises(RepositoryBusy, match="look for it"),
        durable.lock(path, timeout=0.05, busy="Somebody is there; look for it."),
    ):
        pass


HOLD = """
import sys, time
from pathlib import Path
from artvcs.vcs.storage import durable
fd = durable.open_locked(Path(sys.argv[1]))
print("holding", flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_no_stale_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        assert durable.open_locked(path) is None
        process.kill()
    fd = durable.open_locked(path)
    assert fd is not None
    os.close(fd)


# Files and folders of the user


def test_two_names_are_exchanged_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("file")
    (tmp_path / "folder").mkdir()
    if not durable.exchange(tmp_path / "file", tmp_path / "folder"):
        pytest.skip("this file system cannot exchange names")
    assert (tmp_path / "folder").read_text() == "file"
    assert (tmp_path / "file").is_dir()
    with pytest.raises(FileNotFoundError):
        durable.exchange(tmp_path / "file", tmp_path / "missing")


@pytest.mark.parametrize("able", [True, False], ids=["renameat2", "without"])
def test_a_rename_to_a_new_name_replaces_nothing(tmp_path: Path, able: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not able:
        monkeypatch.setattr(durable, "_libc", lambda name: None)
        assert not durable.exchange(tmp_path, tmp_path)
    for name in ("one", "other"):
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("nowhere")
    for taken in ("other", "link"):
        with pytest.raises(FileExistsError):
            durable.rename_new(tmp_path / "one", tmp_path / taken)
    durable.rename_new(tmp_path / "one", tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "new", "other"]
    assert (tmp_path / "other").read_text() == "other"


def test_what_is_refused_for_another_reason_is_not_taken_for_inability(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        durable.rename_new(tmp_path / "missing", tmp_path / "new")


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
