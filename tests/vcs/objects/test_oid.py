"""Ids: what `b3sum` prints for a file, and something else for every other kind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import blake3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import check_oid, hash_bytes, is_oid
from artvcs.vcs.storage.packs.table import KINDS
from artvcs.vcs.storage.store import blob_id


@given(st.binary())
def test_a_blob_is_named_by_the_plain_hash_of_its_bytes(data: bytes) -> None:
    assert blob_id(data) == blake3.blake3(data).hexdigest()


def test_the_empty_blob_has_the_published_id() -> None:
    assert blob_id(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


@pytest.mark.skipif(shutil.which("b3sum") is None, reason="b3sum is not installed")
def test_b3sum_prints_a_blobs_id(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"some content" * 1000)
    printed = subprocess.run(["b3sum", "--no-names", file], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == blob_id(file.read_bytes())


def test_the_same_bytes_have_another_id_under_every_kind() -> None:
    assert len({hash_bytes(b"{}", kind) for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("text", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n", None, 7, "../" * 22])
def test_only_64_small_hexadecimal_digits_are_an_id(text: object) -> None:
    assert not (isinstance(text, str) and is_oid(text))
    with pytest.raises(DamagedError):
        check_oid(text)
