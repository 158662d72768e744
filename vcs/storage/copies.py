"""One copy of an object: what is stored of it at one place, checked before any of it is believed."""

from __future__ import annotations

from ..errors import DamagedError
from ..objects.oid import Oid, hash_bytes
from .files import Files
from .layout import PackName
from .packs import chunking, codec, pack
from .packs.pack_writer import PackWriter
from .packs.table import Location

Place = PackWriter | PackName
"""A pack being written, or a finished one."""


def read_at(files: Files, place: Place, at: Location) -> bytes:
    """What is stored of an object at one place.

    Raises:
        DamagedError: It is not what the table promised.
        FileNotFoundError: The place is gone.
    """
    check_sizes(at)
    if isinstance(place, PackWriter):
        stored = place.read(at)
        if stored is None:
            raise FileNotFoundError  # published by another thread since we looked
        return stored
    return pack.check_record(files.read(place, at.offset, pack.RECORD_SIZE + at.stored), at)


def expanded(at: Location, stored: bytes) -> bytes:
    """What the stored bytes of an object expand to, checked against its id; a list of chunks is only looked at.

    Raises:
        DamagedError: It is not what its id promises.
    """
    if at.codec == codec.CHUNKED:
        if at.kind != "blob":
            raise DamagedError(f"Object {at.oid[:12]} is a list of chunks where none should be; run `art fsck`.")
        return stored
    data = codec.decompress(at.codec, stored, at.size)
    if hash_bytes(data, at.kind) != at.oid:
        raise mismatch(at.oid)
    return data


def content(item: pack.Item) -> bytes:
    """What an object that was read as it is stored expands to. Raises as `expanded`."""
    return expanded(Location(item.oid, item.kind, item.codec, 0, len(item.stored), item.size), item.stored)


def check_sizes(at: Location) -> None:
    """Refuses what no writer makes before any of it is read: a table may be hostile."""
    if at.codec == codec.CHUNKED:
        most, needed = chunking.MAX_LIST, at.stored
    else:
        most = chunking.MAX_CHUNK if at.kind == "blob" else codec.MAX_SIZE
        needed = max(at.stored, at.size)
    if needed > most:
        raise DamagedError(f"Object {at.oid[:12]} cannot take so many bytes; run `art fsck`.")


def mismatch(oid: Oid) -> DamagedError:
    """What is said of bytes that are not what their id promises."""
    return DamagedError(f"Object {oid[:12]} does not match its id; run `art fsck`.")
