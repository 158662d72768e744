"""What is not known of a store is said before anything is asked there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artvcs.vcs.errors import RemoteRefused
from artvcs.vcs.remotes.places import opening
from artvcs.vcs.remotes.places.address import parse


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_an_account_that_is_not_named_is_asked_for() -> None:
    with pytest.raises(RemoteRefused, match=r"az://c/x cannot be used: .*; set AZURE_STORAGE_ACCOUNT_NAME and .*\.$"):
        opening.bucket(parse("az://c/x", base=Path()))


def test_missing_credentials_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_RETRIES", {"max_retries": 0})
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1")  # a machine with a role would have an answer
    files = opening.bucket(parse("s3://b/x", base=Path(), endpoint="http://127.0.0.1:1", region="x"))
    with pytest.raises(RemoteRefused, match=r"No credentials for s3://b/x were found; set them .*AWS_ACCESS_KEY_ID"):
        files.read("root")
