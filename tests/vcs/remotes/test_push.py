"""What is made on one machine is pushed, and its lineage fetched on another; the data stays there until it is read."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.testing.tools import at_once
from artvcs.vcs.changes.intents import AddVersion, EditVersion
from artvcs.vcs.errors import DamagedError
from artvcs.vcs.maps import ref_names
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.objects.kinds import Artifact, StepRun, Version
from artvcs.vcs.objects.nodes import FILE, Entry, Tree
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.remotes.exchange.data import fetch_data
from artvcs.vcs.remotes.exchange.fetch import Fetched, fetch
from artvcs.vcs.remotes.exchange.push import Pushed, push
from artvcs.vcs.remotes.places.address import Address
from artvcs.vcs.remotes.places.bucket import BucketFiles
from artvcs.vcs.remotes.places.far_files import FarFiles
from artvcs.vcs.remotes.remote import Remote
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import is_lineage_name
from artvcs.vcs.upkeep import gc

from ..helpers import a_run, problems, put_run, version_of
from . import places

_clock = itertools.count(1)


class Machine:
    def __init__(self, folder: Path, place: MemoryStore) -> None:
        self.files: FarFiles = BucketFiles(place, "team", "mem://team")
        self.near = Repository.init(folder / ".artifacts")

    @property
    def remote(self) -> Remote:
        """As a new process knows it."""
        return Remote("origin", "mem://team", self.files, self.near)

    def push(self) -> Pushed:
        return push(self.near, self.remote)

    def fetch(self) -> Fetched:
        return fetch(self.near, self.remote)

    def save(self, name: str, *contents: bytes) -> Version:
        """A version of a folder of files."""
        with self.near.transaction("save") as transaction:
            blobs = [(transaction.put_blob(content), len(content)) for content in contents]
            entries = [Entry(f"{number}.bin", FILE, oid, size) for number, (oid, size) in enumerate(blobs)]
            size, payload = sum(size for _, size in blobs), transaction.put(Tree(0, tuple(entries)))
            artifact = Artifact("tests.folder", "folder", 1, payload, size, False)
            version = dataclasses.replace(version_of(name, transaction.put(artifact)), created=next(_clock))
            transaction.add(AddVersion(version, {}))
        found = version_refs.by_value(self.near.refs(), name, artifact.oid)
        assert found is not None
        return found

    def save_noted(self, name: str, *contents: bytes) -> None:
        """A version with so many notes that its lineage is too much for an op's own file."""
        saved = self.save(name, *contents)
        with self.near.transaction("note") as transaction:
            noted = {f"note {each}": os.urandom(500).hex() for each in range(1000)}
            transaction.add(EditVersion(saved.name, saved.artifact, noted))

    def versions(self) -> dict[str, Oid]:
        return {f"{each.name}@{each.number}": each.artifact for each in version_refs.every(self.near.refs())}

    def bring_all(self) -> None:
        """Brings the data of all versions here."""
        fetch_data(self.near, self.remote, set(self.versions().values()))

    def requests(self) -> int:
        """The requests since this was asked before."""
        count, self.files.traffic.requests = self.files.traffic.requests, 0
        return count


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str], Machine]:
    place = MemoryStore()
    return lambda name: Machine(tmp_path / name, place)


def test_lineage_comes_and_data_stays(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    data = os.urandom(3_000_000)
    saved = ada.save("model", data)
    pushed = ada.push()
    assert pushed.versions == 1
    assert pushed.size > len(data)
    assert bob.fetch().versions == 1
    assert bob.versions() == ada.versions() == {"model@1": saved.artifact}
    assert bob.files.traffic.received < 100_000
    payload = bob.near.store.record(saved.artifact, Artifact).payload
    assert not bob.near.store.has(payload)
    tree = bob.remote
    tree.look()
    assert len(tree.store.record(payload, Tree).entries) == 1  # it is there


def test_nothing_new_takes_three_requests(machine: Callable[[str], Machine]) -> None:
    ada = machine("ada")
    ada.save("model", b"x")
    ada.push()
    ada.requests()
    assert ada.push().objects == 0
    assert ada.requests() == 3
    ada.fetch()
    assert ada.requests() == 3


def test_what_is_there_is_not_sent_again(machine: Callable[[str], Machine]) -> None:
    ada = machine("ada")
    large = os.urandom(2_000_000)
    ada.save("model", large, b"one")
    ada.push()
    ada.save("model", large, b"two")
    ada.files.traffic.sent = 0
    assert ada.push().size < 20_000
    assert ada.files.traffic.sent < 50_000


def test_what_is_data_and_lineage_comes_with_the_lineage(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    log = os.urandom(500_000)
    ada.save("model", log)
    ada.push()  # as data alone
    for name in ("before", "after"):
        other = os.urandom(500_000)
        ada.save(f"{name}.log", other)
        with ada.near.transaction("run") as transaction:
            logs = [transaction.put_blob(each) for each in (log, other)]
            steps = {
                f"step{number}": StepRun("step", "failed", None, {}, {}, None, 0, 0, None, oid, {})
                for number, oid in enumerate(logs)
            }
            run = dataclasses.replace(a_run(name, "failed"), steps=steps, order=tuple(steps))
            put_run(transaction, run)
        ada.push()
        bob.fetch()
        assert [bob.near.store.read(oid, "blob") for oid in logs] == [log, other]


def test_what_a_collection_has_taken_of_older_refs_is_found_there(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    for number in range(30):
        ada.save(f"model{number}", b"%d" % number)
    ada.push()
    for number in range(40):
        ada.save(f"table{number}", b"%d" % number)
    gc.collect(ada.near)
    ada.push()
    bob.fetch()
    assert bob.versions() == ada.versions()
    assert len(bob.versions()) == 70


def test_data_that_was_given_up_is_missed_by_nobody_and_goes_when_it_is_made_again(
    machine: Callable[[str], Machine],
) -> None:
    ada, bob, data = machine("ada"), machine("bob"), os.urandom(500_000)
    saved = ada.save("model", data)
    pruned = ref_names.pruned(saved.artifact)
    with ada.near.transaction("prune") as transaction:
        transaction.set_ref(pruned, saved.artifact)
    gc.collect(ada.near)
    ada.push()
    bob.fetch()
    assert bob.near.refs().get(pruned) == saved.artifact
    assert list(ada.files.list("packs")) == []
    ada.save("model", data)
    assert ada.push().size > len(data)
    bob.fetch()
    assert bob.near.refs().get(pruned) is None
    assert fetch_data(bob.near, bob.remote, [saved.artifact]) == 2


def test_numbers_that_both_gave_are_told(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    one, two = ada.save("model", b"ada's"), bob.save("model", b"bob's")
    ada.push()
    pushed = bob.push()
    assert pushed.fetched.renumbered == (("model", 1, 2),)
    ada.fetch()
    assert ada.versions() == bob.versions() == {"model@1": one.artifact, "model@2": two.artifact}


def test_large_lineage_lies_in_packs_of_its_own(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    for number in range(3):
        ada.save_noted(f"model{number}", os.urandom(400_000))
    ada.push()
    packs = list(ada.files.list("packs"))
    assert sorted(map(is_lineage_name, packs)) == [False, True]
    [lineage] = filter(is_lineage_name, packs)
    bob.fetch()
    assert lineage in bob.near.store.refresh().packs()
    assert bob.versions() == ada.versions()
    assert bob.files.traffic.received < 2_000_000 < sum(map(ada.files.size, packs))


def test_a_run_that_goes_on_is_not_pushed_before_it_has_ended(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    with ada.near.transaction("run") as transaction:
        put_run(transaction, begun := a_run("r1"))
        put_run(transaction, a_run("r2", "completed"))
    assert ada.push().runs == 1
    bob.fetch()
    assert [ref for ref, _ in bob.near.refs().items() if "r1" in ref] == []
    with ada.near.transaction("run") as transaction:
        put_run(transaction, dataclasses.replace(begun, status="completed"), begun)
    ada.push()
    bob.fetch()
    assert bob.near.refs().get(ref_names.run("r1")) == ada.near.refs().get(ref_names.run("r1"))


def test_what_comes_damaged_is_refused_and_nothing_of_it_is_seen(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    ada.save_noted("model", b"x")
    ada.push()
    [name] = ada.files.list("packs")
    good = ada.files.read(name)
    for position in (0, 40, len(good) // 2, len(good) - 100, len(good) - 1):
        ada.files.put(name, good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(DamagedError, match="is damaged"):
            bob.fetch()
        assert bob.versions() == {}
        for copy in (bob.near.layout.remotes / "origin" / "copies").glob("packs*"):
            copy.unlink()
    ada.files.put(name, good)
    bob.fetch()
    assert bob.versions() == ada.versions()


def test_a_pack_that_is_missing_there_is_said_to_be(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    ada.save_noted("model", b"x")
    ada.push()
    [name] = ada.files.list("packs")
    ada.files.delete(name)
    with pytest.raises(DamagedError, match="A file is missing or damaged at mem://team"):
        bob.fetch()
    assert bob.versions() == {}


def test_many_who_push_at_once_lose_nothing(machine: Callable[[str], Machine]) -> None:
    machines = [machine(f"m{number}") for number in range(4)]

    def work(me: int) -> list[Oid]:
        made = []
        for number in range(5):
            made.append(machines[me].save("model", b"%d of %d" % (number, me)).artifact)
            machines[me].push()
        return made

    made = [oid for each in at_once([functools.partial(work, me) for me in range(4)]) for oid in each]
    for each in machines:
        each.fetch()
        assert sorted(each.versions().values()) == sorted(made), "each value once"
        assert each.versions() == machines[0].versions()
    assert len(machines[0].versions()) == 20


@pytest.mark.remotes
@pytest.mark.parametrize("place", [places.s3, places.azure])
def test_a_real_store(
    place: Callable[[pytest.MonkeyPatch], Address], monkeypatch: pytest.MonkeyPatch, machine: Callable[[str], Machine]
) -> None:
    address = place(monkeypatch)
    ada, bob = machine("ada"), machine("bob")
    ada.files, bob.files = places.files(address), places.files(address)
    saved = ada.save("model", os.urandom(40_000_000), b"small")
    ada.push()
    bob.fetch()
    assert bob.versions() == {"model@1": saved.artifact}
    bob.save("model", b"bob's")
    bob.push()
    ada.requests()
    ada.fetch()
    assert ada.versions() == bob.versions()
    assert len(ada.versions()) == 2
    assert ada.requests() <= 12
    ada.push()
    assert ada.requests() == 3


def test_two_that_fetch_the_same_pack_at_once_are_not_in_each_others_way(
    machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = machine("ada"), machine("ben")
    for number in range(4):
        ada.save_noted(f"model{number}", os.urandom(400_000))
    ada.push()
    pieces, others = BucketFiles.pieces, iter([ben.fetch])

    def pieces_slowly(files: BucketFiles, name: str, start: int) -> Iterator[bytes]:
        for data in pieces(files, name, start):
            middle = len(data) // 2
            yield data[:middle]
            for other in others:  # another process fetches all, while this one is in the middle of it
                other()
            yield data[middle:]

    monkeypatch.setattr(BucketFiles, "pieces", pieces_slowly)
    ben.fetch()
    assert ben.versions() == ada.versions()
    assert problems(ben.near.layout.folder) == []
