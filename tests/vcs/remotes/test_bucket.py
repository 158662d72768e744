"""Files in an object store: one in memory here, real ones in `test_servers`."""

from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.testing import CommitPointContract, FilesContract
from artvcs.vcs.remotes.places import bucket
from artvcs.vcs.remotes.places.bucket import BucketFiles
from artvcs.vcs.storage.files import Files


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


def test_a_large_file_goes_up_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "PART", 5 << 20)
    files, path = BucketFiles(MemoryStore(), "p", "the store"), tmp_path / "large.pack"
    data = bytes(range(256)) * (11 << 12)
    path.write_bytes(data)
    files.adopt("packs/ab/x", path)
    assert files.read("packs/ab/x") == data
    assert not path.exists()
