"""Squeezing bytes: they come back, and nothing else is taken for them."""

from __future__ import annotations

import os
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError, StorageError
from artvcs.vcs.storage.packs import codec

DATA = st.binary() | st.builds(lambda piece, times: piece * times, st.binary(max_size=50), st.integers(0, 3000))


@given(DATA)
def test_bytes_come_back(data: bytes) -> None:
    how, stored = codec.compress(data)
    assert codec.decompress(how, stored, len(data)) == data
    assert len(stored) <= len(data)


def test_text_shrinks_and_noise_is_kept_as_it_is() -> None:
    text, noise = b"all work and no play " * 5000, os.urandom(100_000)
    assert codec.compress(text)[0] == codec.ZSTD
    assert len(codec.compress(text)[1]) < 1000
    assert codec.compress(noise) == (codec.RAW, noise)


def test_noise_around_text_is_still_squeezed_where_the_sample_shrinks() -> None:
    data = os.urandom(20_000) + bytes(200_000)
    assert codec.compress(data)[0] == codec.ZSTD


@given(DATA, st.integers(-3, 3).filter(bool))
def test_another_size_than_was_promised_is_refused(data: bytes, by: int) -> None:
    how, stored = codec.compress(data)
    with pytest.raises(DamagedError):
        codec.decompress(how, stored, len(data) + by)


@given(st.binary(max_size=200), st.integers(0, 300) | st.integers(0, 2**64 - 1), st.integers(0, 255))
def test_any_bytes_are_read_or_refused_with_our_own_error(stored: bytes, size: int, how: int) -> None:
    try:
        data = codec.decompress(how, stored, size)
    except DamagedError:
        return
    assert len(data) == size


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(codec.MAX_SIZE + 1))
    assert len(bomb) < 100_000
    for claimed in (10, codec.MAX_SIZE + 1, 2**62):
        with pytest.raises(DamagedError):
            codec.decompress(codec.ZSTD, bomb, claimed)


def test_a_frame_that_hides_its_size_is_refused() -> None:
    hidden = zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 1000)
    with pytest.raises(DamagedError):
        codec.decompress(codec.ZSTD, hidden, 1000)


def test_a_record_too_large_to_read_back_is_not_written() -> None:
    with pytest.raises(StorageError, match="too large"):
        codec.compress(bytes(codec.MAX_SIZE + 1))


def test_a_record_as_large_as_can_be_read_back_is_written() -> None:
    data = b"x" * codec.MAX_SIZE
    how, stored = codec.compress(data)
    assert codec.decompress(how, stored, len(data)) == data


@pytest.mark.parametrize("size", [10**11, 2**63, 2**64 - 1])
def test_a_size_that_is_a_lie_costs_nothing(size: int) -> None:
    how, stored = codec.compress(b"text " * 1000)
    tracemalloc.start()
    for claimed in (codec.RAW, codec.ZSTD, codec.CHUNKED):
        with pytest.raises(DamagedError):
            codec.decompress(claimed, stored, size)
    assert (how, tracemalloc.get_traced_memory()[1] < 1 << 20) == (codec.ZSTD, True)
    tracemalloc.stop()


def test_a_codec_that_corrupts_costs_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    class Corrupting:
        def compress(self, data: bytes) -> bytes:
            return zstandard.ZstdCompressor().compress(data[:-1] + b"?")

    monkeypatch.setattr(codec, "_compressor", Corrupting)
    assert codec.compress(b"text " * 100) == (codec.RAW, b"text " * 100)
