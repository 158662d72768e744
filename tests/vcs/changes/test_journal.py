"""The journal: whole lines count, a torn one never does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.changes.intents import (
    AddVersion,
    DeleteRun,
    DeleteVersion,
    EditRun,
    EditVersion,
    Intent,
    PutRun,
    SetRef,
    decode,
    encode,
)
from artvcs.vcs.changes.journal import Checkpoint, Journal, as_lines, intents_of, parse_line
from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import hash_bytes
from artvcs.vcs.storage.disk import durable
from artvcs.vcs.storage.layout import pack_name
from artvcs.vcs.upkeep.check.strangers import is_journal

from ..helpers import version_of

ID, OTHER = hash_bytes(b"one"), hash_bytes(b"other")
INTENTS: list[Intent] = [
    SetRef("tags/a", ID),
    SetRef("tags/a", None),
    AddVersion(version_of("model", ID), {"rows": {"int": 3}}),
    EditVersion("model", ID, {"score": {"float": "0.5"}}, tags=("good",), untag=("bad",), label="1.0"),
    DeleteVersion("model", 1, OTHER),
    PutRun(None, ID),
    PutRun(ID, OTHER),
    EditRun("r1", None, {"note": "x"}),
    EditRun("r1", "train", {}),
    DeleteRun("r1"),
]
LINES = [
    Checkpoint(100, hash_bytes(b"", "pack"), "first", (), as_lines(INTENTS[:2])),
    Checkpoint(0, hash_bytes(b"x", "pack"), "second\n", (pack_name(OTHER),), as_lines(INTENTS[2:])),
    Checkpoint(300, hash_bytes(b"y", "pack"), "third", (), (), "nonce", 7),
]


def journal(path: Path) -> Journal:
    found = Journal.take(path)
    assert found is not None
    return found


def written(path: Path) -> bytes:
    one = journal(path)
    for line in LINES:
        one.append(line)
    one.close()
    return path.read_bytes()


def test_lines_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    written(path)
    assert journal(path).read() == LINES


def test_what_is_meant_comes_back_in_order() -> None:
    assert intents_of(LINES) == INTENTS


@pytest.mark.parametrize(
    "content", [None, [], {}, {"intent": "destroy"}, {"intent": "set-ref"}, {"intent": ["set-ref"]}]
)
def test_what_is_no_intent_is_refused(content: object) -> None:
    with pytest.raises(DamagedError):
        decode(content)  # type: ignore[arg-type]


def test_an_intent_with_a_field_too_many_is_refused() -> None:
    with pytest.raises(DamagedError):
        decode({**encode(INTENTS[0]), "force": True})  # type: ignore[dict-item]


def test_what_was_published_is_forgotten_and_the_next_line_is_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    one = journal(path)
    one.append(LINES[0])
    one.clear()
    one.append(LINES[1])
    one.close()
    assert journal(path).read() == [LINES[1]]


@pytest.mark.parametrize("lines", [LINES, LINES[::-1], []], ids=["shorter", "of the same length", "the first"])
def test_a_new_beginning_is_the_only_line_at_each_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[Checkpoint]
) -> None:
    path = tmp_path / "a.journal"
    one = journal(path)
    for line in lines:
        one.append(line)
    with monkeypatch.context() as dying:
        dying.setattr(os, "ftruncate", lambda *_: None)
        one.begin_anew(LINES[2])
    one.close()
    assert is_journal(path)
    one = journal(path)
    assert one.read() == [LINES[2]]
    one.begin_anew(LINES[2])
    one.append(LINES[0])
    one.close()
    assert journal(path).read() == [LINES[2], LINES[0]]


def test_a_torn_last_line_is_as_if_never_written_wherever_it_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    data = written(path)
    ends = [number + 1 for number, byte in enumerate(data) if byte == ord("\n")]
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        one = journal(path)
        assert len(one.read()) == sum(end <= length for end in ends), length
        one.close()


def test_a_new_line_takes_the_place_of_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    data = written(path)
    path.write_bytes(data[:-5])
    one = journal(path)
    assert one.read() == LINES[:2]
    one.append(LINES[2])
    one.close()
    assert journal(path).read() == LINES
    assert path.read_bytes() == data


def test_a_shorter_line_leaves_nothing_of_a_longer_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    one = journal(path)
    one.append(LINES[0])
    one.close()
    path.write_bytes(path.read_bytes() + b"x" * 5000)
    one = journal(path)
    one.read()
    one.append(LINES[2])
    one.close()
    assert path.read_bytes().endswith(b"}\n")
    assert journal(path).read() == [LINES[0], LINES[2]]


def test_a_full_disk_in_the_middle_of_a_line_costs_only_that_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write_at = tmp_path / "a.journal", durable.write_at

    def half_then_full(fd: int, data: bytes, offset: int) -> None:
        write_at(fd, data[:30], offset)
        raise OSError(28, "No space left on device")

    one = journal(path)
    one.append(LINES[0])
    with monkeypatch.context() as full:
        full.setattr(durable, "write_at", half_then_full)
        with pytest.raises(OSError, match="No space"):
            one.append(LINES[1])
    one.append(LINES[2])
    one.close()
    assert journal(path).read() == [LINES[0], LINES[2]]


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    body = LINES[0].encode()
    line = LINES[0].oid.encode() + b" " + body + b"\n"
    assert parse_line(line) == LINES[0]
    position = data.draw(st.integers(0, len(line) - 1))
    changed = line[:position] + bytes([line[position] ^ data.draw(st.integers(1, 255))]) + line[position + 1 :]
    assert parse_line(changed) is None


def test_a_line_with_a_right_checksum_and_wrong_content_is_refused() -> None:
    for body in (b"[]", b"{}", b'{"end":"1"}', b"\xff"):
        assert parse_line(hash_bytes(body, "journal").encode() + b" " + body + b"\n") is None


def test_the_journal_of_a_living_process_cannot_be_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    alive = journal(path)
    assert Journal.take(path) is None
    alive.close()
    assert Journal.take(path) is not None
