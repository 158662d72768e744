"""The file of an op: a small pack whose op can be read, unless anything about it is damaged."""

from __future__ import annotations

import dataclasses

import pytest

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.kinds import Op, State
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.layout import op_name
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.op_file import Entry, read_id
from artvcs.vcs.storage.pack import Pack, pack_bytes

from .making import blob

EMPTY = State(None, (), (op_name(5),), {}, 0, ())
OP = Op(5, None, EMPTY, "0" * 16, "1" * 16, "Ada <ada@example.org>", 0, "test")
LARGE = dataclasses.replace(OP, state=State(None, (), ("x" * 5000,), {}, 0, ()))


def read(data: bytes, seq: int = 5) -> Entry:
    files = MemoryFiles()
    files.put(op_name(seq), data)
    return Entry.read(files, seq)


@pytest.mark.parametrize("op", [OP, LARGE], ids=["small", "large"])
def test_the_op_comes_back_with_its_id(op: Op) -> None:
    entry = Entry.make(op, [blob(b"one"), blob(b"two")])
    assert read(entry.data) == entry
    assert (entry.op, entry.oid) == (op, op.oid)
    files = MemoryFiles()
    files.put(op_name(5), entry.data)
    assert {at.kind for at in Pack.open(files, op_name(5)).locations()} == {"op", "blob"}
    assert read_id(files, 5) == op.oid


def test_an_op_is_not_believed_in_the_place_of_another() -> None:
    with pytest.raises(DamagedError, match="ops/000000000006 is damaged"):
        read(Entry.make(OP, ()).data, 6)


def test_a_file_without_an_op_or_with_a_false_id_is_refused() -> None:
    data = OP.encode()
    false = Oid(hash_bytes(b"false"))
    for items in ([blob(b"one")], [], [blob(b"one", false)]):
        with pytest.raises(DamagedError):
            read(pack_bytes(items))
    forged = blob(data, false).__class__(false, "op", 0, data, len(data))
    with pytest.raises(DamagedError):
        read(pack_bytes([forged]))


def test_every_flipped_bit_that_could_change_what_is_read_is_noticed() -> None:
    good = Entry.make(OP, []).data
    for position in range(len(good)):
        for bit in (1, 0x80):
            bad = good[:position] + bytes([good[position] ^ bit]) + good[position + 1 :]
            try:
                found = read(bad)
            except DamagedError:
                continue
            assert (found.op, found.oid) == (OP, OP.oid), position


@pytest.mark.parametrize("keep", [0, 1, 100, 200, -1])
def test_a_torn_file_is_refused(keep: int) -> None:
    with pytest.raises(DamagedError):
        read(Entry.make(OP, ()).data[:keep])


def test_what_is_no_op_says_no_id() -> None:
    files = MemoryFiles()
    for data in (b"", b"x" * 500, Entry.make(OP, ()).data[:40]):
        files.put(op_name(5), data)
        assert read_id(files, 5) is None
