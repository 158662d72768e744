"""The file of an op: a small pack with the op, the nodes of the refs that changed, and whatever else is small.

So publishing a small change is one file: one fsync locally, one request to a bucket.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import DamagedError
from ..objects.kinds import Op
from ..objects.oid import Oid, hash_bytes
from . import codec
from .layout import op_name
from .op_log import Entry
from .pack import RECORD_SIZE, Item, Pack, check_record, pack_bytes


def op_file(op: Op, items: Iterable[Item]) -> bytes:
    """The bytes of an op's file: the op comes first."""
    data = op.encode()
    return pack_bytes([Item(hash_bytes(data, "op"), "op", *codec.compress(data), len(data)), *items])


def read_op(entry: Entry) -> tuple[Op, Oid]:
    """The op in an entry of the log, and its id.

    Raises:
        DamagedError: The entry is damaged.
    """
    name = op_name(entry.seq)
    try:
        for at in Pack(name, entry.data, len(entry.data)).locations():
            if at.kind == "op":
                stored = check_record(entry.data[at.offset : at.offset + RECORD_SIZE + at.stored], at)
                data = codec.decompress(at.codec, stored, at.size)
                op = Op.decode(data)
                if hash_bytes(data, "op") == at.oid and op.seq == entry.seq:
                    return op, at.oid
    except DamagedError as error:
        raise _damaged(name) from error
    raise _damaged(name)


def _damaged(name: str) -> DamagedError:
    return DamagedError(f"The repository's change {name} is damaged; run `art fsck --repair`.")
