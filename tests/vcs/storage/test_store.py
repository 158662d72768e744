"""Reading objects: whole and verified, whatever other threads and processes do meanwhile."""

from __future__ import annotations

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from gc import collect
from pathlib import Path
from typing import Any

import pytest

from artvcs.vcs.errors import AmbiguousName, DamagedError, UnknownName
from artvcs.vcs.objects.kinds import Artifact
from artvcs.vcs.objects.nodes import Tree
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.packs import chunking
from artvcs.vcs.storage.packs.pack import RECORD_SIZE
from artvcs.vcs.storage.snapshot import Snapshot
from artvcs.vcs.storage.store import blob_id
from artvcs.vcs.upkeep import gc

from ..helpers import artifact_of, packs, problems, put_text, put_text_in, sizes
from .making import blob, commit, flip, in_chunks, noise, put_pack, store_of


@pytest.mark.parametrize("size", [0, 1, 63, 64, 1000, chunking.MAX_CHUNK, chunking.MAX_CHUNK + 1, 3_000_000])
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
    before = sizes(repository.layout.folder)
    with repository.transaction("put") as transaction:
        changed = transaction.put_blob(data[: 4 << 20] + b"inserted" + data[4 << 20 :])
        transaction.set_ref("tags/b", changed)
    assert sizes(repository.layout.folder) - before < 1 << 20
    assert repository.store.stored_size(changed) > 8 << 20


def test_a_large_blob_is_read_piece_by_piece(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(noise(8 << 20))
        transaction.set_ref("tags/a", oid)
    pieces = list(repository.store.iter_read(oid))
    assert max(len(piece) for piece in pieces) <= chunking.MAX_CHUNK
    assert b"".join(pieces) == noise(8 << 20)


def test_a_blob_of_the_largest_chunks_is_one_whose_chunks_are_in_one_piece(repository: Repository) -> None:
    data = bytes(5 << 20)  # nothing in it says where to cut
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(data)
        transaction.set_ref("tags/a", oid)
    store = repository.store
    chunks = store.chunk_ids(store.location(oid))
    assert {store.size(chunk) for chunk in chunks} == {chunking.MAX_CHUNK}
    assert not any(store.chunk_ids(store.location(chunk)) for chunk in chunks)


def test_a_blob_that_lacks_a_chunk_is_not_complete() -> None:
    files = MemoryFiles()
    part, whole = noise(chunking.MAX_CHUNK), blob_id(b"whole")
    commit(
        files, loose=[put_pack(files, blob(part), in_chunks([(blob_id(part), len(part)), (blob_id(b"no"), 7)], whole))]
    )
    store = store_of(files)
    assert store.complete(blob_id(part))
    assert store.has(whole)
    assert not store.complete(whole)
    assert not store.complete(blob_id(b"no"))


def test_of_two_copies_the_one_that_is_sound_is_read() -> None:
    files = MemoryFiles()
    data = noise(3000)
    names = [put_pack(files, blob(data), blob(b"%d" % number)) for number in range(2)]
    commit(files, loose=names)
    for damaged in names:
        at = next(at for name, at in store_of(files).snapshot.find(blob_id(data)) if name == damaged)
        flip(files, damaged, at.offset + 1000)
        for store in (store_of(files), store_of(files)):
            assert store.read(blob_id(data), "blob") == data
            assert store.stored(blob_id(data)).stored == data
            assert store.published(blob_id(data))
        flip(files, damaged, at.offset + 1000)


@pytest.mark.parametrize("position", [3, 35], ids=["an id", "a size"])
def test_of_two_lists_of_chunks_the_one_that_is_sound_is_followed(position: int) -> None:
    files = MemoryFiles()
    parts = [noise(chunking.MAX_CHUNK, seed) for seed in range(2)]
    oid = blob_id(b"".join(parts))
    chunks = in_chunks([(blob_id(part), len(part)) for part in parts], oid)
    lists = [put_pack(files, chunks) for _ in range(2)]
    commit(files, loose=[put_pack(files, *map(blob, parts)), *lists])
    for damaged in lists:
        at = next(at for name, at in store_of(files).snapshot.find(oid) if name == damaged)
        flip(files, damaged, at.offset + RECORD_SIZE + position)
        assert store_of(files).read(oid, "blob") == b"".join(parts)
        assert store_of(files).complete(oid)
        flip(files, damaged, at.offset + RECORD_SIZE + position)


def test_an_object_of_another_kind_is_not_what_was_asked_for(repository: Repository) -> None:
    with repository.transaction("put") as transaction:
        tree = transaction.put(Tree(0, ()))
        transaction.set_ref("tags/a", tree)
        blob = put_text_in(transaction, "tags/b", "text")
    with pytest.raises(DamagedError, match="is a tree, not a blob"):
        repository.store.read(tree, "blob")
    with pytest.raises(DamagedError, match="is a blob, not a tree"):
        repository.store.record(blob, Tree)


def test_a_damaged_byte_is_noticed_on_reading(repository: Repository, folder: Path) -> None:
    oid = put_text(repository, "tags/a", "precious" * 5)
    [path] = [path for path in repository.layout.ops.iterdir() if b"precious" in path.read_bytes()]
    data = path.read_bytes()
    at = data.index(b"precious")
    path.write_bytes(data[:at] + b"P" + data[at + 1 :])
    with pytest.raises(DamagedError):
        Repository(folder).store.read(oid, "blob")


def test_putting_again_heals_what_went_with_a_lost_pack(repository: Repository, folder: Path) -> None:
    data = noise(400_000)
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(data)
        transaction.set_ref("tags/a", oid)
    [lost] = packs(folder)
    lost.unlink()
    again = Repository(folder)
    assert not again.store.has(oid)
    with pytest.raises(UnknownName):
        again.store.read(oid, "blob")
    with again.transaction("put") as transaction:
        transaction.set_ref("tags/a", transaction.put_blob(data))
    assert Repository(folder).store.read(oid, "blob") == data


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
    first = [oid[0] for oid in repository.store.snapshot.starting_with("")]
    return max(first, key=first.count)


def test_a_prefix_can_be_narrowed_to_kinds(repository: Repository) -> None:
    oid = put_text(repository, "tags/a", "a")
    with pytest.raises(UnknownName):
        repository.store.expand(oid[:12], ("run", "commit"))


def test_what_a_transaction_put_is_found_before_it_is_published(repository: Repository, folder: Path) -> None:
    with repository.transaction("put") as transaction:
        small, large = put_text_in(transaction, "tags/a", "small"), transaction.put_blob(noise(3 << 20))
        transaction.seal()
        late = put_text_in(transaction, "tags/b", "late")
        for oid in (small, large, late):
            assert repository.store.complete(oid)
            assert not repository.store.published(oid)
            assert repository.store.expand(oid[:16]).oid == oid
            assert not Repository(folder).store.has(oid)
        assert repository.store.read(large, "blob") == noise(3 << 20)
        transaction.set_ref("tags/c", large)
    assert Repository(folder).store.read(large, "blob") == noise(3 << 20)


def test_what_others_publish_is_found_without_being_told(repository: Repository, folder: Path) -> None:
    reader = Repository(folder)
    assert not reader.store.has(blob_id(b"a"))
    oid = put_text(repository, "tags/a", "a")
    assert reader.store.read(oid, "blob") == b"a"
    assert reader.store.expand(put_text(repository, "tags/b", "b")[:12]).size == 1


def test_nothing_is_opened_anew_while_nothing_changes(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    reader = Repository(folder)
    before = reader.store.refresh()
    assert reader.store.refresh() is before
    put_text(repository, "tags/b", "b")
    assert reader.store.snapshot is before
    assert reader.store.refresh().seq == before.seq + 1


def test_a_reader_of_an_old_moment_goes_on_reading_after_gc(repository: Repository, folder: Path) -> None:
    ids = [put_text(repository, f"tags/{number}", str(number)) for number in range(100)]
    reader = Repository(folder)
    assert reader.store.read(ids[0], "blob") == b"0"
    assert gc.collect(repository).deleted
    assert [reader.store.read(oid, "blob") for oid in ids] == [str(number).encode() for number in range(100)]


def test_what_is_collected_between_finding_and_reading_is_looked_for_again(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [put_text(repository, f"tags/{number}", str(number)) for number in range(100)]
    reader = Repository(folder)
    find = Snapshot.find
    collected: list[object] = []

    def collected_meanwhile(self: Snapshot, oid: Oid) -> object:
        found = list(find(self, oid))
        if not collected:
            collected.append(True)
            assert gc.collect(repository).deleted
        return iter(found)

    monkeypatch.setattr(Snapshot, "find", collected_meanwhile)
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
    store = Repository(repository.layout.folder).store
    for number in range(1000):
        store.remember(hash_bytes(str(number).encode()), Tree(0, ()), 9_000)
    assert len(store._records) <= 10


def test_reading_ahead_reads_no_more_than_what_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository.init(tmp_path / ".artifacts")
    with repository.transaction("save") as transaction:
        made = []
        for number in range(10):
            made.append(artifact_of(transaction, str(number)))
            transaction.set_ref(f"tags/blob-{number}", transaction.put_blob(os.urandom(300_000)))
            transaction.set_ref(f"tags/artifact-{number}", made[-1])
    store, read = Repository(tmp_path / ".artifacts").store, list[int]()
    files = store.files

    class Counted:
        def __getattr__(self, name: str) -> Any:
            return getattr(files, name)

        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            data = files.read(name, start, length)
            read.append(len(data))
            return data

    monkeypatch.setattr(store, "files", Counted())
    store.read_ahead(made, Artifact)
    assert sum(read) < 10_000
    read.clear()
    assert [store.record(oid, Artifact).type for oid in made] == [f"tests.{number}" for number in range(10)]
    assert read == []


def test_reading_ahead_leaves_what_cannot_be_read_to_whoever_wants_it(tmp_path: Path) -> None:
    repository = Repository.init(tmp_path / ".artifacts")
    oid = put_text(repository, "tags/a", "no artifact")
    repository.store.read_ahead([oid, hash_bytes(b"nowhere")], Artifact)
    with pytest.raises(DamagedError, match="is a blob, not a artifact"):
        repository.store.record(oid, Artifact)
