"""What the store's tests share: an empty repository each."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from artvcs.vcs.repository import Repository

# Times on a shared machine say nothing; and a fixture that only names a folder need not be made anew.
settings.register_profile("vcs", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
settings.load_profile("vcs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the repository of this test is."""
    return tmp_path / "project" / ".artifacts"


@pytest.fixture
def repository(folder: Path) -> Repository:
    """A new, empty repository."""
    return Repository.init(folder)
