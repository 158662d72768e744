"""kill -9 of a push and a fetch in every state that both sides come to: nothing is lost, torn or there twice."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Callable
from gc import collect as collect_objects
from pathlib import Path

import pytest

from artvcs.vcs.changes.intents import AddVersion
from artvcs.vcs.errors import StorageError
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.objects.kinds import Artifact
from artvcs.vcs.objects.nodes import FILE, Entry, Tree
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.remotes.exchange import garbage
from artvcs.vcs.remotes.exchange.data import fetch_data
from artvcs.vcs.remotes.exchange.fetch import fetch
from artvcs.vcs.remotes.exchange.push import push
from artvcs.vcs.remotes.places.folder import FolderFiles
from artvcs.vcs.remotes.remote import Remote
from artvcs.vcs.repository import Repository

from ..helpers import problems, random_text, version_of
from . import scenarios
from .inject import CALLS, Say, Work, killing, nearly_all, needs_strace, run, watch
from .test_disk import mount

pytestmark = [pytest.mark.faults, needs_strace]

LARGE = 300_000


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "tester")


def save(folder: Path, machine: str, text: str) -> None:
    """A version of `model` whose data is too much to go with the lineage."""
    near = Repository.init(folder / machine / ".artifacts")
    with near.transaction("save") as transaction:
        entry = Entry("model.bin", FILE, transaction.put_blob(text.encode()), len(text))
        payload = transaction.put(Tree(0, (entry,)))
        artifact = transaction.put(Artifact("tests.text", "text", 1, payload, len(text), False))
        transaction.add(AddVersion(dataclasses.replace(version_of("model", artifact)), {}))


def exchange(folder: Path, machine: str) -> tuple[Repository, Remote]:
    near = Repository(folder / machine / ".artifacts")
    return near, Remote("origin", "the shared folder", FolderFiles(folder / "shared"), near)


def pushed(folder: Path, say: Say) -> None:
    push(*exchange(folder, "ada"))
    say("pushed")


def fetched(folder: Path, say: Say, machine: str = "ada") -> None:
    near, remote = exchange(folder, machine)
    fetch(near, remote)
    say("fetched")
    fetch_data(near, remote, {each.artifact for each in version_refs.every(near.refs())})
    say("data")


def collected(folder: Path, say: Say) -> None:
    done = garbage.collect(*exchange(folder, "ada"), max_unused=0)
    say(f"collected {len(done.deleted)}")


def values(folder: Path, machine: str) -> dict[int, Oid]:
    near, _ = exchange(folder, machine)
    return {each.number: each.artifact for each in version_refs.every(near.refs())}


def prepare(folder: Path) -> None:
    """Both have pushed once; Ada has something new, and so has Ben, who pushed it."""
    for machine, seed in (("ada", 1), ("ben", 2)):
        save(folder, machine, random_text(seed) * 2)
        push(*exchange(folder, machine))
    fetched(folder, lambda _: None, "ben")
    save(folder, "ada", random_text(3) * 2)
    save(folder, "ben", random_text(4) * 2)
    push(*exchange(folder, "ben"))


def check(folder: Path) -> None:
    """Nothing is wrong on any side, and a second try brings all to everybody, each value under one number."""
    for place in ("ada/.artifacts", "ben/.artifacts", "shared"):
        assert problems(folder / place) == [], place
    pushed(folder, lambda _: None)
    fetched(folder, lambda _: None, "ben")
    fetch(*exchange(folder, "ada"))
    ada, ben = values(folder, "ada"), values(folder, "ben")
    assert ada == ben
    assert len(set(ada.values())) == len(ada) == 4
    near, _ = exchange(folder, "ben")
    for artifact in ben.values():
        near.store.verify(near.store.record(near.store.record(artifact, Artifact).payload, Tree).entries[0][2])
    for place in ("ada/.artifacts", "ben/.artifacts", "shared"):
        assert problems(folder / place) == [], place


@pytest.mark.parametrize("free", [0, 4, 40, 200, 500], ids="{} KB free".format)
def test_a_full_disk_while_fetching(tmp_path: Path, free: int) -> None:
    """What had come stays, it is said, and once there is room it goes on."""
    prepare(tmp_path)
    push(*exchange(tmp_path, "ada"))
    small, filler = tmp_path / "eve", tmp_path / "eve" / "filler"
    small.mkdir()
    mount("-t", "tmpfs", "-o", "size=12m", "tmpfs", small)
    try:
        Repository.init(small / ".artifacts")
        room = os.statvfs(small).f_bavail * os.statvfs(small).f_frsize - free * 1024
        filler.write_bytes(bytes(max(0, room)))
        with pytest.raises(StorageError, match=r"full|[Nn]o space"):
            fetched(tmp_path, lambda _: None, "eve")
        filler.unlink()
        assert problems(small / ".artifacts") == []
        fetched(tmp_path, lambda _: None, "eve")
        assert values(tmp_path, "eve") == values(tmp_path, "ada")
        assert problems(small / ".artifacts") == []
    finally:
        collect_objects()
        subprocess.run(["umount", "--lazy", small], check=True)


def prepare_garbage(folder: Path) -> None:
    """As `prepare`, after so many changes that old ones go, and with what a push has left that was killed."""
    prepare(folder)
    for number in range(36):
        near, remote = exchange(folder, "ben")
        with near.transaction("note") as transaction:
            transaction.set_ref("tags/note", transaction.put_blob(b"%d" % number))
        push(near, remote)
    near, remote = exchange(folder, "ben")
    with remote.transaction("never published") as transaction:
        transaction.put_blob(random_text(5).encode())
        transaction.seal()
        for name in transaction.packs():
            old = folder / "shared" / name
            os.utime(old, (old.stat().st_mtime - 7 * 24 * 3600,) * 2)
        transaction._incoming.forget_packs()  # as if killed: nobody takes them away


@pytest.mark.parametrize(("work", "prepare"), [(pushed, prepare), (fetched, prepare), (collected, prepare_garbage)])
def test_killed_in_every_state(tmp_path: Path, work: Work, prepare: Callable[[Path], None]) -> None:
    template, folder = tmp_path / "template", tmp_path / "team"
    prepare(template)
    work(scenarios.copy(template, tmp_path / "warm"), lambda _: None)
    scenarios.copy(template, folder)
    injections = killing(watch(lambda say: work(folder, say)), CALLS)
    assert len(injections) > 40
    killed = 0
    for injection in injections:
        scenarios.copy(template, folder)
        outcome = run(lambda say: work(folder, say), injection)
        killed += outcome.killed
        if "pushed" in outcome.said:
            assert len(values(folder, "ada")) == 4, injection
        check(folder)
    assert nearly_all(killed, injections)
