"""A second place with the same repository, for when the first one is gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from .conftest import Machine, move_away

Clone = Callable[[str], Machine]


def test_a_mirror_takes_the_place_of_what_is_gone(machine: Clone, shared: Path, tmp_path: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    assert "2 changes" in ada.art("mirror", "origin", str(tmp_path / "second")).out
    ada.ran("-p", "seed=2")
    ada.art("push")
    assert "1 change" in ada.art("mirror", "origin", str(tmp_path / "second")).out
    assert "0 packs and 0 changes" in ada.art("mirror", "origin", str(tmp_path / "second")).out
    move_away(shared)
    shutil.move(tmp_path / "second", shared)
    ben.art("pull", "--data")  # the same repository as before
    assert ben.ran("-p", "seed=2") == set()
    ben.ran("-p", "seed=3")
    ben.art("push")
    ben.art("fsck")


def test_a_mirror_that_went_its_own_way_is_no_mirror_any_more(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    second = str(tmp_path / "second")
    ada.art("mirror", "origin", second)
    ada.art("remote", "add", "second", second)
    ada.ran("-p", "seed=2")
    ada.art("push", "--to", "second")
    assert "somebody has pushed there" in ada.art("mirror", "origin", second, code=1).err
    ada.art("push")
    assert "somebody has pushed there" in ada.art("mirror", "origin", second, code=1).err


def test_a_mirror_is_not_made_over_something_else(machine: Clone, tmp_path: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    for each, place in ((ada, "one"), (ben, "other")):
        each.art("remote", "add", "mine", str(tmp_path / place), "--local")
        each.ran()
        each.art("push", "--to", "mine")
    assert "another repository" in ada.art("mirror", "mine", str(tmp_path / "other"), code=1).err


def test_what_is_damaged_is_not_mirrored(machine: Clone, shared: Path, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    (pack,) = (path for path in (shared / "packs").rglob("*") if path.is_file())
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    assert "damaged" in ada.art("mirror", "origin", str(tmp_path / "second"), code=5).err
    assert not (tmp_path / "second" / "format").exists()
    data[len(data) // 2] ^= 1
    pack.write_bytes(data)
    ada.art("mirror", "origin", str(tmp_path / "second"))
