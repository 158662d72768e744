"""Taking what is alive out of a pack: in the order in which it lies there, each object checked against its id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...errors import DamagedError, UnknownName
from ...objects.oid import Oid
from ...storage.copies import check_sizes, content, expanded
from ...storage.layout import PackName
from ...storage.packs.pack import Item, Pack, check_record, records
from ...storage.packs.table import Location
from ...storage.store import ObjectStore


def items(store: ObjectStore, name: PackName, keys: Iterable[bytes]) -> Iterator[tuple[Item, bytes]]:
    """Objects of a pack as they are stored, and what that expands to; where one cannot be read there, another copy.

    Args:
        store: Where the pack is.
        name: Its name.
        keys: The raw ids of the objects; what is nowhere any more is left out: another collector has deleted it.

    Raises:
        DamagedError: One cannot be read wherever it is.
    """
    left = set(keys)  # what was not met yet
    try:
        pack = Pack.open(store.files, name)
        for at, record in records(store.files, name, map(_checked, pack.in_order(left))):
            yield _checked_item(at, record)
            left.discard(bytes.fromhex(at.oid))
    except FileNotFoundError:
        pass  # another collector has deleted it
    except DamagedError:
        store.soundness.distrust(name)
    for key in left:
        try:
            item = store.stored(Oid(key.hex()))
        except UnknownName:
            continue
        yield item, content(item)


def _checked(at: Location) -> Location:
    check_sizes(at)
    return at


def _checked_item(at: Location, record: bytes) -> tuple[Item, bytes]:
    stored = check_record(record, at)
    return Item(at.oid, at.kind, at.codec, stored, at.size), expanded(at, stored)
