"""Reading all of a pack: what is sound is told from what is not, whichever way it has to be read."""

from __future__ import annotations

import dataclasses
import errno
from typing import Any

import pytest

from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.layout import PackName
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.packs import chunking
from artvcs.vcs.storage.packs.pack import RECORD_SIZE
from artvcs.vcs.upkeep.check import reading
from artvcs.vcs.upkeep.check.reading import PackReader

from ..storage.making import HEADER, blob, flip, in_chunks, noise, put_pack, rows_of

BLOBS = [blob(noise(size, size)) for size in (700_000, 5, 20_000, 900_000, 0, 300_000)]
IDS = {item.oid for item in BLOBS}
MADE_WRONGLY = "is made wrongly: its table does not list its records"


class Torn(MemoryFiles):
    """On a disk with a bad place."""

    bad = -1

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        data = super().read(name, start, length)
        if start <= self.bad < start + len(data):
            raise OSError(errno.EIO, "Input/output error")
        return data


def look(files: MemoryFiles, name: PackName) -> tuple[set[Oid], set[Oid], list[str]]:
    """The ids of what is sound in a pack and of what is not, and what is wrong with its file."""
    reader = PackReader(files, name)
    found = list(reader.objects())
    sound = {each.at.oid for each in found if each.problem is None}
    return sound, {each.at.oid for each in found if each.problem is not None}, reader.problems


def test_a_sound_pack_is_read_once_from_front_to_back() -> None:
    read: list[tuple[int, int]] = []

    class Counting(MemoryFiles):
        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            data = super().read(name, start, length)
            read.append((start, start + len(data)))
            return data

    files = Counting()
    name = put_pack(files, *BLOBS)
    end = HEADER + sum(RECORD_SIZE + len(item.stored) for item in BLOBS)
    read.clear()
    assert look(files, name) == (IDS, set(), [])
    records = [span for span in read if span[1] <= end]
    assert records == sorted(records)
    assert sum(stop - start for start, stop in records) == end


@pytest.mark.parametrize("number", range(len(BLOBS)))
def test_a_bad_place_on_the_disk_takes_one_object(number: int) -> None:
    files = Torn()
    name = put_pack(files, *BLOBS)
    at = next(at for at in rows_of(files, name) if at.oid == BLOBS[number].oid)
    for files.bad in (at.offset, at.offset + RECORD_SIZE - 1 + at.stored):
        assert look(files, name) == (IDS - {at.oid}, {at.oid}, ["cannot be read in part: Input/output error"])


def test_a_bad_place_before_all_objects_takes_none() -> None:
    files = Torn()
    name = put_pack(files, *BLOBS)
    files.bad = 7
    assert look(files, name) == (IDS, set(), ["cannot be read in part: Input/output error"])


@pytest.mark.parametrize("number", range(len(BLOBS)))
def test_a_flipped_bit_takes_one_object(number: int) -> None:
    files = MemoryFiles()
    name = put_pack(files, *BLOBS)
    at = next(at for at in rows_of(files, name) if at.oid == BLOBS[number].oid)
    flip(files, name, at.offset + RECORD_SIZE - 1 + at.stored)
    assert look(files, name) == (
        IDS - {at.oid}, {at.oid}, ["is damaged: its bytes are not those that were written"]
    )  # fmt: skip


@pytest.mark.parametrize("change", [{"size": 4}, {"codec": 1}, {"kind": "tree"}, {"oid": hash_bytes(b"other")}])
def test_a_row_that_is_not_its_record_is_told_of(change: dict[str, Any]) -> None:
    files = MemoryFiles()
    rows = rows_of(files, put_pack(files, *BLOBS))
    false = [dataclasses.replace(at, **change) if at.oid == BLOBS[1].oid else at for at in rows]
    sound, bad, problems = look(files, put_pack(files, *BLOBS, rows=false))
    assert sound == IDS - {BLOBS[1].oid}
    assert bad == {change.get("oid", BLOBS[1].oid)}
    assert problems == [MADE_WRONGLY]


def test_a_record_that_no_row_lists_is_told_of() -> None:
    files = MemoryFiles()
    rows = rows_of(files, put_pack(files, *BLOBS))
    name = put_pack(files, *BLOBS, rows=[at for at in rows if at.oid != BLOBS[2].oid])
    assert look(files, name) == (IDS - {BLOBS[2].oid}, set(), [MADE_WRONGLY])


def test_what_no_object_can_take_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LARGEST", 800_000)
    files = MemoryFiles()
    sound, bad, problems = look(files, put_pack(files, *BLOBS))
    assert (sound, bad, problems) == (IDS - {BLOBS[3].oid}, {BLOBS[3].oid}, [MADE_WRONGLY])


def test_a_list_of_chunks_is_told_to_be_one() -> None:
    files = MemoryFiles()
    chunks = [(blob(noise(chunking.MAX_CHUNK, seed)).oid, chunking.MAX_CHUNK) for seed in (1, 2)]
    listed = in_chunks(chunks, hash_bytes(b"whatever"))
    [found] = PackReader(files, put_pack(files, listed)).objects()
    assert found.is_list
    assert [link.oid for link in found.links] == [oid for oid, _ in chunks]
