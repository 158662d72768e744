"""Ids: the BLAKE3 hash of what they name, so that the same thing has the same name everywhere.

A blob's id is the plain hash of its bytes (what `b3sum FILE` prints). Every other kind is hashed in
BLAKE3's derive_key mode under a context of its own, so that a file holding a tree's bytes can never
pass for a tree.
"""

from __future__ import annotations

import functools
import os
import re
import reprlib
from collections.abc import Sequence
from typing import NewType

import blake3

from ..errors import DamagedError

Oid = NewType("Oid", str)
"""64 lower-case hexadecimal digits."""

_HEX64 = re.compile(r"[0-9a-f]{64}\Z")


NULL = Oid("0" * 64)
"""No object: what a ref leads to that only has to be there."""


def hasher(kind: str = "blob", *, parallel: bool = False) -> blake3.blake3:
    """A fresh hasher for one kind of object; on all processors where `parallel`, but in a forked process."""
    if not parallel or _threads is None:
        return _fresh(kind).copy()
    if kind == "blob":
        return blake3.blake3(max_threads=_threads)
    return blake3.blake3(derive_key_context=f"artvcs {kind} v1", max_threads=_threads)


_threads: int | None = blake3.blake3.AUTO


def _have_none() -> None:
    global _threads
    _threads = None


# BLAKE3 keeps the threads that it has started, and a forked process would wait for those of its parent.
os.register_at_fork(after_in_child=_have_none)


@functools.cache
def _fresh(kind: str) -> blake3.blake3:
    """A hasher to copy: making one anew costs as much as hashing a small object."""
    return blake3.blake3() if kind == "blob" else blake3.blake3(derive_key_context=f"artvcs {kind} v1")


def hash_bytes(data: bytes | memoryview, kind: str = "blob") -> Oid:
    """The id of an object of this kind with these bytes."""
    return Oid(hasher(kind).update(data).hexdigest())


def is_oid(text: str) -> bool:
    """Whether `text` is written as an id is."""
    return _HEX64.match(text) is not None


def check_oids(texts: Sequence[object]) -> None:
    """Refuses what is no id as `check_oid` does, all at a glance."""
    if set(map(type, texts)) != {str} or not _all_hexadecimal("".join(texts)) or set(map(len, texts)) != {64}:  # type: ignore[arg-type]
        for text in texts:
            check_oid(text)


def _all_hexadecimal(text: str) -> bool:
    return text.isascii() and not text.encode("ascii").translate(None, b"0123456789abcdef")


def check_oid(text: object) -> Oid:
    """`text` as an id.

    Raises:
        DamagedError: It is not 64 lower-case hexadecimal digits.
    """
    if isinstance(text, str) and _HEX64.match(text):
        return Oid(text)
    raise DamagedError(f"{reprlib.repr(text)} stands where an object id should be; run `art fsck`.")
