"""fsck: one flipped bit anywhere is found, and nothing is ever changed."""

from __future__ import annotations

import itertools
import os
import random
import shutil
from pathlib import Path

import pytest

from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep.check.fsck import fsck
from artvcs.vcs.upkeep.gc.collection import collect

from ..helpers import add_version, files, outputs, packs, problems, process, put_text, put_text_in, random_text

MEANINGLESS = ("reserve", "root")
"""Space kept back, whatever its bytes; and a hint, which may be outdated: see below."""


@pytest.fixture
def full(repository: Repository) -> Repository:
    """A repository with some of everything: ops, packs, index segments."""
    put_text(repository, "tags/text", random_text(1))
    with repository.transaction("more") as transaction:
        transaction.set_ref("tags/large", transaction.put_blob(random.Random(1).randbytes(1_500_000)))
        for number in range(3):
            add_version(transaction, "model", str(number))
        for number in range(60):
            put_text_in(transaction, f"tags/{number}", "x")
    for number in range(20):
        put_text(repository, f"tags/many/{number}", str(number))
    assert list(repository.layout.index.iterdir())
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
    assert problems(folder) == ["trust/78: is not a file of an artifact repository"]


@pytest.mark.long
def test_a_flipped_bit_is_found_in_every_file_at_any_place(full: Repository, folder: Path) -> None:
    chance = random.Random(2)
    checked = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or not path.stat().st_size or path.name in MEANINGLESS:
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


@pytest.mark.long
def test_every_single_bit_of_a_small_repository(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/a", "a")
    for name in (".gitignore", "format", "ops/000000000001", "ops/000000000002"):
        path = folder / name
        good = path.read_bytes()
        for place in range(len(good)):
            path.write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
            assert problems(folder), (name, place)
        path.write_bytes(good)
    assert problems(folder) == []


def test_whatever_the_hint_at_the_newest_change_says_it_is_found(repository: Repository, folder: Path) -> None:
    """The file `root` saves looking, and decides nothing."""
    oid = put_text(repository, "tags/a", "a")
    good = (folder / "root").read_bytes()
    for place, bit in itertools.product(range(len(good)), range(8)):
        (folder / "root").write_bytes(good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])
        assert Repository(folder).refs().get("tags/a") == oid
    for content in (b"", b"1\n", b"999999999999\n", b"-1", "²".encode(), b"9" * 5000):
        (folder / "root").write_bytes(content)
        assert Repository(folder).refs().get("tags/a") == oid
    (folder / "root").write_bytes(b"no number\n")
    assert any(problem.startswith("root") for problem in problems(folder))
    (folder / "root").unlink()
    assert Repository(folder).refs().get("tags/a") == oid
    put_text(repository, "tags/b", "b")
    assert (folder / "root").read_bytes() == b"000000000003\n"
    assert problems(folder) == []


def test_a_missing_pack_is_found_and_what_it_held_is_named(full: Repository, folder: Path) -> None:
    text = full.refs().get("tags/text")
    assert text is not None
    [path] = [path for path in packs(folder) if bytes.fromhex(text) in path.read_bytes()]
    path.unlink()
    assert any(path.name in problem for problem in problems(folder))
    assert any(f"reference {text}" in problem for problem in problems(folder))


@pytest.mark.parametrize("indexed", [False, True])
def test_a_missing_pack_is_found_whether_the_index_has_it_or_not(
    repository: Repository, folder: Path, indexed: bool
) -> None:
    put_text(repository, "tags/text", random_text(1))
    for number in range(20 * indexed):
        put_text(repository, f"tags/{number}", str(number))
    [path] = packs(folder)
    path.unlink()
    assert any(path.name in problem for problem in problems(folder))


def test_a_missing_op_is_found(full: Repository, folder: Path) -> None:
    (folder / "ops" / "000000000007").unlink()
    assert any(problem.startswith("ops/000000000007") for problem in problems(folder))


def test_a_missing_segment_of_the_index_is_found(full: Repository, folder: Path) -> None:
    path = next(iter(full.layout.index.iterdir()))
    if path.name in full.store.refresh().state.segments:
        path.unlink()
        assert any(f"index/{path.name}: is missing" in problem for problem in problems(folder))


@pytest.mark.parametrize("keep", [0, 1, 31, 32, 100, -1])
def test_a_truncated_pack_is_found(full: Repository, folder: Path, keep: int) -> None:
    path = packs(folder)[0]
    os.truncate(path, keep if keep >= 0 else path.stat().st_size - 1)
    assert any(path.name in problem for problem in problems(folder))


def test_a_missing_format_is_found(full: Repository, folder: Path) -> None:
    (folder / "format").unlink()
    assert problems(folder)


def test_no_ops_at_all_is_found(full: Repository, folder: Path) -> None:
    shutil.rmtree(folder / "ops")
    assert problems(folder)


def test_a_ref_to_nothing_is_found(repository: Repository, folder: Path) -> None:
    with repository.transaction("dangling") as transaction:
        transaction.set_ref("tags/a", Oid("2" * 64))
        transaction.set_ref("tags/b", Oid("1" * 64))
    found = "\n".join(problems(folder))
    assert "2" * 64 in found
    assert "1" * 64 in found


@pytest.mark.parametrize(
    "name", ["notes.txt", "ops/x", "ops/7", "packs/notes.txt", "packs/ab/notes.txt", "index/notes.txt", "incoming/x"]
)
def test_a_file_that_does_not_belong_is_named(full: Repository, folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    assert any(problem.startswith(name) for problem in problems(folder))


def test_a_link_in_the_place_of_a_file_is_named(full: Repository, folder: Path, tmp_path: Path) -> None:
    (folder / "packs" / "link").symlink_to(tmp_path)
    assert any("packs/link" in problem for problem in problems(folder))


def test_a_pack_in_the_wrong_place_is_named(full: Repository, folder: Path) -> None:
    path = packs(folder)[0]
    (folder / "packs" / "zz").mkdir()
    path.rename(folder / "packs" / "zz" / path.name)
    assert any(f"packs/zz/{path.name}" in problem for problem in problems(folder))


def test_a_renamed_pack_is_named(full: Repository, folder: Path) -> None:
    path = packs(folder)[0]
    path.rename(path.with_name(path.name[:2] + "0" * 62))
    assert any(path.name in problem for problem in problems(folder))


def test_nothing_is_ever_changed(full: Repository, folder: Path) -> None:
    damaged = folder / "index" / full.store.refresh().state.segments[0]
    damaged.write_bytes(b"damaged")
    packs(folder)[0].write_bytes(b"damaged")
    (folder / "tmp").rmdir()
    before = files(folder)
    assert problems(folder)
    assert files(folder) == before
    assert not (folder / "tmp").exists()


def test_where_there_is_no_repository_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert problems(tmp_path / "empty")
    assert problems(tmp_path / "nowhere")


# Beside others


WRITE = """
repository = Repository(Path(args[0]))
number = 0
while not (Path(args[0]).parent / "stop").exists():
    with repository.transaction("write") as transaction:
        put_text_in(transaction, f"tags/{args[1]}/{number % 5}", random_text(number % 50, 160_000))
        add_version(transaction, "model", f"{args[1]}x{number % 9}")
        transaction.checkpoint()
    if not number:
        print("began", flush=True)
    number += 1
"""

COLLECT = """
from artvcs.vcs.upkeep import gc
print("began", flush=True)
while not (Path(args[0]).parent / "stop").exists():
    gc.collect(Repository(Path(args[0])), max_unused=0)
"""


@pytest.mark.parametrize("rounds", [5, pytest.param(150, marks=pytest.mark.faults)])
def test_there_is_no_false_alarm_beside_four_writers_and_a_collector(
    repository: Repository, folder: Path, rounds: int
) -> None:
    others = [*(process(WRITE, folder, number) for number in range(4)), process(COLLECT, folder)]
    try:
        for each in others:
            assert each.stdout is not None
            assert each.stdout.readline() == "began\n"
        found = [problems(folder) for _ in range(rounds)]
    finally:
        (folder.parent / "stop").touch()
    outputs(others)
    assert [problem for problem in found if problem] == []
    assert problems(folder) == []


def test_a_collection_while_it_looks_is_no_problem(
    full: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it began to look at goes at every moment that it looks at something."""
    writer, moments = Repository(folder), []

    def progress(what: str, *_: int) -> None:
        moments.append(what)
        for number in range(3):
            put_text(writer, f"tags/late/{number}", random_text(len(moments), 160_000))
        for path in writer.layout.index.iterdir():
            os.utime(path, (1, 1))
        collect(writer, max_unused=0)

    assert list(fsck(folder, progress)) == []
    assert len(moments) > 10
    assert problems(folder) == []
