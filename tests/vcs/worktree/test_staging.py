"""What a killed checkout leaves is cleaned up by the next, and nothing else is touched, whatever a note says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from artvcs.vcs import worktree
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.disk import durable, system

from ..faults.inject import run
from ..helpers import files
from .helpers import checkout, entry_of, tree_of


@pytest.fixture(params=[True, False], ids=["exchange", "two renames"])
def can_exchange(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the file system can exchange two names."""
    if not request.param:
        monkeypatch.setattr(system, "exchange", lambda one, other: False)
    return bool(request.param)


def killed_at(monkeypatch: pytest.MonkeyPatch, call: str, number: int, work: Callable[[], object]) -> None:
    """Does the work in another process, which ends at the n-th call of a function of `durable` or `system`."""
    home = system if hasattr(system, call) else durable
    real, calls = getattr(home, call), 0

    def end(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == number:
            os._exit(0)
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(home, call, end)
        run(lambda _: work())  # type: ignore[arg-type, return-value]


@pytest.mark.long
@pytest.mark.parametrize(
    ("call", "number"),
    [("sync_below", 1), ("rename_new", 1), ("rename_new", 2), ("sync_folder", 2), ("sync_folder", 3)],
)
@pytest.mark.parametrize("in_folder", [False, True])
@pytest.mark.usefixtures("can_exchange")
def test_the_next_checkout_finishes_what_a_killed_one_began(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, in_folder: bool
) -> None:
    entries = [entry_of(repository, content) for content in (b"old", b"new")]
    entries = [tree_of(repository, entry) if in_folder else entry for entry in entries]
    target = tmp_path / "target"
    checkout(repository, entries[0], target)
    killed_at(monkeypatch, call, number, lambda: checkout(repository, entries[1], target))
    assert worktree.clean_up(repository.layout) == []
    content = (target / "file" if in_folder else target).read_bytes()
    assert content in (b"old", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "target"]
    assert list(repository.layout.checkouts.iterdir()) == []
    checkout(repository, entries[1], target)
    assert (target / "file" if in_folder else target).read_bytes() == b"new"


def test_an_edit_that_a_killed_checkout_moved_away_is_kept(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = entry_of(repository, b"old"), entry_of(repository, b"new")
    target = tmp_path / "file"
    checkout(repository, old, target)
    exchange = system.exchange

    def edit_and_die(one: Path, other: Path) -> bool:
        target.write_bytes(b"edited at the last moment")
        exchange(one, other)
        os._exit(0)

    monkeypatch.setattr(system, "exchange", edit_and_die)
    run(lambda _: checkout(repository, new, target))  # type: ignore[arg-type, return-value]
    [edits] = worktree.clean_up(repository.layout)
    assert edits.read_bytes() == b"edited at the last moment"
    assert target.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == [edits.name, "file", "project"]


def test_a_checkout_under_way_is_left_alone(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_below = durable.sync_below

    def clean_up_first(top: Path) -> None:
        assert run(lambda _: worktree.clean_up(repository.layout)).error == ""  # type: ignore[arg-type, return-value]
        sync_below(top)

    monkeypatch.setattr(durable, "sync_below", clean_up_first)
    assert checkout(repository, entry_of(repository, b"x"), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"x"


TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"{",
        b"[1]\n",
        b"[" * 50_000,
        b"1" * 100_000,
        json.dumps({"folder": "{}", "name": "../target"}).encode(),
        json.dumps({"folder": "relative", "name": "target"}).encode(),
        json.dumps({"folder": "{}", "name": "target", "states": 1}).encode(),
        json.dumps({"folder": ["{}"], "name": "target"}).encode(),
        json.dumps({"folder": "{}\0", "name": "target"}).encode(),
    ],
    ids=repr,
)  # fmt: skip
def test_a_hostile_note_touches_nothing(repository: Repository, tmp_path: Path, note: bytes) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "mine").write_text("mine")
    (tmp_path / f".{TOKEN}.art-old").write_text("also mine")
    repository.layout.checkouts.mkdir()
    (repository.layout.checkouts / TOKEN).write_bytes(note.replace(b"{}", os.fsencode(tmp_path)))
    before = files(tmp_path)
    assert worktree.clean_up(repository.layout) == []
    assert files(tmp_path).items() >= {name: before[name] for name in before if TOKEN not in name}.items()


def test_what_is_no_note_is_left_alone(repository: Repository, tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "letter").write_text("dear")
    repository.layout.checkouts.symlink_to(documents)
    assert worktree.clean_up(repository.layout) == []
    repository.layout.checkouts.unlink()
    repository.layout.checkouts.mkdir()
    (repository.layout.checkouts / "letter").write_text("dear")
    (repository.layout.checkouts / TOKEN).symlink_to(tmp_path / "new")
    assert worktree.clean_up(repository.layout) == []
    assert not (tmp_path / "new").exists()
    assert (repository.layout.checkouts / "letter").read_text() == (documents / "letter").read_text() == "dear"
