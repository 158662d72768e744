"""Forged packs and indexes: a typed error, soon and in little memory, and whatever is sound stays readable."""

from __future__ import annotations

import dataclasses
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

from artvcs.vcs.errors import ArtError, DamagedError, UnknownName
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import PackName
from artvcs.vcs.storage.local import LocalFiles
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.packs import chunking, codec, table
from artvcs.vcs.storage.packs.pack import Item
from artvcs.vcs.storage.store import ObjectStore

from .making import LIES, blob, commit, in_chunks, noise, put_pack, rows_of, store_of, write_segment

GOOD, WANTED = hash_bytes(b"good"), hash_bytes(b"wanted")
CHUNK = noise(chunking.MAX_CHUNK)
CHUNK_ID = hash_bytes(CHUNK)


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    (tmp_path / "place").mkdir()
    return LocalFiles(tmp_path / "place", tmp_path / "staging") if request.param == "local" else MemoryFiles()


@pytest.fixture(autouse=True)
def _cheap() -> Iterator[None]:
    """What a stranger's bytes may cost."""
    tracemalloc.start()
    began = time.perf_counter()
    yield
    assert time.perf_counter() - began < 5
    assert tracemalloc.get_traced_memory()[1] < 60 << 20
    tracemalloc.stop()


def refused(store: ObjectStore, oid: Oid) -> None:
    """That an object cannot be had, in whatever way it is asked for, and another one beside it can."""
    looks: list[Callable[[], object]] = [
        lambda: store.read(oid, "blob"),
        lambda: list(store.iter_read(oid)),
        lambda: store.verify(oid),
        lambda: store.stored(oid),
    ]
    for look in looks:
        with pytest.raises((DamagedError, UnknownName)):
            look()
    assert not store.has(oid)
    assert not store.published(oid)
    assert not store.complete(oid)
    assert store.read(GOOD, "blob") == b"good"


@pytest.mark.parametrize("row", LIES.values(), ids=list(LIES))
def test_a_false_row_in_an_index_leads_to_nothing_wrong(files: Files, row: dict[str, object]) -> None:
    name = put_pack(files, blob(b"good"), blob(b"wanted"))
    true = rows_of(files, name)
    false = [dataclasses.replace(at, **row) if at.oid == WANTED else at for at in true]  # type: ignore[arg-type]
    commit(files, segments=[write_segment(files, [([name], b"".join(map(table.pack_row, false)))])])
    with pytest.raises((DamagedError, UnknownName)):
        store_of(files).read(WANTED, "blob")
    assert store_of(files).read(GOOD, "blob") == b"good"
    commit(
        files,
        segments=[write_segment(files, [([name], b"".join(map(table.pack_row, false)))])],
        loose=[put_pack(files, blob(b"wanted"))],
    )
    assert store_of(files).read(WANTED, "blob") == b"wanted"


@pytest.mark.parametrize("row", LIES.values(), ids=list(LIES))
def test_a_false_row_in_a_packs_own_table_leads_to_nothing_wrong(files: Files, row: dict[str, object]) -> None:
    items = [blob(b"good"), blob(b"wanted")]
    true = rows_of(files, put_pack(files, *items))
    false = [dataclasses.replace(at, **row) if at.oid == WANTED else at for at in true]  # type: ignore[arg-type]
    forged = put_pack(files, *items, rows=false)
    commit(files, loose=[forged])
    with pytest.raises((DamagedError, UnknownName)):
        store_of(files).read(WANTED, "blob")
    assert store_of(files).read(GOOD, "blob") == b"good"
    commit(files, loose=[put_pack(files, blob(b"wanted")), forged])
    assert store_of(files).read(WANTED, "blob") == b"wanted"
    assert store_of(files).has(WANTED)


def test_an_id_that_its_pack_does_not_hold_is_not_read_and_can_be_stored_then(files: Files) -> None:
    name = put_pack(files, blob(b"good"), blob(b"another"))
    [other] = [at for at in rows_of(files, name) if at.oid != GOOD]
    rows = sorted([*rows_of(files, name), dataclasses.replace(other, oid=WANTED)], key=lambda at: at.oid)
    index = write_segment(files, [([name], b"".join(map(table.pack_row, rows)))])
    commit(files, segments=[index])
    refused(store_of(files), WANTED)
    commit(files, segments=[index], loose=[put_pack(files, blob(b"wanted"))])
    assert store_of(files).read(WANTED, "blob") == b"wanted"


def test_a_record_whose_content_is_not_what_it_is_called_is_refused(files: Files) -> None:
    commit(files, loose=[put_pack(files, blob(b"good"), blob(b"something else", WANTED))])
    refused(store_of(files), WANTED)


def bombs() -> dict[str, Item]:
    zeros = zstandard.ZstdCompressor().compress(bytes(32 << 20))
    hidden = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(32 << 20))
    return {
        "a blob beyond what is ever in one piece": Item(
            hash_bytes(bytes(32 << 20)), "blob", codec.ZSTD, zeros, 32 << 20
        ),
        "100 GB in a frame of 32 MiB": Item(WANTED, "blob", codec.ZSTD, zeros, 100 * 10**9),
        "a few bytes in a frame of 32 MiB": Item(WANTED, "blob", codec.ZSTD, zeros, 10),
        "a frame that hides its size": Item(WANTED, "blob", codec.ZSTD, hidden, 32 << 20),
        "100 GB kept raw": Item(WANTED, "blob", codec.RAW, b"x", 100 * 10**9),
        "no frame": Item(WANTED, "blob", codec.ZSTD, b"x" * 100, 100),
        "nothing": Item(WANTED, "blob", codec.ZSTD, b"", 0),
    }


BOMBS = bombs()


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=list(BOMBS))
def test_a_bomb_does_not_go_off(files: Files, bomb: Item) -> None:
    commit(files, blob(b"good"), loose=[put_pack(files, bomb)])
    refused(store_of(files), bomb.oid)


LISTS = {
    "nothing": [],
    "less than it says": [(CHUNK_ID, chunking.MAX_CHUNK)],
    "a chunk that is missing": [(CHUNK_ID, chunking.MAX_CHUNK), (hash_bytes(b"missing"), 100)],
    "another size than the chunk's": [(CHUNK_ID, chunking.MAX_CHUNK), (GOOD, 100)],
    "no chunk of this blob": [(CHUNK_ID, chunking.MAX_CHUNK), (GOOD, 4)],
    "itself": [(WANTED, chunking.MAX_CHUNK), (WANTED, 100)],
    "a chunk of no bytes": [(CHUNK_ID, chunking.MAX_CHUNK), (GOOD, 0), (GOOD, 4)],
    "a chunk that is too large": [(CHUNK_ID, 2 * chunking.MAX_CHUNK)],
    "another kind of object": [(CHUNK_ID, chunking.MAX_CHUNK), (Oid("00" * 32), 10)],
}


@pytest.mark.parametrize("chunks", LISTS.values(), ids=list(LISTS))
def test_a_list_of_chunks_that_lies_is_refused(files: Files, chunks: list[tuple[Oid, int]]) -> None:
    tree = Item(Oid("00" * 32), "tree", codec.RAW, b'{"entries":[]}', 14)
    for size in (None, chunking.MAX_CHUNK + 100, 100 * 10**9):
        wanted = in_chunks(chunks, WANTED, size)
        store_in = put_pack(files, blob(b"good"), blob(CHUNK), wanted, tree)
        commit(files, loose=[store_in])
        store = store_of(files)
        with pytest.raises((DamagedError, UnknownName)):
            for _ in store.iter_read(WANTED):
                pass
        with pytest.raises(ArtError):
            store.verify(WANTED)
        assert store.read(GOOD, "blob") == b"good"


def test_chunks_that_are_cut_again_are_refused_however_deep(files: Files) -> None:
    """A chunk is never cut itself: else a few kilobytes would make a blob without end."""
    part = chunking.MAX_CHUNK
    items, inner = [blob(b"good"), blob(CHUNK)], CHUNK_ID
    for level in range(5):
        outer = WANTED if level == 4 else hash_bytes(b"%d" % level)
        items.append(in_chunks([(inner, part)] * 1000, outer))
        inner = outer
    items.append(in_chunks([(WANTED, part)] * 100, inner := hash_bytes(b"round and round")))
    commit(files, loose=[put_pack(files, *items)])
    for oid in (WANTED, inner):
        with pytest.raises(DamagedError, match="as chunks"):
            store_of(files).read(oid, "blob")
    assert store_of(files).read(GOOD, "blob") == b"good"


def test_a_chunk_stored_whole_as_well_is_read_where_it_is_whole(files: Files) -> None:
    data = CHUNK + b"the rest"
    false = put_pack(files, in_chunks([(CHUNK_ID, chunking.MAX_CHUNK)] * 2, CHUNK_ID))
    good = put_pack(
        files, blob(CHUNK), blob(b"the rest"),
        in_chunks([(CHUNK_ID, chunking.MAX_CHUNK), (hash_bytes(b"the rest"), 8)], hash_bytes(data)),
    )  # fmt: skip
    for loose in ([good, false], [false, good]):
        commit(files, loose=loose)
        assert store_of(files).read(hash_bytes(data), "blob") == data


def test_only_blobs_are_kept_in_chunks(files: Files) -> None:
    tree = dataclasses.replace(in_chunks([(CHUNK_ID, chunking.MAX_CHUNK), (GOOD, 4)], WANTED), kind="tree")
    commit(files, blob(b"good"), loose=[put_pack(files, blob(CHUNK), tree)])
    with pytest.raises(DamagedError, match=r"list of chunks where none should be|as chunks"):
        store_of(files).read(WANTED, "tree")


def test_a_segment_that_names_packs_that_are_nowhere_hides_nothing(files: Files) -> None:
    good = put_pack(files, blob(b"good"))
    [row] = rows_of(files, good)
    elsewhere = PackName("packs/00/" + "00" * 32)
    index = write_segment(files, [([elsewhere], table.pack_row(row)), ([good], table.pack_row(row))])
    commit(files, segments=[index])
    store = store_of(files)
    assert store.has(GOOD)
    assert store.read(GOOD, "blob") == b"good"
