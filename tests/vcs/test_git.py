"""What Git says: the commit, the branch, the changes, and never a password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from artvcs.vcs import git


def run(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    run(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "code.py").write_text("a = 1\n")
    run(tmp_path, "add", "code.py")
    run(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_a_clean_project_is_its_commit_and_branch(project: Path) -> None:
    state = git.snapshot(project)
    assert state == git.Snapshot(run(project, "rev-parse", "HEAD"), "main", None, b"")


def test_the_snapshot_is_of_the_project_above(project: Path) -> None:
    (project / "sub").mkdir()
    assert git.find_root(project / "sub") == project
    assert git.snapshot(project / "sub") == git.snapshot(project)


def test_uncommitted_changes_are_a_patch_that_git_applies(project: Path, tmp_path: Path) -> None:
    (project / "code.py").write_text("a = 2\n")
    state = git.snapshot(project)
    assert state is not None
    run(project, "checkout", "-q", "code.py")
    (project / "diff").write_bytes(state.diff)
    run(project, "apply", "diff")
    assert (project / "code.py").read_text() == "a = 2\n"


def test_staged_changes_are_in_the_patch(project: Path) -> None:
    (project / "code.py").write_text("a = 3\n")
    run(project, "add", "code.py")
    state = git.snapshot(project)
    assert state is not None
    assert b"+a = 3" in state.diff


def test_a_changed_file_that_is_no_utf8_does_not_hide_the_rest(project: Path) -> None:
    (project / "code.py").write_bytes(b"caf\xe9\n")
    state = git.snapshot(project)
    assert state is not None
    assert b"+caf\xe9" in state.diff


def test_a_gigantic_diff_is_noted_and_not_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "MAX_DIFF", 100)
    (project / "code.py").write_text("x" * 1000)
    state = git.snapshot(project)
    assert state is not None
    assert 0 < len(state.diff) < 100
    assert b"not kept" in state.diff


def test_a_detached_head_has_no_branch(project: Path) -> None:
    run(project, "checkout", "-q", "--detach")
    state = git.snapshot(project)
    assert state is not None
    assert (state.commit, state.branch) == (run(project, "rev-parse", "HEAD"), None)


def test_before_the_first_commit_there_is_only_a_branch(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q", "-b", "trunk")
    assert git.snapshot(tmp_path) == git.Snapshot(None, "trunk", None, b"")


def test_outside_of_git_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert git.snapshot(tmp_path) is None
    assert git.author(tmp_path) is None


def test_a_broken_git_repository_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    assert git.snapshot(tmp_path) is None
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    assert git.author(tmp_path) is None


def test_the_author_is_who_git_says(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(project, "config", "user.name", "Ada")
    run(project, "config", "user.email", "ada@example.org")
    assert git.author(project) == "Ada <ada@example.org>"
    monkeypatch.setenv("PATH", "")  # there is no such program
    assert git.author(project) == "Ada <ada@example.org>"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://user:secret@example.org/x.git", "https://example.org/x.git"),
        ("https://token@example.org:8443/x", "https://example.org:8443/x"),
        ("https://example.org/x", "https://example.org/x"),
        ("git@example.org:x.git", "git@example.org:x.git"),
        ("/local/folder", "/local/folder"),
    ],
)
def test_credentials_never_enter_the_repository(project: Path, url: str, kept: str) -> None:
    run(project, "remote", "add", "origin", url)
    state = git.snapshot(project)
    assert state is not None
    assert state.remote == kept


def test_pygit2_is_not_imported_before_it_is_needed() -> None:
    script = "import sys, artvcs.vcs.repository; assert 'pygit2' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
