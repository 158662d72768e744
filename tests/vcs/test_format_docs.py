"""Every example in docs/format is computed again: the pages say what the bytes are."""

from __future__ import annotations

import dataclasses
import os
import re
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import pytest

from artvcs.vcs import worktree
from artvcs.vcs.changes import gathering, intents, journal, publish
from artvcs.vcs.maps import ref_names, runs, trees
from artvcs.vcs.maps.refs import REFS, RefMap
from artvcs.vcs.maps.steps import FEW, LARGE, MANY_MARKS, STEPS
from artvcs.vcs.objects import canonical, limits, nodes, values
from artvcs.vcs.objects import kinds as objects
from artvcs.vcs.objects.kinds import Commit, Op, Run, StepRun, Version
from artvcs.vcs.objects.nodes import Entry, RefsNode, StepsNode, Tree
from artvcs.vcs.objects.oid import NULL, Oid, hash_bytes
from artvcs.vcs.objects.records import Record
from artvcs.vcs.storage.layout import CLEANED, FORMAT_VERSION, ROOT, Layout, op_name, pack_name
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.op_log import OpLog
from artvcs.vcs.storage.packs import chunking, codec, pack, segment, table
from artvcs.vcs.storage.packs.pack import Item, Pack
from artvcs.vcs.storage.packs.segment import Segment
from artvcs.vcs.storage.store import ObjectStore
from artvcs.vcs.trust import proofs

R = TypeVar("R", bound=Record)

FORMAT = Path(__file__).parents[2] / "docs" / "format"
PAGES = {path.name: path.read_text() for path in FORMAT.glob("*.md")}
OBJECTS = re.findall(r"^```json (\w+) ([0-9a-f]{64})\n(.*?)\n```$", "".join(PAGES.values()), re.MULTILINE | re.DOTALL)
INTENTS = [
    canonical.loads(text.encode())
    for text in re.findall(r"^```json intent\n(.*?)\n```$", PAGES["journal.md"], re.MULTILINE)
]
HELLO = b"hello\n"


def example(kind: str, cls: type[R]) -> R:
    """The last example of a kind of record."""
    return [cls.decode(text.encode()) for of, _, text in OBJECTS if of == kind][-1]


def hex_block(page: str) -> bytes:
    [block] = re.findall(r"^```hex\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)
    return bytes.fromhex(block)


def named(page: str) -> Oid:
    """The name that a page gives to its example."""
    [name] = re.findall(r"[Tt]he name is `([0-9a-f]{64})`|Its name is `([0-9a-f]{64})`", PAGES[page])
    return Oid("".join(name))


def test_every_kind_of_record_has_an_example() -> None:
    assert {kind for kind, _, _ in OBJECTS} >= set(table.KINDS) - {"blob"}


@pytest.mark.parametrize(("kind", "oid", "text"), OBJECTS, ids=[kind for kind, _, _ in OBJECTS])
def test_an_object_is_canonical_and_has_the_id_the_page_says(kind: str, oid: str, text: str) -> None:
    assert canonical.dumps(canonical.loads(text.encode())) == text.encode()
    assert hash_bytes(text.encode(), kind) == oid
    classes: dict[str, type[Record] | None] = {"refs": RefsNode, "steps": StepsNode, "step": StepRun, "format": None}
    cls = classes.get(kind, getattr(objects, kind.capitalize(), None))
    if cls is not None:
        assert cls.decode(text.encode()).oid == oid


def described(page: str, section: str) -> dict[str, str]:
    """Field → type, as the table in a section of a page says."""
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \| .+ \|$", section_of(page, section), re.MULTILINE))


def section_of(page: str, section: str) -> str:
    """The text of a section of a page, without those below it."""
    sections = re.findall(r"^##+ ([\w-]+)\n(.*?)(?=^##|\Z)", PAGES[page], re.MULTILINE | re.DOTALL)
    return str(dict(sections)[section])


def fields(cls: type[Record]) -> dict[str, str]:
    hints = get_type_hints(cls)
    return {
        field.name: in_words(hints[field.name]) + "; *later*" * (field.name in cls.LATER)
        for field in dataclasses.fields(cls)
    }


def test_every_field_of_every_record_is_described() -> None:
    for cls in vars(objects).values():
        if isinstance(cls, type) and issubclass(cls, Record) and cls is not Record:
            assert described("objects.md", cls.KIND or cls.__name__) == fields(cls), cls


def test_every_field_of_a_journal_and_of_every_intent_is_described() -> None:
    assert described("journal.md", "Checkpoint") == fields(journal.Checkpoint)
    for name, cls in intents.INTENTS.items():
        assert {
            field: kind.replace("objects.md#", "#") for field, kind in described("journal.md", name).items()
        } == fields(cls), name


def in_words(hint: Any) -> str:
    """A field's type as the page names it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return "any"
    if hint is Oid:
        return "id"
    if origin in (Union, types.UnionType):
        return f"{in_words(arguments[0])} or null"
    if origin in (tuple, Sequence):
        return f"list of {in_words(arguments[0])}"
    if origin is not None:
        return f"object of {in_words(arguments[1])}"
    if issubclass(hint, Record):
        return f"[{hint.__name__}](#{hint.KIND or hint.__name__.lower()})"
    return {str: "text", int: "integer", bool: "boolean"}[hint]


def heights(text: str, salt: str, bits: int) -> dict[str, int]:
    """The keys that a text tells the heights of, which are checked."""
    rows = re.findall(r"^\| `(\S+)` \| `([0-9a-f]{16})` \| (\d) \|$", text, re.MULTILINE)
    assert len(rows) >= 3
    for key, first, height in rows:
        number = int(first, 16)
        assert hash_bytes(key.encode(), salt).startswith(first)
        assert ((number & -number).bit_length() - 1) // bits == int(height)
    return {key: int(height) for key, _, height in rows}


def test_the_heights_of_keys() -> None:
    for key, height in heights(PAGES["refs.md"], "ref", REFS.bits).items():
        assert ends_its_leaf(key) == (height > 0)


def test_the_nodes_of_steps() -> None:
    for name, height in heights(section_of("objects.md", "steps"), "step-name", 6).items():
        assert STEPS.height(name) == height
    leaf, above = [StepsNode.decode(text.encode()) for kind, _, text in OBJECTS if kind == "steps"]
    step = example("step", StepRun)
    assert leaf.entries == (("total", step),)
    assert above.entries[-1] == ("total", leaf.oid, 1)
    assert example("run", Run).steps == {"total": step}
    assert f"more than {FEW}, or" in PAGES["objects.md"]
    assert f"more than {LARGE >> 10} KiB or more than {MANY_MARKS:,} commas" in PAGES["objects.md"]


def test_the_nodes_of_trees() -> None:
    for name, height in heights(section_of("objects.md", "tree"), "tree-name", 7).items():
        assert trees.ends_leaf(name) == (height > 0)
    small, root = [Tree.decode(text.encode()) for kind, _, text in OBJECTS if kind == "tree"]
    [file] = (Entry._make(entry) for entry in small.entries)
    files, made = MemoryFiles(), []
    store = ObjectStore(files, OpLog(files))

    def put(node: Tree) -> Oid:
        made.append(node)
        return node.oid

    trees.write(store, [file._replace(name=f"{number:03}.txt") for number in range(120)], put)
    assert made[-1] == root


def ends_its_leaf(key: str) -> bool:
    """Whether a greater key comes into another leaf than this one."""
    last: str = map_of({key: NULL, "b" + key: NULL})[0].entries[-1][0]
    return last == key


def map_of(refs: dict[str, Oid]) -> list[RefsNode]:
    """The nodes of a map, as they are made: leaves first, the root last."""
    files, made = MemoryFiles(), []
    store = ObjectStore(files, OpLog(files))

    def put(node: RefsNode) -> Oid:
        made.append(node)
        store.remember(node.oid, node)
        return node.oid

    RefMap(store, None).update(refs, put)
    return made


def test_the_nodes_of_refs() -> None:
    leaf, above = [RefsNode.decode(text.encode()) for kind, _, text in OBJECTS if kind == "refs"]
    version, run = example("version", Version), example("run", Run)
    [commit] = [oid for kind, oid, _ in OBJECTS if kind == "commit"]
    refs = {
        ref_names.version("total", 1): version.oid,
        ref_names.value("total", version.artifact, 1): NULL,
        ref_names.newest("total"): version.artifact,
        # As older repositories spell it.
        ref_names.result(Oid("0" * 64), example("commit", Commit).trace): Oid(commit),
        ref_names.run(run.run): run.oid,
        **dict.fromkeys(runs.marks(run), NULL),
    }
    assert map_of(refs) == [leaf]
    assert map_of(dict.fromkeys([ref_names.version("total", number) for number in (44, 45)], version.oid))[-1] == above
    assert example("op", Op).state.refs == leaf.oid


def test_every_kind_of_ref_is_described() -> None:
    assert ref_names.__doc__ is not None
    kinds = {line.split("/")[0].strip() for line in ref_names.__doc__.splitlines() if "→" in line}
    assert {
        ref.split("/")[0] for ref in re.findall(r"^\| `([\w-]+/[A-Z].*?)` \|", PAGES["refs.md"], re.MULTILINE)
    } == kinds


def test_the_limits_are_the_ones_the_pages_name() -> None:
    one, record, many = chunking.MAX_CHUNK >> 20, codec.MAX_SIZE >> 20, chunking.MAX_LIST >> 20
    assert (
        f"more than {one} MiB for a blob, or {record} MiB for a record, and a list of more than {many} MiB"
        in (PAGES["packs.md"])
    )
    assert f"blobs of more than {one} MiB" in PAGES["packs.md"]
    assert f"at most {one} MiB, and so is never cut itself" in PAGES["packs.md"]
    assert f"its last {pack.TRAILER_SIZE} bytes" in PAGES["packs.md"]
    assert codec.MAX_SIZE == limits.MAX_RECORD
    assert f"more than {gathering.INLINE >> 10} KiB is put at its place" in PAGES["README.md"]
    assert f"much more than {gathering.PACK_SIZE >> 20} MiB" in PAGES["README.md"]
    assert f"when {publish.MAX_LOOSE} packs or more" in PAGES["README.md"]
    assert f"the {publish.RECENT} ops before" in PAGES["objects.md"]
    assert f"divided by {REFS.bits}," in PAGES["refs.md"]
    assert f"{limits.MAX_RECORD >> 20} MiB, and {limits.MAX_ITEMS:,} commas" in PAGES["objects.md"]
    assert f"at most {nodes.MAX_LEVEL} " in PAGES["objects.md"]
    assert f"at most {worktree.MAX_DEPTH} deep" in PAGES["objects.md"]
    assert f"| {limits.MAX_DEPTH}; {limits.MAX_VALUE_DEPTH} |" in PAGES["objects.md"]
    assert f"| {limits.MAX_KEY_DEPTH} |" in PAGES["objects.md"]
    assert f"| {limits.MAX_ALIKE} |" in PAGES["objects.md"]
    assert f"| {limits.MAX_DIGITS} |" in PAGES["objects.md"]
    assert f"| {limits.MAX_TEXT:,} characters; {limits.MAX_REPORT:,} |" in PAGES["objects.md"]
    assert f"| {limits.MAX_NAME} bytes" in PAGES["objects.md"]
    assert f"{chunking.AVERAGE >> 10} KiB on average" in PAGES["packs.md"]


def test_a_blobs_id_is_the_plain_hash() -> None:
    assert hash_bytes(HELLO) in PAGES["objects.md"]


def test_the_typed_values() -> None:
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \|$", PAGES["objects.md"], re.MULTILINE)
    examples = [(value, encoded) for value, encoded in rows if value not in table.KINDS]
    assert len(examples) >= 9
    for value, encoded in examples:
        assert canonical.dumps(values.encode(eval(value))).decode() == encoded


def test_the_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    data = pack.pack_bytes([Item(hash_bytes(HELLO), "blob", codec.RAW, HELLO, len(HELLO))])
    assert data == hex_block("packs.md")
    assert pack.pack_id(data) == hash_bytes(data[-pack.TRAILER_SIZE :], "pack-name") == named("packs.md")


def the_pack() -> tuple[MemoryFiles, Pack]:
    """The example of a pack, at its place."""
    files, name = MemoryFiles(), pack_name(named("packs.md"))
    files.put(name, hex_block("packs.md"))
    return files, Pack.open(files, name)


def test_the_hashes_in_a_pack() -> None:
    files, found = the_pack()
    data = hex_block("packs.md")
    rows = data[found.end : -pack.TRAILER_SIZE]
    assert data[-64:-32].hex() == hash_bytes(data[: found.end], "pack")
    assert data[-32:].hex() == hash_bytes(rows + found.end.to_bytes(8, "little"), "pack-table")
    assert found.whole(files)


def test_the_index_segment() -> None:
    _, found = the_pack()
    packs = [pack_name(named("packs.md")), op_name(1)]
    data = segment.build([(packs[:1], found.table.raw()), (packs[1:], b"")], frozenset())
    assert (hash_bytes(data, "index"), data) == (named("index.md"), hex_block("index.md"))
    assert Segment(named("index.md"), data).packs == sorted(packs)
    assert example("op", Op).state.segments == (named("index.md"),)


def test_the_ops_follow_each_other() -> None:
    first, second = [Op.decode(text.encode()) for kind, _, text in OBJECTS if kind == "op"]
    assert (first.seq, first.parent, first.state.refs) == (1, None, None)
    assert (second.seq, second.parent) == (2, first.oid)
    assert second.state.recent == (first.nonce,)
    assert [op.state.loose for op in (first, second)] == [(op_name(1),), (op_name(2),)]


def test_the_format_file() -> None:
    [(_, check, text)] = [each for each in OBJECTS if each[0] == "format"]
    assert canonical.loads(text.encode()) == dict.fromkeys(["read", "write", "gc"], FORMAT_VERSION)
    assert check == hash_bytes(text.encode(), "format")
    assert f"Version {FORMAT_VERSION}." in PAGES["README.md"]


def test_there_is_an_example_of_every_intent() -> None:
    assert {each["intent"] for each in INTENTS} == set(intents.INTENTS)
    for each in INTENTS:
        assert intents.encode(intents.decode(each)) == each


def test_the_journals_line() -> None:
    [line] = re.findall(r"^```text\n(.*?\n)```$", PAGES["journal.md"], re.MULTILINE | re.DOTALL)
    checkpoint = journal.parse_line(line.encode())
    assert checkpoint is not None
    assert checkpoint.end == the_pack()[1].end
    assert checkpoint.pack == hash_bytes(hex_block("packs.md")[: checkpoint.end], "pack")
    assert [intents.encode(each) for each in journal.intents_of([checkpoint])] == INTENTS[:2]


def test_the_proof_of_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(os, "urandom", bytes)
    proofs.trust(Layout(tmp_path), [Oid("0" * 64)])
    proof = hex_block("README.md")
    assert (tmp_path / "trust" / proof.hex()[:2]).read_bytes() == proof


def test_every_file_of_a_repository_is_listed() -> None:
    layout = Layout(Path("x"))
    listed = re.findall(r"^\| `([^`/]+)", PAGES["README.md"], re.MULTILINE)
    names = {path.name for path in vars(layout).values() if isinstance(path, Path) and path != layout.folder}
    assert {*names, ROOT, CLEANED} == {name for name in listed if not name.isdigit()}
    assert sorted(listed) == sorted(set(listed))
