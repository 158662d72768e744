"""Of a file that is elsewhere only those parts come that are read."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.vcs.errors import DamagedError, UnknownName
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.remotes import config, known
from artvcs.vcs.remotes.exchange import parts
from artvcs.vcs.remotes.places.address import Address

from .test_push import Machine

SIZE = 12_000_000


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Machine]:
    place = MemoryStore()

    def make(name: str) -> Machine:
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text("[tool.artvcs.remotes]\norigin = 's3://bucket'\n")
        found = Machine(tmp_path / name, place)
        configured = config.Configured("origin", Address("s3", "bucket", ""), tmp_path / name / "pyproject.toml")
        known._opened.setdefault(found.near, {})[configured] = found.remote
        return found

    return make


@pytest.fixture
def stored(machine: Callable[[str], Machine]) -> tuple[Machine, Oid, bytes]:
    """A machine with a large value that is elsewhere, and its bytes."""
    ada, ben = machine("ada"), machine("ben")
    data = random.Random(1).randbytes(SIZE)
    saved = ada.save("large", data)
    ada.save("two", b"first", b"second")
    ada.push()
    ben.fetch()
    ben.requests()
    return ben, saved.artifact, data


def test_any_part_is_what_was_stored(stored: tuple[Machine, Oid, bytes]) -> None:
    ben, artifact, data = stored
    file = parts.open_file(ben.near, artifact)
    expected = io.BytesIO(data)
    choose = random.Random(7)
    for _ in range(60):
        offset, whence = choose.choice(
            [(choose.randrange(SIZE), 0), (-choose.randrange(SIZE), 2), (0, 1), (SIZE + 9, 0)]
        )
        assert file.seek(offset, whence) == expected.seek(offset, whence)
        size = choose.choice([0, 1, 17, 70_000, 3_000_000])
        assert file.read(size) == expected.read(size)
    file.seek(0)
    assert file.read() == data


def test_only_that_part_comes(stored: tuple[Machine, Oid, bytes]) -> None:
    ben, artifact, data = stored
    before = ben.files.traffic.received
    file = parts.open_file(ben.near, artifact)
    file.seek(-1000, os.SEEK_END)
    assert file.read() == data[-1000:]
    assert ben.files.traffic.received - before < 1_500_000
    assert ben.requests() <= 3  # the folder, the list of pieces, the last piece


def test_all_in_order_takes_few_requests(stored: tuple[Machine, Oid, bytes]) -> None:
    ben, artifact, data = stored
    file = parts.open_file(ben.near, artifact)
    assert b"".join(iter(lambda: file.read(100_000), b"")) == data
    assert ben.requests() < 16


def test_what_is_here_is_read_here(stored: tuple[Machine, Oid, bytes]) -> None:
    ben, artifact, data = stored
    ben.bring_all()
    ben.requests()
    with parts.open_file(ben.near, artifact, "0.bin") as file:
        file.seek(5)
        assert file.read(10) == data[5:15]
    assert ben.requests() == 0


def test_whoever_trusts_signers_alone_gets_the_whole_first(stored: tuple[Machine, Oid, bytes], tmp_path: Path) -> None:
    """A part is checked against a list of pieces that only the whole can be checked against."""
    ben, artifact, data = stored
    with (tmp_path / "ben" / "pyproject.toml").open("a") as file:
        file.write("[tool.artvcs.trust]\nsigners = 'allowed_signers'\n")
    assert parts.open_file(ben.near, artifact).read(10) == data[:10]
    assert ben.files.traffic.received > SIZE


def test_a_file_that_is_not_there_is_said(stored: tuple[Machine, Oid, bytes]) -> None:
    ben, artifact, _ = stored
    two = ben.versions()["two@1"]
    assert parts.open_file(ben.near, two, "1.bin").read() == b"second"
    with pytest.raises(UnknownName, match="by its path"):
        parts.open_file(ben.near, two)
    for wrong in ("2.bin", "0.bin/x", "", "../x"):
        with pytest.raises((UnknownName, DamagedError)):
            parts.open_file(ben.near, two, wrong)
    with pytest.raises(UnknownName):
        parts.open_file(ben.near, artifact, "2.bin")
    assert ben.files.traffic.received < SIZE  # the data was not brought to find that out
    with pytest.raises(ValueError, match="beginning"):
        parts.open_file(ben.near, artifact).seek(-1)


def test_a_part_that_is_damaged_there_is_noticed(stored: tuple[Machine, Oid, bytes]) -> None:
    ben, artifact, _ = stored
    file = parts.open_file(ben.near, artifact)
    original = ben.files.read

    def flipped(name: str, start: int = 0, length: int | None = None) -> bytes:
        data = bytearray(original(name, start, length))
        if data and name.startswith("packs/"):
            data[len(data) // 2] ^= 1
        return bytes(data)

    ben.files.read = flipped  # type: ignore[method-assign]
    with pytest.raises(DamagedError, match="try again"):
        file.read()
