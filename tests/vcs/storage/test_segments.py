"""The index: found by id and by prefix, merged to a few segments, and made anew from the packs when torn."""

from __future__ import annotations

from pathlib import Path

import pytest
from artvcs.vcs.storage.segments import Index, Segment
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError, UnknownName
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.pack import Location, pack_row

from ..helpers import files, problems, put_text

IDS = st.binary(min_size=32, max_size=32).map(lambda raw: Oid(raw.hex()))
PACKS = st.dictionaries(IDS, st.lists(IDS, max_size=8, unique=True), max_size=5)


def segment_of(packs: dict[Oid, list[Oid]]) -> Segment:
    tables = [
        ([name], [pack_row(Location(oid, "blob", 0, 36, len(oid), 1)) for oid in ids]) for name, ids in packs.items()
    ]
    return Segment(*Segment.build(tables))


@given(PACKS, IDS)
def test_a_segment_finds_what_is_in_it_and_nothing_else(packs: dict[Oid, list[Oid]], other: Oid) -> None:
    segment = segment_of(packs)
    everything = {oid for ids in packs.values() for oid in ids}
    for oid in everything:
        found = segment.find(bytes.fromhex(oid))
        assert found is not None
        assert found[1].oid == oid in packs[found[0]]
    assert (segment.find(bytes.fromhex(other)) is not None) == (other in everything)
    assert segment.rows == len(everything)
    assert set(segment.packs) == set(packs)


@given(PACKS, st.integers(0, 6))
def test_a_prefix_finds_every_id_that_starts_with_it(packs: dict[Oid, list[Oid]], digits: int) -> None:
    segment = segment_of(packs)
    everything = sorted({oid for ids in packs.values() for oid in ids})
    for oid in everything:
        found = [at.oid for at in segment.starting_with(oid[:digits])]
        assert found == [other for other in everything if other.startswith(oid[:digits])]


@given(PACKS, PACKS)
def test_merged_segments_find_what_each_found(one: dict[Oid, list[Oid]], two: dict[Oid, list[Oid]]) -> None:
    parts = [segment_of(one), segment_of(two)]
    merged = Segment(*Segment.build((part.packs, part.raw_rows()) for part in parts))
    places = {(name, oid) for packs in (one, two) for name, ids in packs.items() for oid in ids}
    assert merged.rows == len({oid for _, oid in places})
    for _, oid in places:
        found = merged.find(bytes.fromhex(oid))
        assert found is not None
        assert (found[0], oid) in places


@given(PACKS, st.data())
def test_a_changed_or_missing_byte_is_refused(packs: dict[Oid, list[Oid]], data: st.DataObject) -> None:
    name, good = Segment.build((part.packs, part.raw_rows()) for part in [segment_of(packs)])
    position = data.draw(st.integers(0, len(good) - 1))
    flipped = good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
    for bad in (flipped, good[:position], good + b"\0", b""):
        with pytest.raises(DamagedError):
            Segment(name, bad)


@pytest.mark.parametrize("magic", [b"ARTI\x02\0\0\0", b"JUNK\x01\0\0\0"])
def test_a_segment_of_another_format_is_refused_though_its_hash_is_right(magic: bytes) -> None:
    data = magic + bytes(16)
    with pytest.raises(DamagedError):
        Segment(hash_bytes(data, "index"), data)


def test_many_publishes_leave_few_segments(repository: Repository) -> None:
    for number in range(40):
        put_text(repository, f"tags/{number}", str(number))
    assert len(list(repository.layout.index.iterdir())) <= 6


@pytest.mark.parametrize("damage", ["delete one", "delete all", "truncate", "empty", "remove folder"])
def test_a_lost_segment_is_rebuilt_from_the_packs(repository: Repository, folder: Path, damage: str) -> None:
    ids = [put_text(repository, f"tags/{number}", str(number)) for number in range(10)]
    segments = sorted(repository.layout.index.iterdir(), key=lambda path: path.stat().st_size)
    for path in segments if damage in ("delete all", "remove folder") else segments[-1:]:
        if damage in ("truncate", "empty"):
            path.write_bytes(path.read_bytes()[: 100 if damage == "truncate" else 0])
        else:
            path.unlink()
    if damage == "remove folder":
        repository.layout.index.rmdir()
    again = Repository(folder)
    assert [again.store.read(oid, "blob") for oid in ids] == [str(number).encode() for number in range(10)]
    assert problems(folder) == []


def test_a_segment_merged_away_while_the_folder_is_read_hides_nothing(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [put_text(repository, f"tags/{number}", str(number)) for number in range(3)]
    opened = Segment.open
    merged: list[Path] = []

    def merged_meanwhile(path: Path) -> Segment:
        if not merged:
            merged.append(path)
            put_text(repository, "tags/x", "x" * 100)
            repository.store.index.rebuild()
        return opened(path)

    reader = Repository(folder)
    monkeypatch.setattr(Segment, "open", merged_meanwhile)
    reader.store.index.reload()
    assert all(reader.store.index.find(oid) for oid in ids)


def test_an_id_that_is_nowhere_does_not_rewrite_the_index(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    before = {path: path.stat().st_mtime_ns for path in repository.layout.index.iterdir()}
    for number in range(3):
        with pytest.raises(UnknownName):
            repository.store.read(hash_bytes(str(number).encode()), "blob")
    assert {path: path.stat().st_mtime_ns for path in repository.layout.index.iterdir()} == before


def test_a_damaged_pack_is_not_read_again_for_each_unknown_id(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_text(repository, "tags/a", "a")
    [path] = repository.layout.pack_files()
    path.write_bytes(path.read_bytes()[:-1])
    for segment in repository.layout.index.iterdir():
        segment.unlink()
    rebuilt: list[object] = []
    rebuild = Index.rebuild

    def counted(index: Index, *arguments: frozenset[Oid]) -> None:
        rebuilt.append(arguments)
        rebuild(index, *arguments)

    monkeypatch.setattr(Index, "rebuild", counted)
    for number in range(5):
        with pytest.raises(UnknownName):
            repository.store.read(hash_bytes(str(number).encode()), "blob")
    assert len(rebuilt) <= 1


def test_strange_files_among_packs_and_segments_are_left_alone(repository: Repository, folder: Path) -> None:
    oid = put_text(repository, "tags/a", "a")
    (repository.layout.index / ".DS_Store").write_bytes(b"x")
    (repository.layout.packs / "zz").mkdir()
    (repository.layout.packs / "zz" / "notes.txt").write_bytes(b"x")
    for segment in repository.layout.index.glob("[0-9a-f]*"):
        segment.unlink()
    assert Repository(folder).store.read(oid, "blob") == b"a"
    assert {name.split("/")[-1] for name in files(folder)} >= {".DS_Store", "notes.txt"}


def test_a_reader_that_may_not_write_finds_everything_without_an_index(repository: Repository, folder: Path) -> None:
    oid = put_text(repository, "tags/a", "a")
    for segment in repository.layout.index.iterdir():
        segment.unlink()
    before = files(folder)
    assert Repository(folder, passive=True).store.read(oid, "blob") == b"a"
    assert files(folder) == before
