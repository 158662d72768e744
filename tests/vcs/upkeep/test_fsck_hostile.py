"""Repositories that somebody forged: fsck names what is wrong with them, soon and in little memory."""

from __future__ import annotations

import dataclasses
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from artvcs.vcs.changes.intents import AddVersion, EditVersion
from artvcs.vcs.changes.journal import Checkpoint, as_lines
from artvcs.vcs.changes.publish import MAX_LOOSE
from artvcs.vcs.errors import DamagedError, StorageError
from artvcs.vcs.maps import versions
from artvcs.vcs.maps.trees import as_entry
from artvcs.vcs.objects.kinds import Artifact
from artvcs.vcs.objects.nodes import FILE, FOLDER, Entry, Tree
from artvcs.vcs.objects.oid import NULL, Oid, hash_bytes
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.layout import LAST_OP, PackName, op_name
from artvcs.vcs.storage.packs import chunking, codec, pack, table
from artvcs.vcs.storage.packs.op_file import Entry as LogEntry
from artvcs.vcs.storage.packs.pack import RECORD_SIZE, Item, Pack
from artvcs.vcs.storage.packs.table import Location
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.mend.repair import repair

from ..helpers import artifact_of, problems, put_text, tags, version_of
from ..storage.making import LIES, blob, commit, in_chunks, noise, put_pack, rows_of, write_segment

GOOD = hash_bytes(b"good")
TEXT = b"text " * 100


@pytest.fixture
def files(repository: Repository) -> Files:
    put_text(repository, "tags/good", "good")
    return repository.store.files


@pytest.fixture(autouse=True)
def _cheap(files: Files) -> Iterator[None]:
    """What a stranger's bytes may cost: processor time, for other things may go on on this machine."""
    tracemalloc.start()
    began = time.process_time()
    yield
    assert time.process_time() - began < 5  # tracing takes most of it
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()


def found(folder: Path, files: Files, *items: Item, rows: list[Location] | None = None) -> str:
    """What fsck says of a pack with these objects."""
    name = put_pack(files, *items, rows=rows)
    commit_with(files, name)
    return "\n".join(problem for problem in problems(folder) if name in problem or "reference" in problem)


def commit_with(files: Files, *names: PackName, segments: tuple[Oid, ...] = ()) -> None:
    commit(files, loose=names, segments=segments)


def record(kind: str, text: bytes) -> Item:
    """Bytes that pass for a record, under their right id."""
    return Item(hash_bytes(text, kind), kind, codec.RAW, text, len(text))


@pytest.mark.parametrize("lie", LIES)
def test_a_row_that_lies(folder: Path, files: Files, lie: str) -> None:
    name = put_pack(files, blob(TEXT))
    rows = [dataclasses.replace(row, **LIES[lie]) for row in rows_of(files, name)]
    assert "its table does not list its records" in found(folder, files, blob(TEXT), rows=rows)


@pytest.mark.parametrize("lie", [lie for lie in LIES if "offset" not in LIES[lie]])
def test_a_record_that_lies(folder: Path, files: Files, lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    header = pack.record_header

    def lying(at: Location) -> bytes:
        return header(dataclasses.replace(at, **LIES[lie]))

    monkeypatch.setattr(pack, "record_header", lying)
    data = pack.pack_bytes([blob(TEXT)])
    monkeypatch.undo()
    name = PackName(f"packs/{(oid := pack.pack_id(data))[:2]}/{oid}")
    files.put(name, data)
    commit_with(files, name)
    assert any(name in problem for problem in problems(folder))


@pytest.mark.parametrize("rows", [10**9, 2**63, 2**64 - 1])
def test_a_table_that_ends_nowhere(folder: Path, files: Files, rows: int) -> None:
    data = bytearray(pack.pack_bytes([blob(TEXT)]))
    data[-pack.TRAILER_SIZE + 8 : -pack.TRAILER_SIZE + 16] = rows.to_bytes(8, "little")
    name = PackName(f"packs/{(oid := pack.pack_id(bytes(data)))[:2]}/{oid}")
    files.put(name, bytes(data))
    commit_with(files, name)
    assert any(problem.startswith(f"{name}: is truncated, or its end is damaged") for problem in problems(folder))


def test_a_pack_that_lists_an_id_that_it_does_not_hold(folder: Path, files: Files) -> None:
    assert "does not match its id" in found(folder, files, blob(TEXT, Oid("ab" * 32)))


def test_small_frames_that_expand_to_much(folder: Path, files: Files) -> None:
    """A hundred of them: each is sound, and of no more than a blob in one piece may have."""
    zeros = b"\0" * chunking.MAX_CHUNK
    items = [squeezed_blob(bytes([number]) + zeros[1:]) for number in range(100)]
    assert found(folder, files, *items) == ""
    too_much = b"\0" * (4 * chunking.MAX_CHUNK)
    assert "no blob in one piece has more" in found(folder, files, squeezed_blob(too_much))


def squeezed_blob(data: bytes) -> Item:
    return Item(hash_bytes(data), "blob", *codec.compress(data), len(data))


def test_lists_of_chunks_that_make_nothing(folder: Path, files: Files) -> None:
    chunk = noise(chunking.MAX_CHUNK)
    chunk_id = hash_bytes(chunk)
    forged = in_chunks([(chunk_id, len(chunk))] * 3, Oid("ab" * 32))
    assert "Its chunks do not make it" in found(folder, files, blob(chunk), forged)
    terabytes = in_chunks([(chunk_id, len(chunk))], Oid("cd" * 32), 10**15)
    assert "list of chunks is damaged" in found(folder, files, blob(chunk), terabytes)
    itself = in_chunks([(Oid("ef" * 32), chunking.MAX_CHUNK)] * 2, Oid("ef" * 32))
    found(folder, files, itself)  # nothing refers to it, and it is refused when it is read


def test_records_that_overlap(folder: Path, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row is another record inside the first one's bytes: reading them all would take hours."""
    body = noise(1 << 20)
    inner = [
        Location(Oid(f"{number:064x}"), "blob", codec.RAW, 32 + RECORD_SIZE + number, 900_000, 900_000)
        for number in range(20_000)
    ]
    name = put_pack(files, blob(body), rows=inner)
    damaged = bytearray(files.read(name))
    damaged[-1] ^= 1
    name = PackName(f"packs/{(oid := pack.pack_id(bytes(damaged)))[:2]}/{oid}")
    files.put(name, bytes(damaged))
    commit_with(files, name)
    assert any(name in problem for problem in problems(folder))


def test_a_folder_of_100_to_the_7th_files(folder: Path, repository: Repository, files: Files) -> None:
    with repository.transaction("bomb") as transaction:
        below = Entry("x", FILE, transaction.put_blob(b"x"), 1)
        for _ in range(7):
            tree = Tree(0, tuple(below._replace(name=f"{number:03}") for number in range(100)))
            below = as_entry("x", transaction.put(tree), tree)
        transaction.set_ref("tags/bomb", below.id)
    assert problems(folder) == []


def test_a_folder_that_lies_about_what_is_below(folder: Path, repository: Repository, files: Files) -> None:
    with repository.transaction("lies") as transaction:
        text = transaction.put_blob(TEXT)
        inner = transaction.put(Tree(0, (Entry("text", FILE, text, len(TEXT)),)))
        transaction.set_ref("tags/size", transaction.put(Tree(0, (Entry("text", FILE, text, 10**15),))))
        transaction.set_ref("tags/below", transaction.put(Tree(0, (Entry("inner", FOLDER, inner, 1),))))
        transaction.set_ref("tags/kind", transaction.put(Tree(0, (Entry("inner", FILE, inner, len(TEXT)),))))
        transaction.set_ref("tags/type", transaction.put(Artifact("t", "m", 1, text, len(TEXT), False)))
    said = problems(folder)
    assert f"reference {text}: has 500 bytes, not {10**15}; tags/size needs it" in said
    assert f"reference {inner}: has 500 bytes, not 1; tags/below needs it" in said
    assert f"reference {inner}: is a tree, not a blob; tags/kind needs it" in said
    assert f"reference {text}: is a blob, not a tree; tags/type needs it" in said


@pytest.mark.parametrize("name", [".artifacts", ".git", "..", "a/b", "", "x" * 300])
def test_a_name_that_leads_out(folder: Path, files: Files, name: str) -> None:
    text = b'{"entries":[["%s","100644","%s",1,1]],"level":0}' % (name.encode(), GOOD.encode())
    assert "cannot be" in found(folder, files, record("tree", text))


@pytest.mark.long
@pytest.mark.parametrize(
    "text",
    [
        b'{"n":' + b"9" * 5_000_000 + b"}",
        b"[" * 1_000_000 + b"]" * 1_000_000,
        b"[" + b"[]," * 3_000_000 + b"[]]",
        b'{"a":1,"a":1}',
        b'"' + b"\xff" * 100 + b'"',
    ],
    ids=["an integer of five million digits", "deep", "many", "twice", "no Unicode"],
)
@pytest.mark.parametrize("kind", ["version", "commit", "run", "refs", "tree", "artifact"])
def test_a_record_that_is_none(folder: Path, files: Files, kind: str, text: bytes) -> None:
    assert f"{kind} " in found(folder, files, record(kind, text))


@pytest.mark.parametrize(
    "value",
    [{"$int": "9" * 5000}, {"$int": "1"}, {"$set": [1, 1]}, {"$float": "1e"}, {"$bytes": "?"}, {"$no": 1}],
    ids=["a long integer", "another spelling", "twice the same", "no float", "no bytes", "no type"],
)
def test_a_version_whose_metadata_says_nothing(repository: Repository, folder: Path, value: Any) -> None:
    with repository.transaction("add") as transaction:
        artifact = artifact_of(transaction, "value")
        sound = dataclasses.replace(version_of("model", artifact), metadata={"sound": {"$int": "9" * 4000}})
        transaction.add(AddVersion(sound, {}))
    assert problems(folder) == []
    with repository.transaction("forge") as transaction:
        transaction.add(EditVersion("model", artifact, {"forged": value}))
    assert any("cannot be understood" in found or "one encoding" in found for found in problems(folder))
    repair(folder)
    assert problems(folder) == []
    version = versions.by_number(repository.refs(), "model", 1)
    assert version is not None
    assert version.metadata == sound.metadata


def test_a_segment_that_lies(folder: Path, files: Files) -> None:
    name = put_pack(files, blob(TEXT))
    [row] = rows_of(files, name)
    lies = [
        table.pack_row(dataclasses.replace(row, stored=2**60)),
        table.pack_row(dataclasses.replace(row, oid=Oid("ab" * 32))),
    ]
    for lie in lies:
        segment = write_segment(files, [([name], lie)])
        commit_with(files, segments=(segment,))
        assert f"index/{segment}: does not list what {name} holds" in problems(folder)


def test_a_pack_whose_own_table_names_others_is_in_nobodys_way(
    repository: Repository, folder: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index takes in loose packs after some publishings; not this one, and repairing ends it."""
    with monkeypatch.context() as patch:
        patch.setattr(pack, "build", lambda entries: b"".join(table.renumbered(table.build(entries), [7])))
        name = put_pack(files, blob(TEXT))
    with repository.transaction("strange") as transaction:
        transaction.edit_state(lambda _, state: dataclasses.replace(state, loose=(name, *state.loose)))
    for number in range(2 * MAX_LOOSE):
        put_text(repository, f"tags/{number}", f"text {number}")
    gc.collect(repository)
    assert any(name in problem for problem in problems(folder))
    repair(folder)
    put_text(repository, "tags/after", "after")
    gc.collect(repository)
    assert problems(folder) == []


def test_it_can_all_be_repaired(folder: Path, files: Files) -> None:
    chunk = noise(chunking.MAX_CHUNK)
    forged = in_chunks([(hash_bytes(chunk), len(chunk))] * 3, Oid("ab" * 32))
    name = put_pack(files, blob(b"good"), blob(TEXT, Oid("cd" * 32)), record("tree", b"none"), blob(chunk), forged)
    commit_with(files, name)
    assert problems(folder)
    repair(folder)
    assert problems(folder) == []
    assert Repository(folder).store.read(GOOD, "blob") == b"good"
    assert Pack.open(files, f"quarantine/{name.replace('/', '-')}").table.rows > 0


# States, journals and refs that say what no writer says


def forge_state(repository: Repository, **fields: Any) -> None:
    """Publishes an op whose state says something else."""
    head = repository.store.refresh().entry
    seq = head.seq + 1
    state = dataclasses.replace(head.op.state, loose=(*head.op.state.loose, op_name(seq)))
    op = dataclasses.replace(head.op, seq=seq, parent=head.oid, state=dataclasses.replace(state, **fields))
    repository.store.files.create(op_name(seq), LogEntry.make(op, ()).data)


@pytest.mark.parametrize(
    "name", ["workspace/thesis.txt", "format", "cache.db", "../thesis.txt", "ops/2", "packs/ab/cd", "ops/" + "٣" * 12]
)
@pytest.mark.parametrize("field", ["condemned", "loose"])
def test_a_state_names_only_files_of_objects(repository: Repository, folder: Path, field: str, name: str) -> None:
    """A collector deletes what is condemned."""
    put_text(repository, "tags/good", "good")
    (folder / "workspace").mkdir()
    for place in (folder / "workspace" / "thesis.txt", folder.parent / "thesis.txt"):
        place.write_text("five years of work")
    forge_state(
        repository, **{field: {name: 1} if field == "condemned" else (name, *repository.store.snapshot.state.loose)}
    )
    assert problems(folder)
    with pytest.raises(DamagedError):
        gc.collect(Repository(folder))
    repair(folder)
    assert problems(folder) == []
    gc.collect(Repository(folder))
    assert (folder / "workspace" / "thesis.txt").exists()
    assert (folder.parent / "thesis.txt").exists()
    assert (folder / "format").exists()
    assert tags(Repository(folder)).keys() == {"tags/good"}


@pytest.mark.parametrize(
    "fields",
    [
        {"loose": tuple(f"packs/00/{number:064x}" for number in range(30_000))},
        {"segments": tuple(f"{number:064x}" for number in range(3_000))},
    ],
    ids=["loose", "segments"],
)
def test_a_state_names_no_more_files_than_writers_do(
    repository: Repository, folder: Path, fields: dict[str, Any]
) -> None:
    forge_state(repository, **fields)
    assert problems(folder)
    repair(folder)
    assert problems(folder) == []
    assert tags(Repository(folder)).keys() == {"tags/good"}


NULL_RUN = {"intent": "put-run", "run": NULL, "base": None}
WRONG_REF = {"intent": "set-ref", "ref": "artifacts/n/zz", "target": NULL}
NOWHERE = {"intent": "set-ref", "ref": "tags/x", "target": NULL}


@pytest.mark.parametrize(
    "fields",
    [
        {"packs": ("../thesis.txt",), "intents": (NOWHERE,)},
        {"seq": -1, "intents": (NOWHERE,)},
        {"end": -1, "intents": (NOWHERE,)},
        {"seq": 2**53 - 1, "intents": (NOWHERE,)},
        {"intents": (NULL_RUN,)},
        {"intents": (WRONG_REF, *as_lines([AddVersion(version_of("n", Oid("ab" * 32)), {})]))},
    ],
    ids=["a pack elsewhere", "before all", "negative", "after all", "no run", "a ref that is none"],
)
def test_a_forged_journal_stops_nobody(repository: Repository, folder: Path, fields: dict[str, Any]) -> None:
    given = {"end": 0, "pack": hash_bytes(b"", "pack"), "why": "", "packs": (), "intents": (), **fields}
    line = Checkpoint(**given)
    data = line.encode()
    (folder / "incoming" / "1-2-3.journal").write_bytes(hash_bytes(data, "journal").encode() + b" " + data + b"\n")
    put_text(repository, "tags/after", "after")
    assert {"tags/good", "tags/after"} <= tags(Repository(folder)).keys()
    gc.collect(repository)
    repair(folder)
    put_text(repository, "tags/again", "again")
    assert problems(folder) == []


@pytest.mark.long
def test_a_journal_of_many_lines_is_soon_read(repository: Repository, folder: Path) -> None:
    line = Checkpoint(0, hash_bytes(b"", "pack"), "", (), (), "nonce", 1)
    data = line.encode()
    whole = hash_bytes(data, "journal").encode() + b" " + data + b"\n"
    (folder / "incoming" / "1-2-3.journal").write_bytes(whole * 8_000)
    put_text(repository, "tags/after", "after")


def test_the_last_number_of_all(repository: Repository, folder: Path, files: Files) -> None:
    head = repository.store.refresh().entry
    for seq in (LAST_OP - 1, LAST_OP):
        state = dataclasses.replace(head.op.state, loose=(*head.op.state.loose, op_name(seq)))
        head = LogEntry.make(dataclasses.replace(head.op, seq=seq, parent=head.oid, state=state), ())
        files.create(op_name(seq), head.data)
    files.put("root", b"%d\n" % LAST_OP)
    files.create("cleaned", b"")
    with pytest.raises(StorageError, match="last number"):
        put_text(Repository(folder), "tags/after", "after")
    assert tags(Repository(folder)).keys() == {"tags/good"}


def test_a_state_that_names_none_of_the_files_it_needs(repository: Repository, folder: Path) -> None:
    """They are there all the same, and are taken in."""
    forge_state(repository, loose=(), segments=())
    assert problems(folder)
    repair(folder)
    assert problems(folder) == []
    assert tags(Repository(folder)).keys() == {"tags/good"}
