"""Small stores put together by hand: packs, ops and index segments, sound ones and forged ones."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from artvcs.vcs.objects.kinds import Op, State
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.objects.records import Record
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import PackName, op_name, pack_name, segment_name
from artvcs.vcs.storage.local import LocalFiles
from artvcs.vcs.storage.op_log import OpLog
from artvcs.vcs.storage.packs import chunking, codec, pack, segment
from artvcs.vcs.storage.packs.op_file import Entry
from artvcs.vcs.storage.packs.pack import RECORD_SIZE, Item, Pack
from artvcs.vcs.storage.packs.table import Location
from artvcs.vcs.storage.soundness import Memo
from artvcs.vcs.storage.store import ObjectStore

HEADER = 32
"""Where the first record of a pack starts."""

LIES: dict[str, dict[str, Any]] = {
    "huge stored": {"stored": 2**60},
    "100 GB stored": {"stored": 100 * 10**9},
    "stored beyond any number": {"stored": 2**64 - 1},
    "huge, but allowed": {"stored": 200 << 20},
    "beyond the end": {"offset": 10**9},
    "far beyond the end": {"offset": 2**63 - 1},
    "offset beyond any file": {"offset": 2**64 - 1},
    "inside another record": {"offset": 33},
    "100 GB": {"size": 100 * 10**9},
    "squeezed, 100 GB": {"size": 100 * 10**9, "codec": codec.ZSTD},
    "in chunks, 100 GB": {"size": 100 * 10**9, "codec": codec.CHUNKED},
    "an unknown codec": {"codec": 77},
    "another kind": {"kind": "tree"},
    "another id": {"oid": Oid("ab" * 32)},
}
"""What a row of a table may say falsely of an object."""


def noise(size: int, seed: int = 7) -> bytes:
    """Bytes that do not shrink, always the same."""
    return random.Random(seed).randbytes(size)


def blob(data: bytes, oid: Oid | None = None) -> Item:
    """A blob as it is stored uncompressed, under its own id or a false one."""
    return Item(oid or hash_bytes(data), "blob", codec.RAW, data, len(data))


def squeezed(record: Record) -> Item:
    """A record as it is stored."""
    data = record.encode()
    return Item(record.oid, record.KIND, *codec.compress(data), len(data))


def in_chunks(chunks: Sequence[tuple[Oid, int]], whole: Oid, size: int | None = None) -> Item:
    """A blob as a list of chunks, which may be false."""
    size = sum(length for _, length in chunks) if size is None else size
    return Item(whole, "blob", codec.CHUNKED, chunking.encode_list(list(chunks)), size)


def put_pack(files: Files, *items: Item, rows: Iterable[Location] | None = None) -> PackName:
    """A pack at its place; `rows` are what its table says, where that is not the truth."""
    data = pack.pack_bytes(items)
    if rows is not None:
        end = HEADER + sum(RECORD_SIZE + len(item.stored) for item in items)
        data = data[:end] + pack.ending(rows, end, hash_bytes(data[:end], "pack"))
    name = pack_name(pack.pack_id(data))
    files.put(name, data)
    return name


def rows_of(files: Files, name: PackName) -> list[Location]:
    """What a pack's table says."""
    return list(Pack.open(files, name).locations())


def put_segment(files: Files, *packs: PackName) -> Oid:
    """An index segment that lists these packs."""
    return write_segment(files, [([name], Pack.open(files, name).table.raw()) for name in packs])


def write_segment(files: Files, tables: Iterable[tuple[Sequence[PackName], segment.Rows]]) -> Oid:
    """An index segment of these rows, which may be false."""
    data = segment.build(tables, frozenset())
    oid = hash_bytes(data, "index")
    files.put(segment_name(oid), data)
    return oid


def commit(
    files: Files,
    *items: Item,
    segments: Sequence[Oid] = (),
    loose: Sequence[PackName] = (),
    condemned: Mapping[str, int] | None = None,
) -> Entry:
    """Publishes a state, with `items` in the op's own file."""
    log = OpLog(files)
    newest = log.newest()
    seq = 1 if newest is None else newest.seq + 1
    state = State(None, tuple(segments), (*loose, op_name(seq)), condemned or {}, 0, ())
    parent = None if newest is None else newest.oid
    entry = Entry.make(Op(seq, parent, state, f"{seq:016x}", "0" * 16, "A <a@example.org>", 0, "test"), items)
    if newest is None:
        assert log.begin(entry.data)
    else:
        log.commit(entry)
    return entry


def store_of(files: Files, memo: Memo | None = None) -> ObjectStore:
    """What reads it, as a process that has just begun does."""
    return ObjectStore(files, OpLog(files), memo)


def flip(files: Files, name: str, position: int, bit: int = 0x40) -> None:
    """Damages a file, as a failing disk does: nothing else about it changes."""
    data = bytearray(files.read(name))
    data[position] ^= bit
    if isinstance(files, LocalFiles):
        Path(files.path(name)).write_bytes(data)
    else:
        files.put(name, bytes(data))
