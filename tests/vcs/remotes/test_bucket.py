"""Files in an object store: one in memory here, real ones in `test_servers`."""

from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.testing import CommitPointContract, FilesContract
from artvcs.vcs.errors import RemoteRefused
from artvcs.vcs.remotes.places import bucket
from artvcs.vcs.remotes.places.bucket import BucketFiles
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import PROBE


class TestBucketFiles(FilesContract, CommitPointContract):
    @pytest.fixture
    def files(self) -> Files:
        return BucketFiles(MemoryStore(), "team/project", "the store")


def test_two_prefixes_of_a_bucket_do_not_meet() -> None:
    store = MemoryStore()
    one, other = BucketFiles(store, "one", "one"), BucketFiles(store, "one-more", "one more")
    one.put("ops/1", b"1")
    assert not other.exists("ops/1")
    assert list(other.list("ops")) == []


def test_what_is_asked_is_counted() -> None:
    files = BucketFiles(MemoryStore(), "", "the store")
    files.put("packs/x", b"12345")
    files.read("packs/x", 1, 3)
    files.exists("packs/x")
    traffic = files.traffic
    assert (traffic.requests, traffic.sent, traffic.received) == (3, 5, 3)


class SweptFiles(BucketFiles):
    """Somebody takes what is written for tests away at once, so often."""

    sweeps = 0

    def put(self, name: str, data: bytes) -> None:
        super().put(name, data)
        if name.startswith(PROBE) and self.sweeps:
            self.sweeps -= 1
            self.delete(name)


def test_how_old_files_are_is_found_though_a_collector_sweeps() -> None:
    files = SweptFiles(MemoryStore(), "p", "the store")
    files.put("index/x", b"1")
    files.sweeps = 2
    assert [(name, age < 60) for name, age in files.ages("index")] == [("index/x", True)]
    files.sweeps = 100
    with pytest.raises(RemoteRefused, match=r"the store did not keep probe/.*; see whether something cleans up there"):
        list(files.ages("index"))
    assert list(files.list(PROBE)) == []


def test_a_large_file_goes_up_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "PART", 5 << 20)
    files, path = BucketFiles(MemoryStore(), "p", "the store"), tmp_path / "large.pack"
    data = bytes(range(256)) * (11 << 12)
    path.write_bytes(data)
    files.adopt("packs/ab/x", path)
    assert files.read("packs/ab/x") == data
    assert not path.exists()
