"""Every example in docs/format is computed again: the pages say what the bytes are."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import secrets
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from artvcs.vcs.refs.map import RefMap
from artvcs.vcs.storage.segments import Index, Segment

from artvcs.pipelines import trust
from artvcs.vcs import worktree
from artvcs.vcs.changes import journal
from artvcs.vcs.errors import ArtError
from artvcs.vcs.objects import canonical, limits, values
from artvcs.vcs.objects import kinds as objects
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.objects.records import Record
from artvcs.vcs.storage import chunking, codec, pack
from artvcs.vcs.storage.layout import Layout
from artvcs.vcs.storage.store import ObjectStore

FORMAT = Path(__file__).parents[2] / "docs" / "format"
PAGES = {path.name: path.read_text() for path in FORMAT.glob("*.md")}
OBJECTS = re.findall(r"^```json (\w+) ([0-9a-f]{64})\n(.*?)\n```$", "".join(PAGES.values()), re.MULTILINE | re.DOTALL)
HELLO = b"hello\n"


def hex_block(page: str) -> bytes:
    [block] = re.findall(r"^```hex\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)
    return bytes.fromhex(block)


def named(page: str) -> Oid:
    """The name that a page gives to its example."""
    [name] = re.findall(r"[Tt]he name is `([0-9a-f]{64})`|Its name is `([0-9a-f]{64})`", PAGES[page])
    return Oid("".join(name))


def test_every_kind_of_record_has_an_example() -> None:
    assert {kind for kind, _, _ in OBJECTS} >= set(pack.KINDS) - {"blob"}


@pytest.mark.parametrize(("kind", "oid", "text"), OBJECTS, ids=[kind for kind, _, _ in OBJECTS])
def test_an_object_is_canonical_and_has_the_id_the_page_says(kind: str, oid: str, text: str) -> None:
    assert canonical.dumps(canonical.loads(text.encode())) == text.encode()
    assert hash_bytes(text.encode(), kind) == oid
    classes = {"refs": objects.RefsNode, "root": None}
    cls = classes.get(kind, getattr(objects, kind.capitalize(), None))
    if cls is not None:
        assert cls.decode(text.encode()).oid == oid


def test_every_field_of_every_record_is_described() -> None:
    sections = dict(re.findall(r"^##+ (\w+)\n(.*?)(?=^##|\Z)", PAGES["objects.md"], re.MULTILINE | re.DOTALL))
    for cls in vars(objects).values():
        if not (isinstance(cls, type) and issubclass(cls, Record)) or cls is Record:
            continue
        section = sections[cls.KIND or cls.__name__]
        described = re.findall(r"^\| `(\w+)` \| (.*?) \| .+ \|$", section, re.MULTILINE)
        hints = get_type_hints(cls)
        assert dict(described) == {field.name: in_words(hints[field.name]) for field in dataclasses.fields(cls)}


def in_words(hint: Any) -> str:
    """A field's type as the page names it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return "any"
    if hint is Oid:
        return "id"
    if origin in (Union, types.UnionType):
        return f"{in_words(arguments[0])} or null"
    if origin is tuple:
        return f"list of {in_words(arguments[0])}"
    if origin is not None:
        return f"object of {in_words(arguments[1])}"
    if issubclass(hint, Record):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return {str: "text", int: "integer", bool: "boolean"}[hint]


def test_the_heights_of_keys() -> None:
    rows = re.findall(r"^\| `(\S+)` \| `([0-9a-f]{16})` \| (\d) \|$", PAGES["refs.md"], re.MULTILINE)
    assert len(rows) >= 3
    for key, first, height in rows:
        number = int(first, 16)
        assert hash_bytes(key.encode(), "ref").startswith(first)
        assert ((number & -number).bit_length() - 1) // 5 == int(height)
        assert ends_its_leaf(key) == (int(height) > 0)


def ends_its_leaf(key: str) -> bool:
    """Whether a greater key comes into another leaf than this one."""
    made: list[objects.RefsNode] = []

    def put(node: objects.RefsNode) -> Oid:
        made.append(node)
        return node.oid

    store = ObjectStore(Layout(Path("nowhere")), lambda: None)
    greater = "b" + key
    with contextlib.suppress(ArtError):
        RefMap(store, None).update(dict.fromkeys([key, greater], hash_bytes(b"")), put)
    return made[0].entries[-1][0] == key


def test_the_limits_are_the_ones_the_pages_name() -> None:
    assert f"{codec.MAX_SIZE >> 20} MiB" in PAGES["packs.md"]
    assert f"{limits.MAX_RECORD >> 20} MiB, and {limits.MAX_ITEMS:,} commas" in PAGES["objects.md"]
    assert f"at most {objects.MAX_REFS_LEVEL} " in PAGES["objects.md"]
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
    examples = [(value, encoded) for value, encoded in rows if value not in pack.KINDS]
    assert len(examples) >= 9
    for value, encoded in examples:
        assert canonical.dumps(values.encode(eval(value))).decode() == encoded


def test_the_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_bytes", bytes)
    path = tmp_path / "example.pack"
    writer = pack.PackWriter(path, os.open(path, os.O_RDWR | os.O_CREAT))
    writer.add(hash_bytes(HELLO), "blob", 0, HELLO, len(HELLO))
    assert writer.finish() == named("packs.md")
    assert path.read_bytes() == hex_block("packs.md")
    assert hash_bytes(hex_block("packs.md"), "pack") == named("packs.md")


def test_the_index_segment(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for folder in layout.folders():
        folder.mkdir(exist_ok=True)
    (tmp_path / "example").write_bytes(hex_block("packs.md"))
    Index(layout).add_pack(named("packs.md"), pack.read_table(tmp_path / "example"))
    [written] = [path for path in layout.index.iterdir() if path.is_file()]
    assert (written.name, written.read_bytes()) == (named("index.md"), hex_block("index.md"))
    assert Segment.open(written).packs == [named("packs.md")]


def test_the_journals_line() -> None:
    [line] = re.findall(r"^```text\n(.*?\n)```$", PAGES["journal.md"], re.MULTILINE | re.DOTALL)
    checkpoint = journal.parse_line(line.encode())
    assert checkpoint is not None
    assert checkpoint.pack == named("packs.md")
    assert checkpoint.end == len(hex_block("packs.md"))


def test_the_proof_of_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(secrets, "token_bytes", bytes)
    trust.trust(Layout(tmp_path), [Oid("0" * 64)])
    proof = hex_block("README.md")
    assert (tmp_path / "trust" / proof.hex()[:2]).read_bytes() == proof


def test_every_file_of_a_repository_is_listed() -> None:
    layout = Layout(Path("x"))
    paths = [value for value in vars(layout).values() if isinstance(value, Path) and value != layout.folder]
    for path in paths:
        assert f"`{path.relative_to('x').as_posix()}" in PAGES["README.md"] or f"{path.name}/`" in PAGES["README.md"], (
            path
        )
