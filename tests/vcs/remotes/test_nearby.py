"""Copies of what is asked for again and again: as good as the files, and gone when they are damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.testing import FilesContract
from artvcs.vcs.remotes.nearby import Nearby
from artvcs.vcs.remotes.places.bucket import BucketFiles
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import PackName, op_name
from artvcs.vcs.storage.packs.pack import Pack
from tests.vcs.storage.making import blob, noise, put_pack, rows_of

STORED = [blob(noise(number, 500)) for number in range(1500)]


@pytest.fixture
def bucket() -> BucketFiles:
    return BucketFiles(MemoryStore(), "team", "the store")


def requests(bucket: BucketFiles) -> int:
    """The requests since this was asked before."""
    count, bucket.traffic.requests = bucket.traffic.requests, 0
    return count


@pytest.mark.parametrize("count", [3, 1500])
def test_the_table_of_a_pack_is_fetched_once(bucket: BucketFiles, tmp_path: Path, count: int) -> None:
    name = put_pack(bucket, *STORED[:count])
    requests(bucket)
    rows = rows_of(Nearby(bucket, tmp_path), name)
    assert len(rows) == count
    assert requests(bucket) == (1 if count == 3 else 2)
    assert rows_of(Nearby(bucket, tmp_path), name) == rows
    assert requests(bucket) == 0


def test_objects_are_read_where_they_lie(bucket: BucketFiles, tmp_path: Path) -> None:
    name, files = put_pack(bucket, *STORED), Nearby(bucket, tmp_path)
    whole = bucket.read(name)
    for start, length in [(0, 100), (5000, 1), (len(whole) - 10, 100), (len(whole) + 5, 3), (0, None), (100_000, None)]:
        end = None if length is None else start + length
        assert files.read(name, start, length) == whole[start:end]


@pytest.mark.parametrize("damage", [b"", b"junk", None])
def test_a_copy_that_is_damaged_is_fetched_again(bucket: BucketFiles, tmp_path: Path, damage: bytes | None) -> None:
    name = put_pack(bucket, *STORED[:3])
    bucket.put(op_name(7), b"an op")
    first = Nearby(bucket, tmp_path)
    assert first.read(op_name(7)) == b"an op"
    rows = rows_of(first, name)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"\0" if damage is None else damage)
    again = Nearby(bucket, tmp_path)
    assert rows_of(again, name) == rows
    assert again.read(op_name(7)) == b"an op"


def test_where_nothing_can_be_kept_all_is_asked_for_again(bucket: BucketFiles, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    name, files = put_pack(bucket, *STORED[:3]), Nearby(bucket, tmp_path / "file")
    assert Pack.open(files, PackName(name)).table.rows == 3


class TestNearby(FilesContract):
    """What never changes is copied; the names in the contract that change are no such names."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        return Nearby(BucketFiles(MemoryStore(), "team", "the store"), tmp_path)
