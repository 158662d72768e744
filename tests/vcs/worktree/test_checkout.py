"""Stored files come back, and never at the price of somebody's edits."""

from __future__ import annotations

import dataclasses
import errno
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from artvcs.vcs.errors import ArtError, DamagedError, InvalidName, NoPermission, WouldOverwrite
from artvcs.vcs.objects.nodes import EXECUTABLE, Entry
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.disk import system
from artvcs.vcs.storage.layout import PackName
from artvcs.vcs.storage.packs.table import Location
from artvcs.vcs.storage.snapshot import Snapshot as Moment
from artvcs.vcs.worktree.snapshot import Snapshot
from artvcs.vcs.worktree.staging import Staging

from ..helpers import files
from .helpers import add, checkout, entry_of, tree_of


def test_what_is_there_already_is_left_alone(repository: Repository, data: Path) -> None:
    entry = add(repository, data)
    before = (data / "text").stat().st_ino
    assert not checkout(repository, entry, data)
    assert (data / "text").stat().st_ino == before


def test_another_stored_state_is_replaced(repository: Repository, data: Path) -> None:
    first = add(repository, data)
    (data / "text").write_text("changed")
    (data / "new").write_text("new")
    second = add(repository, data)
    assert checkout(repository, first, data)
    assert (data / "text").read_text() == "some text"
    assert not (data / "new").exists()
    assert checkout(repository, second, data)
    assert (data / "text").read_text() == "changed"
    assert [path.name for path in data.parent.iterdir() if "art-" in path.name] == []


@pytest.mark.parametrize("edit", ["changed file", "new file", "new link", "pipe"])
def test_edits_that_are_not_stored_are_never_overwritten(repository: Repository, data: Path, edit: str) -> None:
    first = add(repository, data)
    (data / "text").write_text("second")
    add(repository, data)
    place = data / "sub" / "mine"
    if edit == "changed file":
        place = data / "text"
        place.write_text("precious")
    elif edit == "new file":
        place.write_text("precious")
    elif edit == "new link":
        place.symlink_to("nowhere-else")
    else:
        os.mkfifo(place)
    with pytest.raises(WouldOverwrite, match=place.name):
        checkout(repository, first, data)
    assert place.is_symlink() or place.exists()
    assert sorted(path.name for path in data.parent.iterdir()) == ["data", "project"]


def test_a_single_file_with_edits_is_not_overwritten(repository: Repository, tmp_path: Path) -> None:
    entry = entry_of(repository, b"stored")
    target = tmp_path / "file"
    target.write_bytes(b"edited")
    with pytest.raises(WouldOverwrite):
        checkout(repository, entry, target)
    assert target.read_bytes() == b"edited"


@pytest.mark.parametrize("in_folder", [False, True])
def test_an_edit_made_during_a_checkout_is_not_lost(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_folder: bool
) -> None:
    target = tmp_path / "target"
    edited = target / "file" if in_folder else target
    entries = [entry_of(repository, content) for content in (b"old", b"new")]
    if in_folder:
        entries = [tree_of(repository, entry) for entry in entries]
    checkout(repository, entries[0], target)
    put = Staging.put

    def edit_first(staging: Staging, before: Snapshot | None) -> None:
        edited.write_bytes(b"edited meanwhile")
        put(staging, before)

    monkeypatch.setattr(Staging, "put", edit_first)
    with pytest.raises(WouldOverwrite):
        checkout(repository, entries[1], target)
    assert edited.read_bytes() == b"edited meanwhile"


def test_a_name_as_long_as_names_can_be_is_checked_out(repository: Repository, tmp_path: Path) -> None:
    target = tmp_path / ("n" * 255)
    assert checkout(repository, entry_of(repository, b"x"), target)
    assert target.read_bytes() == b"x"


def test_a_file_takes_the_place_of_a_stored_folder_and_back(repository: Repository, data: Path) -> None:
    folder, file = add(repository, data), entry_of(repository, b"a file now")
    assert checkout(repository, file, data)
    assert data.read_bytes() == b"a file now"
    assert checkout(repository, folder, data)
    assert (data / "text").read_text() == "some text"


def test_what_is_missing_from_the_store_leaves_the_target_as_it_was(repository: Repository, tmp_path: Path) -> None:
    old = entry_of(repository, b"old")
    target = tmp_path / "file"
    checkout(repository, old, target)
    with pytest.raises(ArtError):
        checkout(repository, Entry("file", EXECUTABLE, Oid("0" * 64), 3), target)
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "project"]


# Damage


def flip_a_bit_in(repository: Repository, content: bytes) -> None:
    """Damages the stored copy of some bytes, and forgets what was read."""
    [(pack, data, at)] = [
        (path, data, data.index(content)) for folder in (repository.layout.ops, repository.layout.packs)
        for path in folder.rglob("*")
        if path.is_file() and content in (data := path.read_bytes())
    ]  # fmt: skip
    pack.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    repository.store.soundness.distrust(PackName(str(pack.relative_to(repository.layout.folder))))


def test_the_only_good_copy_is_not_overwritten(repository: Repository, tmp_path: Path) -> None:
    old, new = entry_of(repository, b"precious"), entry_of(repository, b"new")
    (tmp_path / "file").write_bytes(b"precious")
    flip_a_bit_in(repository, b"precious")
    with pytest.raises(WouldOverwrite, match="only good copy"):
        checkout(repository, new, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"precious"
    assert not checkout(repository, old, tmp_path / "file"), "what is there needs no writing"


def test_an_id_that_is_listed_and_not_there_is_not_believed(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = entry_of(repository, b"new")
    (tmp_path / "file").write_bytes(b"precious")
    find = Moment.find
    [(pack, listed)] = find(repository.store.snapshot, new.id)

    def hostile(moment: Moment, oid: Oid) -> Iterator[tuple[PackName, Location]]:
        return iter([*find(moment, oid)] or [(pack, dataclasses.replace(listed, oid=oid))])

    monkeypatch.setattr(Moment, "find", hostile)
    with pytest.raises(WouldOverwrite):
        checkout(repository, new, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"precious"


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_a_damaged_new_file_leaves_the_old_one(repository: Repository, tmp_path: Path, size: int) -> None:
    content = random.Random(1).randbytes(size)
    old, new = entry_of(repository, b"old"), entry_of(repository, content)
    checkout(repository, tree_of(repository, old), tmp_path / "target")
    flip_a_bit_in(repository, content[-50:])
    with pytest.raises(DamagedError):
        checkout(repository, tree_of(repository, old, new._replace(name="new")), tmp_path / "target")
    assert files(tmp_path / "target") == {"file": b"old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "target"]


# Modes


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o755), (0o755, 0o644), (0o600, 0o700), (0o750, 0o640)])
def test_a_mode_that_alone_differs_is_set(repository: Repository, data: Path, before: int, after: int) -> None:
    (data / "text").chmod(after)
    entry = add(repository, data)
    (data / "text").chmod(before)
    inode = (data / "text").stat().st_ino
    assert checkout(repository, entry, data), "something was changed"
    assert (data / "text").stat().st_mode & 0o777 == after
    assert (data / "text").stat().st_ino == inode, "and nothing written anew"
    assert not checkout(repository, entry, data)


# Where nothing may be written


@pytest.mark.parametrize(
    "place",
    [".artifacts/x", ".artifacts/packs/x", "sub/../.artifacts/x", "link/x", ".git/hooks/x", ".GIT/x", "to-git/x"],
)
def test_nothing_is_checked_out_into_a_repository(repository: Repository, place: str) -> None:
    project = repository.project
    for folder in ("sub", ".git"):
        (project / folder).mkdir()
    (project / "link").symlink_to(".artifacts")
    (project / "to-git").symlink_to(".git")
    with pytest.raises(InvalidName, match="lies in a repository"):
        checkout(repository, entry_of(repository, b"x"), project / place)
    assert not any(path.name == "x" for path in project.rglob("*"))


def test_the_environment_may_call_the_repository_otherwise(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / "store")
    with pytest.raises(InvalidName):
        checkout(repository, entry_of(repository, b"x"), tmp_path / "store" / "x")


@pytest.mark.parametrize("place", [".artifacts", "", "..", ".artifacts/.."])
def test_a_repository_is_not_replaced(repository: Repository, place: str) -> None:
    with pytest.raises(WouldOverwrite, match="holds the repository"):
        checkout(repository, tree_of(repository, entry_of(repository, b"x")), repository.project / place)


def test_a_folder_with_a_git_repository_is_not_replaced(repository: Repository, data: Path) -> None:
    entry = tree_of(repository, add(repository, data / "text", "text"))
    for path in data.iterdir():
        if path.name != "text":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (data / ".git").mkdir()
    with pytest.raises(WouldOverwrite, match=r"\.git"):
        checkout(repository, entry, data)


@pytest.mark.parametrize("call", ["listdir", "readlink"])
def test_what_may_not_be_read_is_named_and_left(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    real = getattr(os, call)

    def refused(path: object) -> object:
        if Path(str(path)) in (data / "sub", data / "sub" / "link"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, call, refused)
    with pytest.raises(NoPermission, match="Permission was denied"):
        checkout(repository, entry_of(repository, b"x"), data)


def test_a_folder_that_may_not_be_written_is_replaced_all_the_same(repository: Repository, data: Path) -> None:
    entry = add(repository, data / "text", "text")
    add(repository, data)
    (data / "sub").chmod(0o555)
    assert checkout(repository, entry, data)
    assert data.read_text() == "some text"


# At once, and for good


def test_what_appears_meanwhile_is_not_overwritten(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Staging.put

    def appear_first(staging: Staging, before: Snapshot | None) -> None:
        (tmp_path / "file").write_bytes(b"appeared meanwhile")
        put(staging, before)

    monkeypatch.setattr(Staging, "put", appear_first)
    with pytest.raises(WouldOverwrite, match="meanwhile"):
        checkout(repository, entry_of(repository, b"new"), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"appeared meanwhile"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "project"]


def test_an_edit_between_the_last_look_and_the_exchange_is_not_lost(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(repository, data)
    (data / "text").write_text("second txt")
    add(repository, data)
    exchange = system.exchange

    def edit_first(one: Path, other: Path) -> bool:
        monkeypatch.setattr(system, "exchange", exchange)
        (data / "text").write_text("THIRD text")
        return exchange(one, other)

    monkeypatch.setattr(system, "exchange", edit_first)
    with pytest.raises(WouldOverwrite, match="meanwhile"):
        checkout(repository, first, data)
    assert (data / "text").read_text() == "THIRD text"
    assert sorted(path.name for path in data.parent.iterdir()) == ["data", "project"]


def test_each_file_that_is_there_is_hashed_once(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(repository, data)
    hashed: list[str] = []
    real_open = os.open

    def counting(path: Any, *arguments: Any, **more: Any) -> int:
        if Path(path).is_relative_to(data) and Path(path).is_file():
            hashed.append(Path(path).name)
        return real_open(path, *arguments, **more)

    monkeypatch.setattr(os, "open", counting)
    assert checkout(repository, tree_of(repository, entry_of(repository, b"x")), data)
    assert sorted(hashed) == ["large", "nothing", "run.sh", "text", "ünï ✓"]


def test_files_come_back_from_a_repository_that_cannot_be_written(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = entry_of(repository, b"old"), entry_of(repository, b"new")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    for entry in (old, new):
        assert checkout(repository, entry, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert not repository.layout.checkouts.exists()


def test_a_folder_that_only_some_may_look_into_stays_so(repository: Repository, data: Path) -> None:
    (data / "inner").mkdir()
    (data / "inner" / "file").write_text("old")
    first = add(repository, data)
    (data / "inner" / "file").write_text("new")
    add(repository, data)
    data.chmod(0o2770)
    (data / "inner").chmod(0o700)
    assert checkout(repository, first, data)
    assert (data / "inner" / "file").read_text() == "old"
    assert data.stat().st_mode & 0o7777 == 0o2770
    assert (data / "inner").stat().st_mode & 0o7777 == 0o700
