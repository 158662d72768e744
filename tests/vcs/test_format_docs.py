"""Every example in docs/format is computed again: the pages say what the bytes are."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import pytest

from artvcs.vcs import canonical, journal, pack, values
from artvcs.vcs.index import Index, Segment
from artvcs.vcs.layout import Layout
from artvcs.vcs.oid import Oid, hash_bytes

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
    from artvcs.vcs import objects

    assert canonical.dumps(canonical.loads(text.encode())) == text.encode()
    assert hash_bytes(text.encode(), kind) == oid
    classes = {"refs": objects.RefsNode, "root": None}
    cls = classes.get(kind, getattr(objects, kind.capitalize(), None))
    if cls is not None:
        assert cls.decode(text.encode()).oid == oid


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


def test_every_file_of_a_repository_is_listed() -> None:
    layout = Layout(Path("x"))
    paths = [value for value in vars(layout).values() if isinstance(value, Path) and value != layout.folder]
    for path in paths:
        assert f"`{path.relative_to('x').as_posix()}" in PAGES["README.md"] or f"{path.name}/`" in PAGES["README.md"], (
            path
        )
