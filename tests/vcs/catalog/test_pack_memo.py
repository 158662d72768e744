"""Large packs are not hashed again by every process, and damage is seen nevertheless."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.files import Files
from artvcs.vcs.storage.packs import pack

from ..helpers import packs, put_text, random_text, tags


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packs that were hashed as a whole."""
    found: list[str] = []
    real = pack.Pack.whole

    def whole(self: pack.Pack, files: Files) -> bool:
        found.append(self.name)
        return real(self, files)

    monkeypatch.setattr(pack.Pack, "whole", whole)
    return found


@pytest.fixture
def large(repository: Repository) -> Path:
    """A pack of more than four megabytes."""
    put_text(repository, "tags/large", random_text(1, 5_000_000))
    [path] = packs(repository.layout.folder)
    return path


def is_here(folder: Path) -> bool:
    """Whether a fresh process finds the large text sound."""
    repository = Repository(folder)
    return repository.store.complete(tags(repository)["tags/large"])


def test_a_pack_that_was_whole_is_not_hashed_again_while_its_file_is_untouched(
    large: Path, folder: Path, hashed: list[str]
) -> None:
    assert is_here(folder)
    assert hashed == [], "whoever wrote it knew"
    (folder / "cache.db").unlink()
    assert is_here(folder)
    assert is_here(folder)
    assert len(hashed) == 1
    os.utime(large)
    assert is_here(folder)
    assert len(hashed) == 2


def test_a_file_that_changed_is_looked_at_again(large: Path, folder: Path, hashed: list[str]) -> None:
    data = bytearray(large.read_bytes())
    data[len(data) // 2] ^= 1
    large.write_bytes(data)
    assert not is_here(folder)
    assert not is_here(folder), "what is damaged is never taken to be whole"
    assert len(hashed) == 2


def test_small_packs_need_no_database(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/small", random_text(1, 300_000))
    put_text(repository, "tags/tiny", "tiny")
    assert len(packs(folder)) == 1
    assert not (folder / "cache.db").exists()
