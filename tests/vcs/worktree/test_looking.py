"""Two processes that look at a folder see what one sees, and whatever becomes of the second, nothing is missed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from artvcs.vcs import worktree
from artvcs.vcs.errors import ChangedWhileRead
from artvcs.vcs.objects.nodes import Entry
from artvcs.vcs.repository import Repository
from artvcs.vcs.worktree.folders import looking
from artvcs.vcs.worktree.folders.ahead import Ahead

from .helpers import add

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="there is no second process on this system"),
    pytest.mark.filterwarnings("ignore:.*fork"),
]

TICK = 0.05
"""Seconds after which a file is at rest, and some more."""


def add_again(repository: Repository, path: Path) -> Entry:
    """As `art add` does, in a process of its own."""
    repository = Repository(repository.layout.folder)
    with repository.transaction("add") as transaction:
        known = worktree.StatCache(repository.cache, repository.store)
        entry = worktree.add_path(transaction, path, path.name, known=known)
        transaction.set_ref("tags/added", entry.id)
    return entry


def children() -> set[str]:
    """The processes that this one has started and that it has not seen end."""
    return {child for each in Path("/proc/self/task").iterdir() for child in (each / "children").read_text().split()}


@pytest.fixture(autouse=True)
def together(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Also of a few files a second process looks at some; none is left afterwards."""
    for name, value in {"_MANY": 30, "_TURN": 20, "_OWN": 7, "_MANY_FOLDERS": 10}.items():
        monkeypatch.setattr(looking, name, value)
    monkeypatch.setattr(Ahead, "is_of_use", lambda: True)
    before = children()
    yield
    assert children() <= before


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bytes | None]:
    """What second processes answer from here on."""
    seen: list[bytes | None] = []
    following = Ahead.next

    def noted(self: Ahead) -> bytes | None:
        seen.append(following(self))
        return seen[-1]

    monkeypatch.setattr(Ahead, "next", noted)
    return seen


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for number in range(40):
        (folder / f"folder{number:02}" / "deep").mkdir(parents=True)
        for name in ("a", "b", "deep/c"):
            (folder / f"folder{number:02}" / name).write_text(f"{name} {number}")
    for number in range(300):
        (folder / f"file{number:03}").write_text(f"content {number}")
    (folder / "folder07" / "link").symlink_to("a")
    time.sleep(TICK)
    return folder


@pytest.mark.long
@pytest.mark.parametrize(
    "change", ["folder39/deep/c", "folder00/a", "file005", "file015", "file299", "new", "folder03/new"]
)
def test_two_processes_see_what_one_sees(
    repository: Repository, data: Path, answers: list[bytes | None], tmp_path: Path, change: str
) -> None:
    first = add_again(repository, data)
    assert add_again(repository, data) == first
    (data / change).write_text("changed")
    time.sleep(TICK)
    changed = add_again(repository, data)
    assert answers
    assert None not in answers
    assert first != changed == add(Repository.init(tmp_path / "other"), data)
    (data / change).chmod(0o755)
    assert add_again(repository, data) != changed


@pytest.mark.long
@pytest.mark.parametrize("after", range(0, 25, 3))
def test_a_second_process_that_dies_costs_nothing_but_time(
    repository: Repository, data: Path, answers: list[bytes | None], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    first = add_again(repository, data)
    del answers[:]
    write, count, process = os.write, 0, os.getpid()

    def cut_short(fd: int, piece: bytes) -> int:
        nonlocal count
        if os.getpid() != process:
            if count == after:
                write(fd, piece[: len(piece) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
        return write(fd, piece)

    monkeypatch.setattr(os, "write", cut_short)
    (data / "folder20" / "a").write_text("changed")
    time.sleep(TICK)
    changed = add_again(repository, data)
    assert None in answers
    monkeypatch.undo()
    assert first != changed == add_again(repository, data)


def test_where_no_process_can_be_made_one_does_it_all(
    repository: Repository, data: Path, answers: list[bytes | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fork() -> int:
        raise BlockingIOError("too many processes")

    monkeypatch.setattr(os, "fork", fork)
    first = add_again(repository, data)
    assert add_again(repository, data) == first
    assert set(answers) == {None}


def test_a_second_process_that_somebody_else_waited_for(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add_again(repository, data)
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert add_again(repository, data) == first
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_folder_that_another_took_the_place_of_is_looked_into_again(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_again(repository, data)
    following = Ahead.next

    def and_exchange(self: Ahead) -> bytes | None:
        found = following(self)
        if not (data / "folder38" / "other").exists():
            (data / "folder38").rename(data.parent / "away")
            (data / "folder38").mkdir()
            (data / "folder38" / "other").write_text("other")
        return found

    for name in ("folder38", "folder37"):
        (data / name / "a").write_text("changed")
    with monkeypatch.context() as exchanging:
        exchanging.setattr(Ahead, "next", and_exchange)
        entry = add_again(repository, data)
    time.sleep(TICK)
    assert entry == add_again(repository, data)


def test_a_folder_that_goes_away_after_it_was_looked_into_is_named(
    repository: Repository, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_again(repository, data)
    following = Ahead.next

    def and_remove(self: Ahead) -> bytes | None:
        found = following(self)
        shutil.rmtree(data / "folder38", ignore_errors=True)
        return found

    monkeypatch.setattr(Ahead, "next", and_remove)
    with pytest.raises(ChangedWhileRead, match="folder38 went away"):
        add_again(repository, data)
