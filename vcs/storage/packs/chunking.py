"""Cutting large blobs where their content says so, so that a small edit stores a small piece.

FastCDC (Xia et al., USENIX ATC 2016 and 2020) from the pyfastcdc package. The cut points are storage, not
identity: changing them changes no id.
"""

from __future__ import annotations

import io
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


def cut(start: bytes, rest: BinaryIO) -> Iterator[bytes]:
    """Yields the chunks of some bytes and of what a stream holds after them, in order, reading it once."""
    from pyfastcdc import FastCDC

    chunker = FastCDC(avg_size=AVERAGE, min_size=AVERAGE // 4, max_size=MAX_CHUNK)
    for chunk in chunker.cut_stream(io.BufferedReader(_Continued(start, rest))):
        yield bytes(chunk.data)


def read_fully(stream: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes: fewer only where the stream ends."""
    data = stream.read(size)
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


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


class _Continued(io.RawIOBase):
    """A stream of which the start has been read already."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start = memoryview(start)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._start:
            size = len(self._start) if size < 0 else size
            piece, self._start = self._start[:size], self._start[size:]
            return bytes(piece)
        return self._rest.read(size)

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)
