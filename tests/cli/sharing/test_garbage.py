"""Garbage of a repository elsewhere is collected while others push and fetch, who have no leases there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import Done
from .conftest import Machine

Clone = Callable[[str], Machine]


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def aged(folder: Path, days: float) -> None:
    """Makes all files as old as that."""
    then = time.time() - days * 24 * 3600
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def there(shared: Path, *arguments: str, code: int = 0) -> Done:
    """Runs `art` where the others push to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARTVCS_DIR", str(shared))
        return Machine(shared).art(*arguments, code=code)


def pushed_often(ada: Machine, times: int) -> None:
    for number in range(times):
        ada.ran("-p", f"seed={number % 4}")
        ada.art("push")


@pytest.mark.parametrize("often", [10, pytest.param(20, marks=pytest.mark.remotes)])
def test_old_changes_go_and_everybody_goes_on(machine: Clone, shared: Path, often: int) -> None:
    ada, ben = machine("ada"), machine("ben")
    pushed_often(ada, often)
    ben.art("pull")
    pushed_often(ada, often)
    before = len(list((shared / "ops").iterdir()))
    planned = ada.art("gc", "--remote", "--dry-run", "--json").json
    done = ada.art("gc", "--remote", "--json").json
    assert done["dead"] == planned["dead"] > 0
    assert done["lost"] == {}
    assert len(list((shared / "ops").iterdir())) < before
    assert ada.art("status", "--json").json["remotes"]["origin"]["behind"] == 0
    ben.ran("-p", "seed=9")
    assert "came" in ben.art("push").out
    ada.art("pull", "--data")
    eve = machine("eve")
    eve.art("pull")
    assert eve.ran("-p", "seed=9") == set()
    assert eve.art("cat", "total@1").out == ada.art("cat", "total@1").out
    for each in (ada, ben, eve):
        each.art("fsck")
    there(shared, "fsck")


@pytest.mark.remotes  # it takes long
def test_what_was_only_written_anew_is_not_fetched_again(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    pushed_often(ada, 40)
    ben.art("pull")
    ada.art("gc", "--remote")
    assert list((shared / "packs" / "lineage").iterdir())
    received = ben.art("pull", "--json").json["traffic"]["received"]
    assert received < 300_000
    ben.art("fsck")


@pytest.mark.remotes  # it takes long
def test_a_second_collection_finds_nothing_to_do(machine: Clone, shared: Path) -> None:
    ada = machine("ada")
    pushed_often(ada, 40)
    ada.art("gc", "--remote")
    again = ada.art("gc", "--remote", "--json").json
    assert again["bytes"] < 10_000
    assert ada.art("gc", "--remote", "origin", "--dry-run", "--json").json["dead"] < 100


def test_what_was_sent_and_never_published_goes_after_a_day(machine: Clone, shared: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    left = shared / "packs" / "ab" / f"ab{'0' * 62}"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"what a push had sent that was killed")
    ada.art("gc", "--remote")
    assert left.exists()
    aged(shared, 2)
    ada.art("gc", "--remote")
    assert not left.exists()
    there(shared, "fsck")


@pytest.mark.long
def test_a_push_whose_packs_were_collected_sends_them_again(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    ben.ran("-p", "seed=5")
    # Just before it publishes, two days pass, and a collector comes by.
    slow = f"""
import os, subprocess, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from artvcs.cli import main
from artvcs.vcs.remotes.far_store import FarLog
from tests.cli.sharing.test_garbage import aged

def commit(self, entry, *rest, original=FarLog.commit, waited=[]):
    if not waited:
        waited.append(True)
        aged(Path({str(shared)!r}), 2)
        subprocess.run([sys.executable, "-c", "from artvcs.cli import start; start()", "gc", "--remote"],
                       cwd={str(ada.folder)!r}, check=True)
    return original(self, entry, *rest)

FarLog.commit = commit
sys.exit(main.run(["push"]))
"""
    done = ben.run("-c", slow)
    assert done.code == 0, done.err
    assert "went there" in done.out
    there(shared, "fsck")
    ada.art("pull")
    assert ada.ran("-p", "seed=5") == set()
    assert ada.art("cat", "numbers@2").out == ben.art("cat", "numbers@2").out


def test_a_shared_folder_is_collected_from_a_clone(machine: Clone, shared: Path) -> None:
    ada = machine("ada")
    ada.ran()
    ada.art("push")
    refused = there(shared, "gc", code=4)
    assert "`art gc --remote`" in refused.err


@pytest.mark.long
def test_data_can_be_given_up_there_and_stays_with_who_has_it(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ben.art("pull")
    before = size(shared / "packs")
    assert "`art gc --remote`" in ada.art("rm", "numbers@1", "--remote").out
    ada.art("rm", "numbers@1", "--remote")  # once more changes nothing
    ada.art("rm", "numbers", "--remote", code=2)  # which one?
    ada.art("gc", "--remote")
    assert size(shared / "packs") < before - 100_000
    assert ada.art("cat", "numbers@1").out
    there(shared, "fsck")
    ada.ran("-p", "seed=2")
    assert ada.ran() == set()
    ada.art("push")  # what was given up stays so, though it is here
    ben.art("pull")
    assert "was pruned" in ben.art("cat", "numbers@1", code=3).err
    ben.art("fsck")
    assert ben.ran() == {"numbers"}  # made again
    assert ben.art("cat", "numbers@1").out == ada.art("cat", "numbers@1").out
    ben.art("push")
    eve = machine("eve")
    eve.art("pull")
    assert eve.art("cat", "numbers@1").out == ada.art("cat", "numbers@1").out


def test_what_was_given_up_comes_back_where_it_is_named(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    ada.art("rm", "numbers@1", "--remote")
    ada.art("gc", "--remote", "--max-unused", "0")
    assert "nothing to push" in ada.art("push").out
    ada.art("push", "numbers@1")
    ben.art("pull")
    assert ben.art("cat", "numbers@1").out == ada.art("cat", "numbers@1").out
    there(shared, "fsck")
