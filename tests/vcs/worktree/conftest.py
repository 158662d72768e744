"""What the tests of files and folders share: a folder with something of everything."""

from __future__ import annotations

import random
from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "sub" / "empty").mkdir(parents=True)
    (folder / "text").write_text("some text")
    (folder / "sub" / "large").write_bytes(random.Random(1).randbytes(3_000_000))
    (folder / "sub" / "nothing").write_bytes(b"")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "sub" / "link").symlink_to("../text")
    (folder / "ünï ✓").write_text("unicode")
    return folder
