"""Cutting large blobs: the pieces make the whole, and an edit changes few of them."""

from __future__ import annotations

import contextlib
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError, StorageError
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.packs import chunking

IDS = st.binary(min_size=32, max_size=32).map(lambda raw: hash_bytes(raw))


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a pipe does."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._inner.readinto(buffer[:5000])


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


@pytest.mark.parametrize("size", [0, 1, 1000, 65536, 1 << 20, 5_000_001])
def test_the_chunks_make_the_whole(size: int) -> None:
    data = noise(size)
    assert b"".join(chunking.cut(b"", io.BytesIO(data))) == data


def test_a_stream_that_dribbles_is_cut_in_the_same_places() -> None:
    data = noise(3_000_000)
    assert list(chunking.cut(b"", io.BufferedReader(Dribble(data)))) == list(chunking.cut(b"", io.BytesIO(data)))


def test_chunks_are_of_middling_size() -> None:
    sizes = [len(chunk) for chunk in chunking.cut(b"", io.BytesIO(noise(20 << 20)))]
    assert max(sizes) <= chunking.MAX_CHUNK
    assert min(sizes[:-1]) >= chunking.AVERAGE // 4
    assert chunking.AVERAGE / 2 < sum(sizes) / len(sizes) < chunking.AVERAGE * 2


def test_an_insert_in_the_middle_changes_few_chunks() -> None:
    data = noise(8 << 20)
    before = set(chunking.cut(b"", io.BytesIO(data)))
    after = list(chunking.cut(b"", io.BytesIO(data[: 4 << 20] + b"inserted" + data[4 << 20 :])))
    assert sum(chunk not in before for chunk in after) <= 3


@given(st.lists(st.tuples(IDS, st.integers(1, chunking.MAX_CHUNK)), max_size=20))
def test_a_list_of_chunks_comes_back(chunks: list[tuple[Oid, int]]) -> None:
    chunks = [(hash_bytes(b"first"), chunking.MAX_CHUNK), (hash_bytes(b"second"), 1), *chunks]
    size = sum(length for _, length in chunks)
    assert chunking.decode_list(chunking.encode_list(chunks), size) == chunks


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_any_bytes_are_a_list_of_that_size_or_refused(data: bytes, size: int) -> None:
    with contextlib.suppress(DamagedError):
        assert sum(length for _, length in chunking.decode_list(data, size)) == size


ID = hash_bytes(b"a chunk")
FULL = (ID, chunking.MAX_CHUNK)


@pytest.mark.parametrize(
    ("chunks", "size"),
    [
        ([], chunking.MAX_CHUNK + 1),
        ([], 0),
        ([(ID, 5)], 5),  # so small a blob is stored whole
        ([FULL], chunking.MAX_CHUNK),
        ([FULL, (ID, 5)], chunking.MAX_CHUNK + 4),
        ([FULL, (ID, 0), (ID, 5)], chunking.MAX_CHUNK + 5),
        ([(ID, chunking.MAX_CHUNK + 1)], chunking.MAX_CHUNK + 1),
        ([FULL, (ID, 100 * 10**9)], chunking.MAX_CHUNK + 100 * 10**9),
        ([FULL, FULL], 100 * 10**9),
        ([(ID, 2**64 - 1), (ID, chunking.MAX_CHUNK + 2)], chunking.MAX_CHUNK + 1),  # right but for an overflow
    ],
)
def test_a_list_that_lies_about_sizes_is_refused(chunks: list[tuple[Oid, int]], size: int) -> None:
    with pytest.raises(DamagedError):
        chunking.decode_list(chunking.encode_list(chunks), size)


@given(st.integers(0, 200).filter(lambda size: size % 40))
def test_a_list_cut_short_is_refused(size: int) -> None:
    with pytest.raises(DamagedError):
        chunking.decode_list(chunking.encode_list([FULL] * 5)[:size], size // 40 * chunking.MAX_CHUNK)


def test_a_list_too_long_to_be_read_again_is_not_written() -> None:
    with pytest.raises(StorageError, match="too large to store"):
        chunking.encode_list([FULL] * (chunking.MAX_LIST // 40 + 1))
