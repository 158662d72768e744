"""Artifacts are carried in one file to where no network goes."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Machine

Clone = Callable[[str], Machine]


def test_a_bundle_carries_all_and_its_lineage(machine: Clone, tmp_path: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    bundle = str(tmp_path / "x.artbundle")
    assert "1 run and 2 versions" in ada.art("bundle", "create", bundle).out
    assert "each as it was written" in ben.art("bundle", "verify", bundle).out
    ben.art("bundle", "unbundle", bundle)
    ben.art("fsck")
    assert ben.ran() == set()
    assert ben.art("cat", "numbers").out == ada.art("cat", "numbers").out
    assert "nothing new" in ben.art("bundle", "unbundle", bundle).out
    assert not (ben.folder / ".artifacts" / "remotes").exists()
    assert list((ben.folder / ".artifacts" / "tmp").iterdir()) == []


def test_a_bundle_of_one_version_holds_what_it_was_made_from(machine: Clone, tmp_path: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran("-p", "seed=1")
    ada.ran("-p", "seed=2")
    ada.art("bundle", "create", str(tmp_path / "x"), "total@2")
    ben.ran("-p", "seed=3")
    assert "total@2 of this repository" not in ben.art("bundle", "unbundle", str(tmp_path / "x")).out
    assert ben.art("cat", "total@2").out == ada.art("cat", "total@2").out
    assert len(ben.art("ls", "total", "--json").json) == 2
    ben.art("fsck")


def test_data_that_is_elsewhere_is_brought_for_a_bundle(machine: Clone, tmp_path: Path) -> None:
    ada, ben, eve = machine("ada"), machine("ben"), machine("eve")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    ben.art("bundle", "create", str(tmp_path / "x"))
    eve.art("bundle", "unbundle", str(tmp_path / "x"))
    assert eve.art("cat", "numbers").out == ada.art("cat", "numbers").out


def flipped(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9])
def test_a_flipped_bit_is_found_before_anything_is_taken_in(machine: Clone, tmp_path: Path, part: float) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    bundle = tmp_path / "x"
    ada.art("bundle", "create", str(bundle))
    flipped(bundle, int(part * bundle.stat().st_size))
    assert "damaged" in ben.art("bundle", "verify", str(bundle), code=5).err
    done = ben.try_art("bundle", "unbundle", str(bundle))
    if done.code == 0:  # the bit was where nobody looks who takes it in
        assert ben.art("cat", "numbers").out == ada.art("cat", "numbers").out
    else:
        assert "Unexpected" not in done.err
        assert ben.art("ls", "--json").json == []
    ben.art("fsck")


def test_a_bundle_is_made_on_a_disk_without_links(
    machine: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    ada = machine("ada")
    ada.ran()
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        ada.art("bundle", "create", str(tmp_path / "x"))
    assert "each as it was written" in ada.art("bundle", "verify", str(tmp_path / "x")).out
    assert "already" in ada.art("bundle", "create", str(tmp_path / "x"), code=1).err


def test_what_is_no_bundle_is_told(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.ran()
    (tmp_path / "x").write_text("no bundle")
    assert "already" in ada.art("bundle", "create", str(tmp_path / "x"), code=1).err
    assert "no bundle" in ada.art("bundle", "unbundle", str(tmp_path / "x"), code=1).err
    for verb in ("verify", "unbundle"):
        assert f"There is no file {tmp_path / 'y'};" in ada.art("bundle", verb, str(tmp_path / "y"), code=3).err
    with zipfile.ZipFile(tmp_path / "up", "w") as archive:
        archive.writestr("../../up", "x")
    assert "no bundle" in ada.art("bundle", "unbundle", str(tmp_path / "up"), code=1).err


def test_one_that_was_compressed_is_no_bundle_any_more(machine: Clone, tmp_path: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("bundle", "create", str(tmp_path / "x"))
    with zipfile.ZipFile(tmp_path / "x") as was, zipfile.ZipFile(tmp_path / "y", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in was.namelist():
            packed.writestr(name, was.read(name))
    assert "packed anew" in ada.art("bundle", "verify", str(tmp_path / "y"), code=1).err


def test_a_bundle_needs_a_folder(machine: Clone) -> None:
    ada = machine("ada")
    ada.ran()
    done = ada.art("bundle", "create", "stick/x", code=6)
    assert "error: There is no folder stick to write x in; make it, or choose another." in done.err
