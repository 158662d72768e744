"""What a run tells other machines about what it executes, where they cannot be reached."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore

from artvcs.pipelines.errors import SharingWarning
from artvcs.pipelines.run.executors.clusters.claiming import Claiming
from artvcs.vcs.errors import RemoteUnreachable
from artvcs.vcs.objects.oid import hash_bytes
from artvcs.vcs.remotes.places.bucket import BucketFiles
from artvcs.vcs.remotes.remote import Remote
from artvcs.vcs.repository import Repository

ONE, OTHER = hash_bytes(b"one"), hash_bytes(b"other")


class Exchange:
    """Cannot reach the remote."""

    def publish_results(self, keys: Any) -> None:
        raise RemoteUnreachable("The line is dead; try again.")

    def bring(self) -> None:
        raise RemoteUnreachable("The line is dead; try again.")


def claiming(tmp_path: Path) -> Claiming:
    files = BucketFiles(MemoryStore(), "team", "mem://team")
    return Claiming(Exchange(), Remote("origin", "there", files, Repository.init(tmp_path / ".artifacts")))  # type: ignore[arg-type]


def test_that_they_cannot_be_reached_is_said_once_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = claiming(tmp_path)

    def unreachable(_: Remote) -> None:
        raise RemoteUnreachable("The line is dead; try again.")

    monkeypatch.setattr(Remote, "begin_there", unreachable)
    with pytest.warns(SharingWarning, match=r"could not be told at origin .*\(The line is dead; try again\)"):
        assert ours.take(ONE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ours.take(OTHER)
        ours.bring()
        ours.close()
