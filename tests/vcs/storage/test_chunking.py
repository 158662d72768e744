"""Cutting large blobs: the pieces make the whole, and an edit changes few of them."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import hash_bytes
from artvcs.vcs.storage import chunking

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
    assert b"".join(chunking.cut(io.BytesIO(data))) == data


def test_a_stream_that_dribbles_is_cut_in_the_same_places() -> None:
    data = noise(3_000_000)
    assert list(chunking.cut(io.BufferedReader(Dribble(data)))) == list(chunking.cut(io.BytesIO(data)))


def test_chunks_are_of_middling_size() -> None:
    sizes = [len(chunk) for chunk in chunking.cut(io.BytesIO(noise(20 << 20)))]
    assert max(sizes) <= 8 * chunking.AVERAGE
    assert min(sizes[:-1]) >= chunking.AVERAGE // 4
    assert chunking.AVERAGE / 2 < sum(sizes) / len(sizes) < chunking.AVERAGE * 2


def test_an_insert_in_the_middle_changes_few_chunks() -> None:
    data = noise(8 << 20)
    before = set(chunking.cut(io.BytesIO(data)))
    after = list(chunking.cut(io.BytesIO(data[: 4 << 20] + b"inserted" + data[4 << 20 :])))
    assert sum(chunk not in before for chunk in after) <= 3


@given(st.lists(st.tuples(IDS, st.integers(0, 2**64 - 1)), max_size=20))
def test_a_list_of_chunks_comes_back(chunks: list[tuple[str, int]]) -> None:
    assert chunking.decode_list(chunking.encode_list(chunks)) == chunks  # type: ignore[arg-type]


@given(st.binary(max_size=200).filter(lambda data: len(data) % 40))
def test_a_list_cut_short_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedError):
        chunking.decode_list(data)
