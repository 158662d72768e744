"""What takes long shows how far it is, on a terminal: bytes, how fast, and what is left."""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path

import pytest

from artvcs.cli import main, sharing
from artvcs.cli.terminal import screen

from ..conftest import Art

SIZE = 24 << 20


class Watched(io.StringIO):
    """A terminal; each state of its moving line is kept."""

    def isatty(self) -> bool:
        return True

    @property
    def moved(self) -> list[str]:
        lines = re.sub(r"\x1b\[[0-9;]*m", "", self.getvalue()).split("\r\x1b[K")
        return [line for line in lines if line.strip() and "\n" not in line]


@pytest.fixture
def shared(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that was added and edited, and a folder to push to."""
    monkeypatch.setattr(screen, "_EVERY", 0.001)
    monkeypatch.setattr(sharing, "_AT_ONCE", 0.0)
    monkeypatch.setenv("COLUMNS", "120")
    (project / "data.bin").write_bytes(os.urandom(SIZE))
    assert art("add", "data.bin", "--name", "data").code == 0
    assert art("remote", "add", "origin", str(project / "far")).code == 0
    return project


def watched(*arguments: str) -> list[str]:
    terminal = Watched()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(terminal):
        assert main.run(list(arguments)) == 0, terminal.getvalue()
    return terminal.moved


def says_how_far(lines: list[str], doing: str) -> bool:
    """Whether some line says bytes done, of how many, how fast, and what is being done."""
    pattern = rf"\d+ %\s+\S+ \S*B of 2\d\.\d MiB, \S+ \S*B/s(, .* left)?\s+{doing}"
    return any(re.search(pattern, line) for line in lines)


def test_add_and_checkout(shared: Path) -> None:
    (shared / "other.bin").write_bytes(os.urandom(SIZE))
    assert says_how_far(watched("add", "other.bin", "--name", "other"), "storing")
    (shared / "other.bin").unlink()
    assert says_how_far(watched("checkout", "other"), "writing")


def test_status_of_what_was_edited(shared: Path) -> None:
    (shared / "data.bin").write_bytes(os.urandom(SIZE))
    assert any("comparing data.bin" in line for line in watched("status"))


def test_push_and_pull(shared: Path, art: Art) -> None:
    assert says_how_far(watched("push"), "pushing to origin")
    assert any(line.startswith("fetching from origin: ") for line in watched("clone", str(shared / "far"), "copy"))
    pulled = watched("-C", "copy", "pull", "--data")
    assert says_how_far(pulled, ".* from origin"), pulled[-5:]


def test_fsck_and_gc(shared: Path, art: Art) -> None:
    assert says_how_far(watched("fsck"), "packs/")
    (shared / "both").mkdir()
    for name in ("kept", "gone"):
        (shared / "both" / name).write_bytes(os.urandom(SIZE))
    assert art("add", "both", "--name", "both").code == 0
    assert art("add", "both/kept", "--name", "kept").code == 0
    assert art("rm", "both@1", "--yes").code == 0
    # What is in use is written anew, without what lay beside it.
    collecting = watched("gc")
    assert says_how_far(collecting, "writing"), collecting[-5:]
