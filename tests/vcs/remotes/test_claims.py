"""Claims at a remote: one of several has a key, until he gives it up or is not heard of any more."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.vcs.objects.oid import hash_bytes
from artvcs.vcs.remotes.claims import FarClaims
from artvcs.vcs.remotes.places.bucket import BucketFiles
from artvcs.vcs.remotes.places.far_files import FarFiles
from artvcs.vcs.remotes.places.folder import FolderFiles
from artvcs.vcs.remotes.remote import Remote
from artvcs.vcs.repository import Repository
from tests.vcs.remotes import places

KEY, OTHER = hash_bytes(b"key"), hash_bytes(b"other")
Anew = Callable[[], FarClaims]


@pytest.fixture(
    params=[
        "folder", "memory", *(pytest.param(each, marks=pytest.mark.remotes) for each in ("s3", "azure", "ssh")),
    ]
)  # fmt: skip
def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarFiles:
    match request.param:
        case "folder":
            return FolderFiles(tmp_path / "remote")
        case "memory":
            return BucketFiles(MemoryStore(), "team", "mem://team")
        case "ssh":
            return places.files(places.ssh(monkeypatch, tmp_path / "remote"))
        case server:
            return places.files(getattr(places, server)(monkeypatch))


@pytest.fixture
def anew(files: FarFiles, tmp_path: Path) -> Anew:
    """Another run, on a machine of its own."""
    count = iter(range(1000))

    return lambda: begun(files, tmp_path / f"machine-{next(count)}")


def begun(files: FarFiles, machine: Path) -> FarClaims:
    remote = Remote("origin", "there", files, Repository.init(machine / ".artifacts"))
    remote.begin_there()
    return FarClaims(remote)


def left(files: FarFiles) -> list[str]:
    return list(files.list("executing"))


def test_one_has_a_key_until_he_gives_it_up(anew: Anew, files: FarFiles) -> None:
    ours, theirs = anew(), anew()
    assert ours.take(KEY)
    assert ours.take(KEY)  # it is ours
    assert not theirs.take(KEY)
    assert theirs.take(OTHER)
    assert ours.wanted() == {KEY}
    assert theirs.wanted() == set()
    ours.release(KEY)
    assert theirs.take(KEY)
    assert theirs.wanted() == set()
    assert not ours.take(KEY)
    ours.close()
    assert theirs.wanted() == set()
    theirs.close()
    assert left(files) == []


def test_several_may_wait(anew: Anew) -> None:
    ours, second, third = anew(), anew(), anew()
    assert ours.take(KEY)
    assert not second.take(KEY)
    assert not third.take(KEY)
    second.close()
    assert ours.wanted() == {KEY}  # by the third


@pytest.mark.long
def test_of_many_at_once_one_gets_it(anew: Anew) -> None:
    runs = [anew() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda each: each.take(KEY), runs)) == 1


def test_who_is_not_heard_of_loses_it(anew: Anew, files: FarFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    dead, ours, theirs = anew(), anew(), anew()
    assert dead.take(KEY)
    monkeypatch.setattr(FarClaims, "LAPSE", -10.0)  # clocks count whole seconds
    assert ours.take(KEY)
    monkeypatch.undo()
    assert not theirs.take(KEY)
    ours.close()
    dead.close()  # it was not dead
    assert theirs.take(KEY)


@pytest.mark.parametrize("content", [b"", b"\xff" * 1000, b"../../../etc/passwd", b"0123456789abcdef" * 2])
def test_what_a_stranger_has_put_there_stops_nobody(anew: Anew, files: FarFiles, content: bytes) -> None:
    ours = anew()
    files.put(f"executing/keys/{KEY}/1", content)
    files.put(f"executing/keys/{KEY}/1000000000", content)
    files.put(f"executing/keys/{KEY}/what", content)
    files.put("executing/wanted/nothing", b"")
    files.put(f"executing/wanted/{OTHER}/{'a' * 40}", b"")
    assert ours.take(KEY)
    assert ours.wanted() == set()
    ours.close()


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that machines share."""
    return tmp_path / "remote"


@pytest.mark.parametrize("name", ["holders/.nfs0001", f"keys/{KEY}/.DS_Store", f"keys/{OTHER}/1/folder", "odd name"])
def test_what_a_file_system_puts_there_stops_nobody(shared: Path, tmp_path: Path, name: str) -> None:
    ours, theirs = (begun(FolderFiles(shared), tmp_path / each) for each in ("ours", "theirs"))
    assert ours.take(KEY)
    (shared / "executing" / name).parent.mkdir(parents=True, exist_ok=True)
    (shared / "executing" / name).touch()
    assert not theirs.take(KEY)
    assert ours.wanted() == {KEY}
    assert theirs.take(OTHER)
    ours.close()
    assert theirs.take(KEY)
    theirs.close()


def test_one_that_is_told_to_come_from_the_future_is_not_waited_for(shared: Path, tmp_path: Path) -> None:
    ours, theirs = (begun(FolderFiles(shared), tmp_path / each) for each in ("ours", "theirs"))
    assert ours.take(KEY)
    [holder] = (shared / "executing" / "holders").iterdir()
    os.utime(holder, (2e9, 2e9))
    assert theirs.take(KEY)


def test_many_come_and_go_at_once(shared: Path, tmp_path: Path) -> None:
    """Folders that have become empty are removed, while others put something there."""

    def work(number: int) -> None:
        claims = begun(FolderFiles(shared), tmp_path / f"machine-{number}")
        for _ in range(30):
            if claims.take(KEY):
                claims.release(KEY)
        claims.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert not (shared / "executing").exists()
