"""Repositories as copying and neighbours leave them: without empty folders, busy, not to be entered."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import Done

Art = Callable[..., Done]


@pytest.fixture
def added(art: Art, project: Path) -> Path:
    (project / "small").write_text("small")
    assert art("init").code == 0
    assert art("add", "small", "--name", "small").code == 0
    return project / ".artifacts"


def test_a_copy_without_its_empty_folders_is_the_repository(
    added: Path, art: Art, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path_factory.mktemp("copy")
    copy = shutil.copytree(added, project / ".artifacts")
    for folder, _, _ in os.walk(copy, topdown=False):
        if not os.listdir(folder):
            os.rmdir(folder)
    assert not (copy / "packs").exists()
    monkeypatch.chdir(project)
    assert "small@1" in art("ls").out
    assert art("fsck").code == 0
    (project / "other").write_text("other")
    assert art("add", "other", "--name", "other").code == 0


@pytest.mark.long
def test_a_cache_that_others_keep_busy_is_waited_for_once(added: Path, art: Art) -> None:
    art("status")
    other = sqlite3.connect(added / "cache.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    assert art("status").code == 0
    assert time.monotonic() - began < 4.5  # two seconds, and what the command itself takes
    other.close()


@pytest.mark.parametrize("verb", ["show", "log", "ls", "cat", "checkout", "why", "rm", "trust"])
def test_a_name_that_is_no_unicode_is_the_name_of_nothing(added: Path, art: Art, verb: str) -> None:
    done = art(verb, os.fsdecode(b"\xff"))
    assert done.code == 3, done.err


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_repository_that_cannot_be_entered_is_told(added: Path, art: Art) -> None:
    added.chmod(0)
    try:
        done = art("ls")
    finally:
        added.chmod(0o755)
    assert done.code == 6
    assert "Permission was denied" in done.err
