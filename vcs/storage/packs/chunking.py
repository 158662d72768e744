"""Cutting large blobs where their content says so, so that a small edit stores a small piece.

FastCDC (Xia et al., USENIX ATC 2016 and 2020) from the pyfastcdc package. The cut points are storage, not
identity: changing them changes no id.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from ...errors import DamagedError, StorageError
from ...objects.oid import Oid

AVERAGE = 256 << 10

MAX_CHUNK = 1 << 20
"""Blobs of more than this many bytes are cut, and no chunk has more: so no chunk is ever cut itself."""

MAX_LIST = 256 << 20
"""Bytes of a list of chunks: that of a blob of a terabyte and more."""

_ITEM = struct.Struct("<32sQ")


def cut(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the chunks of what `stream` holds, in order, reading it once."""
    from pyfastcdc import FastCDC

    chunker = FastCDC(avg_size=AVERAGE, min_size=AVERAGE // 4, max_size=MAX_CHUNK)
    for chunk in chunker.cut_stream(stream):
        yield bytes(chunk.data)


def encode_list(chunks: list[tuple[Oid, int]]) -> bytes:
    """What a CHUNKED record holds: each chunk's id and size, in order.

    Raises:
        StorageError: There are too many to be read again.
    """
    if len(chunks) * _ITEM.size > MAX_LIST:
        raise StorageError(f"A file of {len(chunks):,} pieces is too large to store; split it.")
    return b"".join(_ITEM.pack(bytes.fromhex(oid), size) for oid, size in chunks)


def decode_list(data: bytes, size: int) -> list[tuple[Oid, int]]:
    """Reads what `encode_list` wrote for a blob of `size` bytes.

    Raises:
        DamagedError: It is not a list of chunks that together have that size.
    """
    if len(data) % _ITEM.size == 0 and size > MAX_CHUNK:
        chunks = [(Oid(raw.hex()), length) for raw, length in _ITEM.iter_unpack(data)]
        if sum(length for _, length in chunks) == size and all(0 < length <= MAX_CHUNK for _, length in chunks):
            return chunks
    raise DamagedError("A stored list of chunks is damaged; run `art fsck`.")
