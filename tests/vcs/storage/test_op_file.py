"""The file of an op: a small pack whose op can be read, unless anything about it is damaged."""

from __future__ import annotations

import pytest

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.kinds import Op, State
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.layout import op_name
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.packs import op_file
from artvcs.vcs.storage.packs.op_file import Entry
from artvcs.vcs.storage.packs.pack import Item, Pack, pack_bytes

from .making import blob

EMPTY = State(None, (), (op_name(5),), {}, 0, ())
OP = Op(5, None, EMPTY, "0" * 16, "1" * 16, "Ada <ada@example.org>", 0, "test")
LARGE = Op(5, None, State(None, (), (), {}, 0, ("x" * 5000,)), "", "", "", 0, "")


def placed(data: bytes, seq: int = 5) -> MemoryFiles:
    files = MemoryFiles()
    files.put(op_name(seq), data)
    return files


@pytest.mark.parametrize("op", [OP, LARGE], ids=["small", "squeezed"])
def test_the_op_comes_back_with_its_id(op: Op) -> None:
    made = Entry.make(op, [blob(b"one"), blob(b"two")])
    files = placed(made.data)
    assert Entry.read(files, 5) == made
    assert (made.seq, made.op, made.oid) == (5, op, op.oid)
    assert op_file.read_id(files, 5) == op.oid
    assert {at.kind for at in Pack.open(files, op_name(5)).locations()} == {"op", "blob"}


def test_a_missing_op_is_missing_and_not_damaged() -> None:
    for look in (Entry.read, op_file.read_id):
        with pytest.raises(FileNotFoundError):
            look(MemoryFiles(), 5)


def test_an_op_is_not_believed_in_the_place_of_another() -> None:
    with pytest.raises(DamagedError, match="ops/000000000006 is damaged"):
        Entry.read(placed(Entry.make(OP, ()).data, 6), 6)


def test_a_file_without_an_op_or_with_a_false_id_is_refused() -> None:
    data = OP.encode()
    false = Item(Oid(hash_bytes(b"false")), "op", 0, data, len(data))
    not_first = [blob(b"one"), Item(OP.oid, "op", 0, data, len(data))]
    for items in ([blob(b"one")], [], [false], not_first):
        with pytest.raises(DamagedError):
            Entry.read(placed(pack_bytes(items)), 5)


def test_every_flipped_bit_that_could_change_what_is_read_is_noticed() -> None:
    made = Entry.make(OP, [])
    for position in range(len(made.data)):
        for bit in (1, 0x80):
            bad = made.data[:position] + bytes([made.data[position] ^ bit]) + made.data[position + 1 :]
            files = placed(bad)
            try:
                found = Entry.read(files, 5)
            except DamagedError:
                continue
            assert (found.op, found.oid) == (OP, OP.oid), position


@pytest.mark.parametrize("keep", [0, 1, 40, 87, 100, 200, -1])
def test_a_torn_file_is_refused(keep: int) -> None:
    files = placed(Entry.make(OP, ()).data[:keep])
    with pytest.raises(DamagedError):
        Entry.read(files, 5)
    assert op_file.read_id(files, 5) in (None, OP.oid)
