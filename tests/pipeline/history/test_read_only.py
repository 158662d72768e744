"""What somebody else stored can be loaded without a right to write there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from artvcs import load_artifact, save_artifact

from ...vcs.faults.inject import Say, run


@pytest.fixture
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every user can reach: those of pytest only its owner can."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ARTVCS_DIR", str(folder / ".artifacts"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_artifact_of_a_repository_that_cannot_be_written_is_loaded(open_to_all: Path) -> None:
    save_artifact([1, 2, 3], "numbers")
    load_artifact("numbers")  # what it imports may lie where only root can read

    before = set(Path(tempfile.gettempdir()).glob("artvcs-*"))

    def as_nobody(say: Say) -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        say(str(load_artifact("numbers")))

    done = run(as_nobody)
    assert (done.said, done.error) == (["[1, 2, 3]"], "")
    assert set(Path(tempfile.gettempdir()).glob("artvcs-*")) <= before
