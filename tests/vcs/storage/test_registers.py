"""Registers: small files that are replaced as a whole, and checked."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from artvcs.vcs.errors import DamagedError, StorageError
from artvcs.vcs.storage.disk.registers import read_register, write_register


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    for number in range(3):
        write_register(tmp_path / "root", {"seq": number}, tmp_path / "tmp")
    assert read_register(tmp_path / "root") == {"seq": 2}
    assert list((tmp_path / "tmp").iterdir()) == []


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "root"
    write_register(path, {"seq": 1, "op": None}, tmp_path / "tmp")
    good = path.read_bytes()
    for position in range(len(good)):
        for bit in range(8):
            path.write_bytes(good[:position] + bytes([good[position] ^ 1 << bit]) + good[position + 1 :])
            with pytest.raises(DamagedError):
                read_register(path)


def test_one_register_does_not_pass_for_another(tmp_path: Path) -> None:
    write_register(tmp_path / "format", {"seq": 1}, tmp_path / "tmp")
    (tmp_path / "format").rename(tmp_path / "root")
    with pytest.raises(DamagedError):
        read_register(tmp_path / "root")


def test_an_error_of_the_disk_is_not_a_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, *_: int) -> int:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(StorageError):
        read_register(tmp_path / "root")


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", 1 << 40)
    for name in ("folder", "pipe", "link", "huge"):
        with pytest.raises(DamagedError):
            read_register(tmp_path / name)
