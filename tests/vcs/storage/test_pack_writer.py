"""A pack on its way: readable at once, whole in the end, whatever the disk and other threads do."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.storage.disk import durable
from artvcs.vcs.storage.local import LocalFiles
from artvcs.vcs.storage.packs import pack, pack_writer
from artvcs.vcs.storage.packs.pack import Pack
from artvcs.vcs.storage.packs.pack_writer import PackWriter

from .making import blob


def fill(writer: PackWriter, *texts: bytes) -> list[Oid]:
    for text in texts:
        writer.add(blob(text))
    return [hash_bytes(text) for text in texts]


def sealed(writer: PackWriter) -> Pack:
    """The finished pack, checked to be whole and rightly named."""
    name = writer.seal()
    files = LocalFiles(writer.path.parent, writer.path.parent)
    data = writer.path.read_bytes()
    found = Pack.open(files, writer.path.name)
    assert name == pack.pack_id(data)
    assert found.whole(files)
    assert sorted(found.locations(), key=lambda at: at.offset) == pack.scan(data, found.end)
    return found


def ids(found: Pack) -> set[Oid]:
    return {at.oid for at in found.locations()}


@pytest.fixture
def writer(tmp_path: Path) -> PackWriter:
    return PackWriter(tmp_path / "new.pack")


def test_objects_are_readable_at_once_and_packed_in_the_end(writer: PackWriter) -> None:
    texts = [b"one", b"", b"three" * 1000, os.urandom(3 << 20), b"five"]
    for oid, text in zip(fill(writer, *texts), texts, strict=True):
        assert writer.read(writer.entries[oid]) == text
    assert [(item.oid, item.stored) for item in writer.items()] == [(hash_bytes(text), text) for text in texts]
    assert ids(sealed(writer)) == {hash_bytes(text) for text in texts}


def test_the_same_object_is_written_once(writer: PackWriter) -> None:
    fill(writer, b"one", b"one", b"two", b"one")
    assert len(writer) == 2
    assert len(ids(sealed(writer))) == 2


def test_no_file_is_made_for_what_is_published_at_once(writer: PackWriter) -> None:
    fill(writer, b"one")
    writer.items()
    assert not writer.path.exists()
    writer.land()
    assert writer.path.read_bytes()[-3:] == b"one"
    assert hash_bytes(writer.path.read_bytes(), "pack") == writer.digest()


def test_a_writer_that_began_anew_has_nothing_of_before(writer: PackWriter) -> None:
    [oid] = fill(writer, b"one")
    before = writer.entries[oid]
    writer.land()
    writer.begin_anew()
    assert (len(writer), writer.read(before), writer.path.exists()) == (0, None, False)
    [other] = fill(writer, b"two")
    assert ids(sealed(writer)) == {other}


def test_a_closed_writer_reads_nothing_and_leaves_its_file(writer: PackWriter) -> None:
    [oid] = fill(writer, b"one")
    writer.land()
    writer.close()
    assert writer.read(writer.entries[oid]) is None
    assert writer.path.exists()


def test_a_pack_left_behind_is_gone_on_with_from_where_it_was_good(writer: PackWriter) -> None:
    [one] = fill(writer, b"one")
    good = writer.end
    fill(writer, b"two")
    writer.land()
    writer.close()
    with writer.path.open("ab") as file:
        file.write(b"torn")
    again = PackWriter.resume(writer.path, good)
    assert list(again.entries) == [one]
    assert again.read(again.entries[one]) == b"one"
    [three] = fill(again, b"three")
    assert ids(sealed(again)) == {one, three}


def test_what_was_left_and_is_no_pack_is_refused(writer: PackWriter) -> None:
    fill(writer, b"one")
    writer.land()
    for end in (5, writer.end - 1, writer.end + 1):
        with pytest.raises(DamagedError):
            PackWriter.resume(writer.path, end)


def test_a_full_disk_tears_no_hole(writer: PackWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    write_at = durable.write_at
    fill(writer, b"one")

    def half_then_full(fd: int, data: bytes, offset: int) -> None:
        write_at(fd, data[: len(data) // 2], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(durable, "write_at", half_then_full)
        with pytest.raises(OSError, match="No space"):
            writer.land()
        with pytest.raises(OSError, match="No space"):
            fill(writer, os.urandom(2 << 20))  # refused: it counts as never added
        with pytest.raises(OSError, match="No space"):
            writer.seal()
    fill(writer, b"two")
    assert len(ids(sealed(writer))) == 2


def test_a_prefix_is_looked_for_while_another_thread_adds(writer: PackWriter) -> None:
    adding = threading.Thread(target=lambda: fill(writer, *(b"%d" % number for number in range(20_000))))
    adding.start()
    while adding.is_alive():
        assert all(oid.startswith("a") for oid in writer.starting_with("a"))
    assert len(writer.starting_with("")) == 20_000


def test_what_was_added_can_be_read_while_another_thread_adds(writer: PackWriter) -> None:
    texts = [str(number).encode() * 50 for number in range(3000)]
    wrong: list[Oid] = []

    def read_all() -> None:
        while len(writer.entries) < len(texts):
            for oid in list(writer.entries)[-5:]:
                stored = writer.read(writer.entries[oid])
                if stored is None or hash_bytes(stored) != oid:
                    wrong.append(oid)

    readers = [threading.Thread(target=read_all) for _ in range(2)]
    for reader in readers:
        reader.start()
    fill(writer, *texts)
    for reader in readers:
        reader.join()
    assert not wrong
    assert len(ids(sealed(writer))) == 3000


def test_a_sealed_pack_that_found_no_place_can_be_gone_on_with(writer: PackWriter) -> None:
    [one] = fill(writer, b"one")
    writer.seal()
    [two] = fill(writer, b"two")
    assert writer.read(writer.entries[two]) == b"two"
    assert ids(sealed(writer)) == {one, two}


def interrupting(at: int) -> Callable[..., Any]:
    """Raises KeyboardInterrupt at the nth line that is come to in the writer's module: as a signal does."""
    left = at

    def trace(frame: Any, event: str, _: object) -> object:
        nonlocal left
        if frame.f_code.co_filename != pack_writer.__file__:
            return None
        left -= event == "line"
        if left == 0 and event == "line":
            left = -1
            raise KeyboardInterrupt
        return trace

    return trace


@pytest.mark.parametrize("size", [10, (1 << 20) + 1])
def test_an_interrupt_at_any_moment_tears_nothing(tmp_path: Path, size: int) -> None:
    """Neither what is being added, which may be there or not, nor what comes before or after it."""
    texts = [bytes([number]) * size for number in range(5)]
    at, interrupted = 1, True
    while interrupted:
        writer = PackWriter(tmp_path / f"{at}.pack")
        fill(writer, texts[0])
        sys.settrace(interrupting(at))
        try:
            fill(writer, texts[1])
            writer.land()
            interrupted = False
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        fill(writer, *texts[2:4])
        writer.land()
        fill(writer, texts[4])
        for oid, entry in writer.entries.items():
            assert hash_bytes(writer.read(entry) or b"") == oid
        found = ids(sealed(writer))
        assert found - {hash_bytes(texts[1])} == {hash_bytes(text) for text in (texts[0], *texts[2:])}
        at += 1
    assert at > 15


def test_an_interrupt_while_it_is_begun_anew_does_no_harm(tmp_path: Path) -> None:
    at, interrupted = 1, True
    while interrupted:
        writer = PackWriter(tmp_path / f"{at}.pack")
        fill(writer, b"old")
        writer.land()
        sys.settrace(interrupting(at))
        try:
            writer.begin_anew()
            interrupted = False
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        fill(writer, b"new")
        assert ids(sealed(writer)) - {hash_bytes(b"old")} == {hash_bytes(b"new")}
        at += 1
    assert at > 5
