"""How bytes are squeezed for storage. Never part of an object's id.

zstd level 1 costs about as much as reading from disk; what does not shrink is kept raw.
"""

from __future__ import annotations

import threading

import zstandard

from ...errors import DamagedError, StorageError
from ...objects.limits import MAX_RECORD
from ..files import Bytes

RAW, ZSTD, CHUNKED = 0, 1, 2
"""Codecs of a pack record. A CHUNKED record holds the list of its chunks (see `chunking`)."""

LEVEL = 1
_TOO_SMALL = 64
_PROBE = 8192
_WORTH = 0.95

MAX_SIZE = MAX_RECORD
"""A record has at most this many bytes; a blob is cut long before (see `chunking`). A bomb is refused."""

_local = threading.local()


def compress(data: bytes) -> tuple[int, bytes]:
    """Returns the codec chosen and the bytes to store.

    Raises:
        StorageError: More than `MAX_SIZE` bytes in one piece, as only a gigantic record can be.
    """
    if len(data) > MAX_SIZE:
        raise StorageError(f"A record of {len(data)} bytes is too large to store; keep such data in an artifact.")
    if len(data) < _TOO_SMALL or not _compressible(data):
        return RAW, data
    packed = _compressor().compress(data)
    if len(packed) >= len(data) * _WORTH:
        return RAW, data
    # A codec that corrupts must not cost data: restic met one (restic#4523).
    if _decompressor().decompress(packed, max_output_size=len(data)) != data:
        return RAW, data
    return ZSTD, packed


def decompress(codec: int, stored: Bytes, size: int) -> bytes | Bytes:
    """The bytes that `compress` was given, not copied where they were not squeezed; `size` is how many they must be.

    Raises:
        DamagedError: The codec is unknown, or the bytes do not expand to exactly `size`.
    """
    if codec == RAW and len(stored) == size:
        return stored
    if codec == ZSTD and size <= MAX_SIZE:
        try:
            # The frame's own size is checked first, so that a bomb is never expanded.
            if zstandard.get_frame_parameters(stored).content_size == size:
                data = _decompressor().decompress(stored, max_output_size=size)
                if len(data) == size:
                    return data
        except zstandard.ZstdError:
            pass
    raise DamagedError("A stored object cannot be decompressed; run `art fsck`.")


def _compressible(data: bytes) -> bool:
    if len(data) < 4 * _PROBE:
        return True
    middle = len(data) // 2
    sample = data[:_PROBE] + data[middle : middle + _PROBE] + data[-_PROBE:]
    return len(_compressor().compress(sample)) < len(sample) * _WORTH


def _compressor() -> zstandard.ZstdCompressor:
    # One a thread: making one costs more than compressing a small object, and they are not thread-safe.
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True)
    compressor: zstandard.ZstdCompressor = _local.compressor
    return compressor


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    decompressor: zstandard.ZstdDecompressor = _local.decompressor
    return decompressor
