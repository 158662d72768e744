"""fsck: one flipped bit anywhere is found, and nothing is ever changed."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository

from ..helpers import add_version, files, problems, put_text, put_text_in


@pytest.fixture
def full(repository: Repository) -> Repository:
    """A repository with some of everything."""
    put_text(repository, "tags/text", "text " * 100)
    with repository.transaction("more") as transaction:
        transaction.set_ref("tags/large", transaction.put_blob(random.Random(1).randbytes(1_500_000)))
        for number in range(3):
            add_version(transaction, "model", str(number))
        for number in range(60):
            put_text_in(transaction, f"tags/{number}", "x")
    return repository


def test_nothing_is_wrong_with_a_whole_repository(full: Repository, folder: Path) -> None:
    assert problems(folder) == []


def test_notes_of_what_is_trusted_belong_there_whole_or_torn(full: Repository, folder: Path) -> None:
    (folder / "trust").mkdir()
    for content in (b"", b"x" * 64, b"x" * 37):
        (folder / "trust" / "78").write_bytes(content)
        assert problems(folder) == []
    (folder / "trust" / "78").unlink()
    (folder / "trust" / "78").symlink_to(folder / "root")
    assert problems(folder) == ["trust/78: is not a file"]


def test_a_flipped_bit_is_found_in_every_file_at_any_place(full: Repository, folder: Path) -> None:
    chance = random.Random(2)
    checked = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or not path.stat().st_size:
            continue
        good = path.read_bytes()
        places = {0, 5, len(good) // 2, len(good) - 1, *(chance.randrange(len(good)) for _ in range(3))}
        for place in sorted(place for place in places if place < len(good)):
            path.write_bytes(good[:place] + bytes([good[place] ^ 1 << chance.randrange(8)]) + good[place + 1 :])
            name = path.name if path.parent == folder else str(path.relative_to(folder))
            assert any(name in problem for problem in problems(folder)), (name, place)
            checked += 1
        path.write_bytes(good)
    assert checked > 30
    assert problems(folder) == []


def test_every_single_bit_of_a_small_repository(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    for name in (".gitignore", "format", "root"):
        path = folder / name
        good = path.read_bytes()
        for place in range(len(good)):
            path.write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
            assert problems(folder), (name, place)
        path.write_bytes(good)


def test_a_missing_pack_is_found_and_what_it_held_is_named(full: Repository, folder: Path) -> None:
    text = full.refs().get("tags/text")
    assert text is not None
    for path in full.layout.pack_files():
        if bytes.fromhex(text) in path.read_bytes():
            path.unlink()
    assert any(f"reference {text}" in problem for problem in problems(folder))


@pytest.mark.parametrize("keep", [0, 1, 31, 32, 100, -1])
def test_a_truncated_pack_is_found(full: Repository, folder: Path, keep: int) -> None:
    path = full.layout.pack_files()[0]
    os.truncate(path, keep if keep >= 0 else path.stat().st_size - 1)
    assert any(path.name in problem for problem in problems(folder))


@pytest.mark.parametrize("name", ["root", "format"])
def test_a_missing_register_is_found(full: Repository, folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert problems(folder)


def test_a_ref_to_nothing_is_found(repository: Repository, folder: Path) -> None:
    with repository.transaction("dangling") as transaction:
        transaction.set_ref("tags/a", Oid("0" * 64))
        transaction.set_ref("tags/b", Oid("1" * 64))
    found = "\n".join(problems(folder))
    assert "0" * 64 in found
    assert "1" * 64 in found


@pytest.mark.parametrize(
    "name", ["notes.txt", "packs/notes.txt", "packs/ab/notes.txt", "index/notes.txt", "incoming/x"]
)
def test_a_file_that_does_not_belong_is_named(full: Repository, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    assert any(problem.startswith(name) for problem in problems(folder))


def test_a_link_in_the_place_of_a_file_is_named(full: Repository, folder: Path, tmp_path: Path) -> None:
    (folder / "packs" / "link").symlink_to(tmp_path)
    assert any("packs/link" in problem for problem in problems(folder))


def test_a_pack_in_the_wrong_place_is_named(full: Repository, folder: Path) -> None:
    path = full.layout.pack_files()[0]
    (folder / "packs" / "zz").mkdir()
    path.rename(folder / "packs" / "zz" / path.name)
    assert any("where a pack of this name belongs" in problem for problem in problems(folder))


def test_a_renamed_pack_is_named(full: Repository, folder: Path) -> None:
    path = full.layout.pack_files()[0]
    wrong = path.with_name(path.name[:2] + "0" * 62)
    path.rename(wrong)
    assert any(wrong.name in problem for problem in problems(folder))


def test_nothing_is_ever_changed(full: Repository, folder: Path) -> None:
    damaged = sorted(full.layout.index.iterdir())[0]
    damaged.write_bytes(b"damaged")
    full.layout.pack_files()[0].write_bytes(b"damaged")
    (folder / "tmp").rmdir()
    before = files(folder)
    assert problems(folder)
    assert files(folder) == before
    assert not (folder / "tmp").exists()


def test_where_there_is_no_repository_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert problems(tmp_path / "empty")
    assert problems(tmp_path / "nowhere")
