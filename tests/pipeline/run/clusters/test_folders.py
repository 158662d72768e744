"""What outposts leave on a machine where they and their workers were killed, and how it goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from artvcs.pipelines.run.executors.clusters.worker import folders


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def let_age(folder: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))


def test_what_a_killed_outpost_has_left_goes_as_the_next_begins() -> None:
    folder, handle = folders.make()
    (folder / "files").mkdir()
    (folder / "files" / "large").write_bytes(b"what it had brought")
    outpost = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[handle])
    os.close(handle)
    let_age(folder)
    _, another = folders.make()
    assert (folder / "files" / "large").exists(), "it lives"
    outpost.send_signal(signal.SIGKILL)
    outpost.wait()
    _, third = folders.make()
    assert not folder.exists()
    os.close(another)
    os.close(third)


def test_what_has_only_just_been_made_is_let_be() -> None:
    folder, handle = folders.make()
    os.close(handle)
    _, another = folders.make()
    assert folder.exists()
    os.close(another)


def test_what_only_has_such_a_name_is_let_be(temporary: Path) -> None:
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").write_bytes(b"")
    (temporary / "artvcs-outpost-link").symlink_to(elsewhere)
    (temporary / "artvcs-outpost-file").write_bytes(b"mine")
    without_lock = temporary / "artvcs-outpost-bare"
    without_lock.mkdir()
    behind = temporary / "artvcs-outpost-behind"
    behind.mkdir()
    (behind / "lock").symlink_to(elsewhere / "lock")
    for each in (elsewhere, without_lock, behind):
        let_age(each)
    _, handle = folders.make()
    os.close(handle)
    assert (elsewhere / "lock").exists()
    assert (temporary / "artvcs-outpost-file").exists()
    assert without_lock.exists()
    assert behind.exists()
