"""How a program that keeps files is spoken with through a pipe: a question, and its answer, each a head and a body.

    4 bytes: length of the head, most significant first · the head, canonical JSON · `size` bytes, as the head says

A question's head has `ask` and, as the question needs them, `name`, `start`, `length`. An answer's head has what was
asked for, or `error` (`missing`, `exists`, `refused`) and `message`. The first answer, to no question, says `serves`:
the version of this protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from ...errors import DamagedError
from ...objects import canonical

VERSION = 1

_LENGTH = struct.Struct(">I")
_HEAD = 1 << 20
"""Bytes of a head: it may list a thousand names."""

PIECE = 1 << 20
"""Bytes that are handed on at once."""

Head = dict[str, Any]


def write(stream: BinaryIO, head: Head, body: Iterable[bytes] = ()) -> None:
    """Writes a frame; the head's `size` says how many bytes the body has."""
    data = canonical.dumps(head)
    stream.write(_LENGTH.pack(len(data)) + data)
    for piece in body:
        stream.write(piece)
    stream.flush()


def read(stream: BinaryIO) -> Head | None:
    """Reads the head of the next frame; None where the stream ends.

    Raises:
        DamagedError: It is no frame.
        EOFError: The stream ends in the middle of it.
    """
    start = stream.read(_LENGTH.size)
    if not start:
        return None
    length = _LENGTH.unpack(start)[0] if len(start) == _LENGTH.size else 0
    if not 0 < length <= _HEAD:
        raise DamagedError("What came through the pipe is not what this program speaks.")
    head = canonical.loads(_exactly(stream, length))
    size = head.get("size", 0) if isinstance(head, dict) else -1
    if not isinstance(head, dict) or not isinstance(size, int) or size < 0:
        raise DamagedError("What came through the pipe is not what this program speaks.")
    return head


def body(stream: BinaryIO, head: Head) -> Iterator[bytes]:
    """The body of the frame whose head was just read, in pieces. Raises EOFError."""
    left = int(head.get("size", 0))
    while left:
        piece = _exactly(stream, min(left, PIECE))
        left -= len(piece)
        yield piece


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("The stream ended.")
    return data
