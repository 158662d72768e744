"""The file of an op: a small pack with the op, the nodes of the refs that changed, and whatever else is small.

So publishing a small change is one file: one fsync locally, one request to a bucket.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from ...errors import DamagedError
from ...objects.kinds import Op, State
from ...objects.oid import Oid, hash_bytes
from ..files import Files
from ..layout import is_holding, op_name
from . import codec, pack
from .pack import Item, Pack

_LARGE = 4 << 20

MAX_LOOSE_NAMES, MAX_SEGMENTS, MAX_CONDEMNED = 20_000, 1_000, 1_000_000
"""How many files a state may name; each loose pack and each segment is opened by whoever reads it."""


@dataclass(frozen=True)
class Entry:
    """One entry of the log of ops: its number, its bytes, and the op in it with its id. Number 1 is made at `init`."""

    seq: int
    data: bytes = field(repr=False)
    op: Op
    oid: Oid

    @classmethod
    def make(cls, op: Op, items: Iterable[Item]) -> Self:
        """An entry with an op and what goes with it; no other has the same bytes."""
        data = op.encode()
        oid = hash_bytes(data, "op")
        return cls(op.seq, pack.pack_bytes([Item(oid, "op", *codec.compress(data), len(data)), *items]), op, oid)

    @classmethod
    def read(cls, files: Files, seq: int) -> Self:
        """The entry with this number.

        Raises:
            FileNotFoundError: There is none.
            DamagedError: It is damaged.
        """
        if files.size(op_name(seq)) > _LARGE:
            Pack.open(files, op_name(seq))  # it may only look large: then nothing of it is read
        data = files.read(op_name(seq))
        try:
            Pack(op_name(seq), data, len(data))
            at = pack.first_record(data)
            content = codec.decompress(at.codec, pack.record_at(data, at), at.size)
            op = Op.decode(content)
            _check_state(op.state)
        except DamagedError as error:
            raise DamagedError(f"The repository's op {op_name(seq)} is damaged; run `art fsck --repair`.") from error
        if at.kind != "op" or hash_bytes(content, "op") != at.oid or op.seq != seq:
            raise DamagedError(f"The repository's op {op_name(seq)} is damaged; run `art fsck --repair`.")
        return cls(seq, data, op, at.oid)


def _check_state(state: State) -> None:
    """Refuses a state that names what is no file of objects, which would be read, and deleted, as one.

    Raises:
        DamagedError: It does, or names more than any writer.
    """
    for names, most in (
        (state.loose, MAX_LOOSE_NAMES),
        (state.condemned, MAX_CONDEMNED),
        (state.segments, MAX_SEGMENTS),
    ):
        if len(names) > most:
            raise DamagedError(f"A state names {len(names)} files.")
    if not all(map(is_holding, (*state.loose, *state.condemned))):
        raise DamagedError("A state names a file that holds no objects.")


def read_id(files: Files, seq: int) -> Oid | None:
    """The id that the file of an op says it has; None where it says nothing that makes sense.

    Raises:
        FileNotFoundError: There is no such file.
    """
    try:
        return pack.first_record(files.read(op_name(seq), 0, pack.FIRST_SIZE)).oid
    except DamagedError:
        return None
