"""Reading objects: whole and verified, whatever other threads and processes do meanwhile."""

from __future__ import annotations

import io
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from gc import collect
from pathlib import Path

import pytest

from artvcs.vcs.errors import AmbiguousName, DamagedError, UnknownName
from artvcs.vcs.objects.kinds import Tree
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage import chunking, codec
from artvcs.vcs.storage.store import blob_id
from artvcs.vcs.upkeep import collect as gc

from ..helpers import problems, put_text, put_text_in


def noise(size: int, seed: int = 7) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 1000, chunking.THRESHOLD - 1, chunking.THRESHOLD, 3_000_000])
@pytest.mark.parametrize("compressible", [False, True])
def test_a_blob_of_any_size_comes_back(repository: Repository, size: int, compressible: bool) -> None:
    data = bytes(size) if compressible else noise(size)
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(data)
        transaction.set_ref("tags/a", oid)
    assert oid == blob_id(data)
    assert repository.store.read(oid, "blob") == data
    assert repository.store.size(oid) == size


@pytest.mark.parametrize("size", [0, 1, 100_000, 2_000_000])
def test_a_stream_is_stored_as_the_same_blob(repository: Repository, folder: Path, size: int) -> None:
    with repository.transaction("put") as transaction:
        oid, counted = transaction.put_stream(io.BytesIO(noise(size)))
        transaction.set_ref("tags/a", oid)
    assert (oid, counted) == (blob_id(noise(size)), size)
    assert Repository(folder).store.read(oid, "blob") == noise(size)
    assert problems(folder) == []


def test_an_insert_in_the_middle_of_a_large_blob_stores_little(repository: Repository) -> None:
    data = noise(8 << 20)
    with repository.transaction("put") as transaction:
        transaction.set_ref("tags/a", transaction.put_blob(data))
    before = sum(path.stat().st_size for path in repository.layout.pack_files())
    with repository.transaction("put") as transaction:
        changed = transaction.put_blob(data[: 4 << 20] + b"inserted" + data[4 << 20 :])
        transaction.set_ref("tags/b", changed)
    after = sum(path.stat().st_size for path in repository.layout.pack_files())
    assert after - before < 1 << 20
    assert repository.store.stored_size(changed) > 8 << 20


def test_a_large_blob_is_read_piece_by_piece(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(noise(8 << 20))
        transaction.set_ref("tags/a", oid)
    pieces = list(repository.store.iter_read(oid))
    assert max(len(piece) for piece in pieces) <= 8 * chunking.AVERAGE
    assert b"".join(pieces) == noise(8 << 20)


def test_a_chunk_that_was_stored_in_chunks_itself_can_be_read(repository: Repository) -> None:
    # As another version of artvcs, with other cut points, may have done.
    halves = [noise(1000, 1), noise(1000, 2)]
    inner, outer = b"".join(halves), b"".join(halves) * 2
    with repository.transaction("put") as transaction:
        ids = [transaction.put_blob(half) for half in halves]
        _put_chunked(transaction, inner, [(ids[0], 1000), (ids[1], 1000)])
        _put_chunked(transaction, outer, [(blob_id(inner), 2000), (blob_id(inner), 2000)])
        transaction.set_ref("tags/a", blob_id(outer))
    assert repository.store.read(blob_id(outer), "blob") == outer
    assert repository.store.complete(blob_id(outer))


@pytest.mark.parametrize("chunks", ["itself", "none", "one missing", "too many"])
def test_a_hostile_list_of_chunks_is_refused(repository: Repository, chunks: str) -> None:
    whole = blob_id(b"whole")
    with repository.transaction("put") as transaction:
        part = transaction.put_blob(noise(5000))
        pieces = {
            "itself": [(whole, 5)],
            "none": [],
            "one missing": [(part, 5000), (blob_id(b"missing"), 7)],
            "too many": [(part, 5000)] * 100,
        }[chunks]
        _put_chunked(transaction, b"whole", pieces)
        transaction.set_ref("tags/a", whole)
    with pytest.raises((DamagedError, UnknownName)):
        repository.store.read(whole, "blob")


def _put_chunked(transaction: object, whole: bytes, chunks: list[tuple[Oid, int]]) -> None:
    writer = transaction._open_pack().writer  # type: ignore[attr-defined]
    writer.add(blob_id(whole), "blob", codec.CHUNKED, chunking.encode_list(chunks), len(whole))


def test_a_blob_that_lacks_a_chunk_is_not_complete(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        part = transaction.put_blob(noise(100))
        _put_chunked(transaction, b"whole", [(part, 100), (blob_id(b"missing"), 7)])
        assert repository.store.complete(part)
        assert not repository.store.complete(blob_id(b"whole"))
        assert not repository.store.complete(blob_id(b"missing"))


def test_an_object_of_another_kind_is_not_what_was_asked_for(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        tree = transaction.put(Tree(()))
        transaction.set_ref("tags/a", tree)
        blob = put_text_in(transaction, "tags/b", "text")
    with pytest.raises(DamagedError, match="is a tree, not a blob"):
        repository.store.read(tree, "blob")
    with pytest.raises(DamagedError, match="is a blob, not a tree"):
        repository.store.record(blob, Tree)


def test_a_damaged_byte_is_noticed_on_reading(repository: Repository, folder: Path) -> None:
    oid = put_text(repository, "tags/a", "precious" * 5)
    [path] = repository.layout.pack_files()
    data = path.read_bytes()
    at = data.index(b"precious")
    path.write_bytes(data[:at] + b"P" + data[at + 1 :])
    with pytest.raises(DamagedError):
        Repository(folder).store.read(oid, "blob")


def test_putting_again_heals_what_went_with_a_lost_pack(repository: Repository, folder: Path) -> None:
    oid = put_text(repository, "tags/a", "a")
    [lost] = repository.layout.pack_files()
    put_text(repository, "tags/a", "b")
    lost.unlink()
    again = Repository(folder)
    assert not again.store.has(oid)
    put_text(again, "tags/a", "a")
    assert Repository(folder).store.read(oid, "blob") == b"a"


def test_a_prefix_names_one_object(repository: Repository, folder: Path) -> None:
    reader = Repository(folder)
    oid = put_text(repository, "tags/a", "a")
    assert reader.store.expand(oid[:12]).oid == oid
    assert reader.store.expand(oid).oid == oid


def test_a_prefix_of_several_or_none_is_an_error_that_says_so(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        for number in range(40):
            put_text_in(transaction, f"tags/{number}", str(number))
    with pytest.raises(AmbiguousName, match="give more digits"):
        repository.store.expand(_common_digit(repository))
    for prefix in ("xyz", "", "ABC", "f" * 64, "f" * 65, "../"):
        with pytest.raises(UnknownName):
            repository.store.expand(prefix)


def _common_digit(repository: Repository) -> str:
    first = [at.oid[0] for at in repository.store.index.starting_with("")]
    return max(first, key=first.count)


def test_a_prefix_can_be_narrowed_to_kinds(repository: Repository) -> None:
    oid = put_text(repository, "tags/a", "a")
    with pytest.raises(UnknownName):
        repository.store.expand(oid[:12], ("run", "commit"))


def test_a_reader_with_an_old_index_goes_on_reading_after_gc(repository: Repository, folder: Path) -> None:
    ids = [put_text(repository, f"tags/{number}", str(number)) for number in range(5)]
    reader = Repository(folder)
    assert reader.store.read(ids[0], "blob") == b"0"
    gc.collect(repository)
    assert [reader.store.read(oid, "blob") for oid in ids] == [str(number).encode() for number in range(5)]


def test_a_pack_collected_between_finding_and_opening_is_looked_for_again(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [put_text(repository, f"tags/{number}", str(number)) for number in range(2)]
    reader = Repository(folder)
    find = reader.store._find
    collected: list[gc.Plan] = []

    def collected_meanwhile(oid: Oid) -> object:
        found = find(oid)
        if not collected:
            collected.append(gc.collect(repository))
        return found

    monkeypatch.setattr(reader.store, "_find", collected_meanwhile)
    assert reader.store.read(ids[0], "blob") == b"0"


def test_many_threads_read_while_others_publish_and_refresh(repository: Repository) -> None:
    ids = [put_text(repository, f"tags/{number}", f"text {number}") for number in range(100)]
    stop = threading.Event()

    def disturb() -> None:
        number = 0
        while not stop.is_set():
            repository.store.refresh()
            put_text(repository, "tags/x", f"other {number}")
            number += 1

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            texts = list(pool.map(lambda oid: repository.store.read(oid, "blob"), ids * 10))
    finally:
        stop.set()
        disturber.join()
    assert texts == [f"text {number}".encode() for number in range(100)] * 10


def test_open_packs_do_not_use_up_descriptors(repository: Repository) -> None:
    ids = [put_text(repository, f"tags/{number}", str(number)) for number in range(150)]
    before = len(os.listdir("/proc/self/fd"))
    for oid in ids:
        repository.store.read(oid, "blob")
    assert len(os.listdir("/proc/self/fd")) - before <= 64
    repository.store.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_repository_that_is_let_go_closes_its_packs(repository: Repository, folder: Path) -> None:
    oid = put_text(repository, "tags/a", "a")
    collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        assert Repository(folder).store.read(oid, "blob") == b"a"
    collect()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_remembered_records_are_bounded_by_their_size(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artvcs.vcs.storage.store._CACHED_BYTES", 100_000)
    store = repository.store
    for number in range(1000):
        store.remember(hash_bytes(str(number).encode()), Tree(()), 9_000)
    assert len(store._records) <= 10
