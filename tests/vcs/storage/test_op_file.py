"""The file of an op: a small pack whose op can be read, unless anything about it is damaged."""

from __future__ import annotations

import pytest

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.kinds import Op, State
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.layout import op_name
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.op_file import op_file, read_op
from artvcs.vcs.storage.op_log import Entry
from artvcs.vcs.storage.pack import Pack, pack_bytes

from .making import blob

EMPTY = State(None, (), (op_name(5),), {}, 0, ())
OP = Op(5, None, EMPTY, "0" * 16, "Ada <ada@example.org>", 0, "test")


@pytest.mark.parametrize("op", [OP, Op(5, None, State(None, (), ("x" * 5000,), {}, 0, ()), "", "", 0, "")])
def test_the_op_comes_back_with_its_id(op: Op) -> None:
    data = op_file(op, [blob(b"one"), blob(b"two")])
    assert read_op(Entry(5, data)) == (op, op.oid)
    files = MemoryFiles()
    files.put(op_name(5), data)
    assert {at.kind for at in Pack.open(files, op_name(5)).locations()} == {"op", "blob"}


def test_an_op_is_not_believed_in_the_place_of_another() -> None:
    with pytest.raises(DamagedError, match="op, 6, is damaged"):
        read_op(Entry(6, op_file(OP, ())))


def test_a_file_without_an_op_or_with_a_false_id_is_refused() -> None:
    data = OP.encode()
    false = Oid(hash_bytes(b"false"))
    for items in ([blob(b"one")], [], [blob(b"one", false)]):
        with pytest.raises(DamagedError):
            read_op(Entry(5, pack_bytes(items)))
    forged = blob(data, false).__class__(false, "op", 0, data, len(data))
    with pytest.raises(DamagedError):
        read_op(Entry(5, pack_bytes([forged])))


def test_every_flipped_bit_that_could_change_what_is_read_is_noticed() -> None:
    good = op_file(OP, [])
    for position in range(len(good)):
        for bit in (1, 0x80):
            bad = good[:position] + bytes([good[position] ^ bit]) + good[position + 1 :]
            try:
                assert read_op(Entry(5, bad)) == (OP, OP.oid), position
            except DamagedError:
                continue


@pytest.mark.parametrize("keep", [0, 1, 100, 200, -1])
def test_a_torn_file_is_refused(keep: int) -> None:
    with pytest.raises(DamagedError):
        read_op(Entry(5, op_file(OP, ())[:keep]))
