"""The journal: whole lines count, a torn one never does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.changes.journal import Checkpoint, Journal, parse_line, together
from artvcs.vcs.objects.oid import hash_bytes
from artvcs.vcs.storage import durable

from ..helpers import version_of

ID, OTHER = hash_bytes(b"one"), hash_bytes(b"other")
LINES = [
    Checkpoint(100, hash_bytes(b"", "pack"), "first", {"tags/a": ID, "tags/b": ID}, (version_of("model", ID, 1),)),
    Checkpoint(200, hash_bytes(b"x", "pack"), "second\n", {"tags/a": None}, (version_of("model", OTHER, 2),)),
    Checkpoint(300, hash_bytes(b"y", "pack"), "third", {"tags/c": OTHER}, (), OTHER),
]


def journal(path: Path) -> Journal:
    found = Journal.lock(path)
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


def test_later_lines_stand_on_top_of_earlier_ones() -> None:
    edits = together(LINES)
    assert edits.refs == {"tags/a": None, "tags/b": ID, "tags/c": OTHER}
    assert list(edits.versions) == [("model", ID), ("model", OTHER)]


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
    one.append(LINES[2])
    one.close()
    path.write_bytes(path.read_bytes() + b"x" * 5000)
    one = journal(path)
    one.read()
    one.append(LINES[1])
    one.close()
    assert path.read_bytes().endswith(b"}\n")
    assert journal(path).read() == [LINES[2], LINES[1]]


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
    assert Journal.lock(path) is None
    alive.close()
    assert Journal.lock(path) is not None
