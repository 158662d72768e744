"""Packs: what is written can be listed and read, and a damaged one is refused."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage import codec, durable, pack
from artvcs.vcs.storage.pack import KINDS, Location, PackWriter

IDS = st.binary(min_size=32, max_size=32).map(lambda raw: Oid(raw.hex()))
U64 = st.integers(0, 2**64 - 1)
LOCATIONS = st.builds(Location, IDS, st.sampled_from(KINDS), st.integers(0, 255), U64, U64, U64)


def new_pack(path: Path) -> PackWriter:
    return PackWriter(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC))


def fill(writer: PackWriter, *texts: bytes) -> list[Oid]:
    ids = [hash_bytes(text) for text in texts]
    for oid, text in zip(ids, texts, strict=True):
        writer.add(oid, "blob", codec.RAW, text, len(text))
    return ids


def finished(tmp_path: Path, *texts: bytes) -> Path:
    writer = new_pack(tmp_path / "new.pack")
    fill(writer, *texts)
    target = tmp_path / "ab" / writer.finish()
    writer.move_to(target)
    writer.close()
    return target


@given(LOCATIONS, st.integers(0, 2**32 - 1))
def test_a_row_comes_back(at: Location, number: int) -> None:
    row = pack.pack_row(at, number)
    assert len(row) == pack.ROW_SIZE == 64
    assert pack.unpack_row(row) == (at, number)


def test_a_row_of_an_unknown_kind_is_refused() -> None:
    row = bytearray(64)
    row[32] = len(KINDS)
    with pytest.raises(DamagedError, match="unknown kind"):
        pack.unpack_row(bytes(row))


def test_a_finished_pack_lists_what_it_holds_and_is_named_by_its_bytes(tmp_path: Path) -> None:
    path = finished(tmp_path, b"one", b"", b"three" * 1000)
    assert path.name == hash_bytes(path.read_bytes(), "pack")
    table = pack.read_table(path)
    assert [at.oid for at in table] == sorted(hash_bytes(text) for text in (b"one", b"", b"three" * 1000))
    assert sorted(pack.scan(path, pack.records_end(path)), key=lambda at: at.oid) == table
    with path.open("rb") as file:
        assert {pack.read_stored(file.fileno(), at) for at in table} == {b"one", b"", b"three" * 1000}


def test_two_packs_of_the_same_objects_have_different_names(tmp_path: Path) -> None:
    assert finished(tmp_path, b"x").name != finished(tmp_path, b"x").name


def test_an_object_can_be_read_before_the_pack_is_finished(tmp_path: Path) -> None:
    writer = new_pack(tmp_path / "new.pack")
    [oid] = fill(writer, b"content")
    assert writer.read(writer.entries[oid]) == b"content"
    writer.close()
    assert writer.read(writer.entries[oid]) is None


@pytest.mark.parametrize("keep", [0, 10, 40, 100, -1])
def test_a_truncated_pack_is_refused(tmp_path: Path, keep: int) -> None:
    path = finished(tmp_path, b"one", b"two")
    os.truncate(path, keep if keep >= 0 else path.stat().st_size - 1)
    with pytest.raises(DamagedError):
        pack.read_table(path)


def test_a_flipped_bit_in_the_table_is_refused_or_names_another_object(tmp_path: Path) -> None:
    path = finished(tmp_path, b"one", b"two")
    good, table = path.read_bytes(), pack.read_table(path)
    for position in range(pack.records_end(path), len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x80]) + good[position + 1 :])
        try:
            listed = pack.read_table(path)
        except DamagedError:
            continue
        assert listed != table, position


def test_a_row_that_points_outside_the_records_is_refused(tmp_path: Path) -> None:
    path = finished(tmp_path, b"one")
    data = bytearray(path.read_bytes())
    [at] = pack.read_table(path)
    row = pack.pack_row(Location(at.oid, at.kind, at.codec, at.offset, 2**60, at.size))
    start = pack.records_end(path)
    path.write_bytes(bytes(data[:start]) + row + bytes(data[start + 64 :]))
    with pytest.raises(DamagedError):
        pack.read_table(path)


@pytest.mark.parametrize("stored", [0, 5, 2**40, 2**63, 2**64 - 1])
def test_a_record_that_claims_another_length_is_refused_by_a_scan(tmp_path: Path, stored: int) -> None:
    path = finished(tmp_path, b"one")
    data = bytearray(path.read_bytes())
    [at] = pack.read_table(path)
    data[at.offset + 8 : at.offset + 16] = stored.to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(DamagedError):
        pack.scan(path, pack.records_end(path))


def test_a_record_that_is_not_the_one_the_index_promised_is_refused(tmp_path: Path) -> None:
    path = finished(tmp_path, b"one", b"two")
    one, two = pack.read_table(path)
    wrong = Location(one.oid, one.kind, one.codec, two.offset, two.stored, two.size)
    with path.open("rb") as file, pytest.raises(DamagedError):
        pack.read_stored(file.fileno(), wrong)


def test_a_pack_left_behind_is_gone_on_with_from_where_it_was_good(tmp_path: Path) -> None:
    path = tmp_path / "left.pack"
    writer = new_pack(path)
    [one] = fill(writer, b"one")
    good = writer.end
    fill(writer, b"two")
    writer.flush()
    writer.close()
    with path.open("ab") as file:
        file.write(b"torn")
    again = PackWriter.resume(path, os.open(path, os.O_RDWR), good)
    assert list(again.entries) == [one]
    [three] = fill(again, b"three")
    name = again.finish()
    again.close()
    assert name == hash_bytes(path.read_bytes(), "pack")
    assert {at.oid for at in pack.read_table(path)} == {one, three}


def test_a_full_disk_tears_no_hole_into_a_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, write_at = new_pack(tmp_path / "new.pack"), durable.write_at
    fill(writer, b"one")

    def half_then_full(fd: int, data: bytes, offset: int) -> None:
        write_at(fd, data[: len(data) // 2], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(durable, "write_at", half_then_full)
        with pytest.raises(OSError, match="No space"):
            writer.flush()
        with pytest.raises(OSError, match="No space"):
            fill(writer, os.urandom(2 << 20))
    fill(writer, b"two")
    name = writer.finish()
    writer.close()
    assert name == hash_bytes((tmp_path / "new.pack").read_bytes(), "pack")
    assert len(pack.scan(tmp_path / "new.pack", pack.records_end(tmp_path / "new.pack"))) == 3


def test_what_was_added_can_be_read_while_another_thread_adds(tmp_path: Path) -> None:
    writer = new_pack(tmp_path / "new.pack")
    texts = [str(number).encode() * 50 for number in range(3000)]
    wrong: list[bytes] = []

    def read_all() -> None:
        while len(writer.entries) < len(texts):
            for oid, at in list(writer.entries.items())[-5:]:
                stored = writer.read(at)
                if stored is None or hash_bytes(stored) != oid:
                    wrong.append(bytes.fromhex(oid))

    readers = [threading.Thread(target=read_all) for _ in range(2)]
    for reader in readers:
        reader.start()
    fill(writer, *texts)
    for reader in readers:
        reader.join()
    name = writer.finish()
    writer.close()
    assert not wrong
    assert name == hash_bytes((tmp_path / "new.pack").read_bytes(), "pack")
