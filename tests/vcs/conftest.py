"""What the store's tests share: an empty repository each."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs.vcs.repository import Repository


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the repository of this test is."""
    return tmp_path / "project" / ".artifacts"


@pytest.fixture
def repository(folder: Path) -> Repository:
    """A new, empty repository."""
    return Repository.init(folder)
