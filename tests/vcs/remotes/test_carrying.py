"""What is made on machines that share nothing but a repository elsewhere: it goes there, and nothing of it is lost."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.vcs.changes.contribution import Contribution
from artvcs.vcs.changes.intents import AddVersion
from artvcs.vcs.changes.lending import Lent
from artvcs.vcs.changes.outgoing import Brought
from artvcs.vcs.errors import RemoteRefused, UnknownName
from artvcs.vcs.objects.kinds import Artifact
from artvcs.vcs.objects.nodes import FILE, Entry, RefsNode, Tree
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.remotes.exchange import supply
from artvcs.vcs.remotes.exchange.carrying import Carrier, Stock, objects_from
from artvcs.vcs.remotes.exchange.data import fetch_data
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import pack_name
from artvcs.vcs.upkeep import gc

from ..helpers import problems, put_text, version_of
from .test_data import complete
from .test_push import Machine

LARGE, SMALL = os.urandom(3_000_000), b"small"


class Worker:
    """A machine with nothing, which executes for another."""

    def __init__(self, machine: Machine) -> None:
        self.near = machine.near
        self.remote = machine.remote
        self.stock = Stock(machine.near, self.remote)

    def make(self, name: str, *contents: bytes) -> tuple[Oid, Brought]:
        """A version of a folder of files; what is handed over."""
        with self.near.contribute(self.near.layout.tmp, _Alone()) as draft:
            artifact = put_folder(draft, *contents)
            draft.add(AddVersion(version_of(name, artifact), {}))
            return artifact, self.stock.hand_over(draft.hand_over())

    def read(self, lent: Lent, artifact: Oid) -> list[bytes]:
        """What is in an artifact that was lent."""
        with self.near.contribute(self.near.layout.tmp, _Alone()) as draft:
            draft.begin_anew(self.stock.bring(lent, [artifact]))
            store = self.near.store
            tree = store.record(store.record(artifact, Artifact).payload, Tree)
            return [store.read(oid, "blob") for oid in tree.children]


class _Alone:
    def catch_up(self) -> None:
        """There is nothing new."""

    def deliver(self, brought: Brought) -> None:
        raise AssertionError("nothing is published here")

    def sealed(self, name: str) -> None:
        """It is sent when it is handed over."""


def put_folder(draft: Contribution, *contents: bytes) -> Oid:
    blobs = [(draft.put_blob(content), len(content)) for content in contents]
    entries = [Entry(f"{number}.bin", FILE, oid, size) for number, (oid, size) in enumerate(blobs)]
    size = sum(size for _, size in blobs)
    return draft.put(Artifact("tests.folder", "folder", 1, draft.put(Tree(0, tuple(entries))), size, False))


def take_in(machine: Machine, carrier: Carrier, brought: Brought) -> None:
    """Takes in what a worker has made, as the coordinator of a run does."""
    with machine.near.transaction("run") as transaction:
        here = carrier.take_in(brought)
        transaction.take_in(dataclasses.replace(here, seq=transaction.seen.seq))


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str], Machine]:
    place = MemoryStore()
    return lambda name: Machine(tmp_path / name, place)


@pytest.fixture
def ada(machine: Callable[[str], Machine]) -> Machine:
    made = machine("ada")
    made.remote.begin_there()
    return made


def test_what_a_worker_makes_goes_to_the_remote_and_is_found_by_the_next(
    ada: Machine, machine: Callable[[str], Machine]
) -> None:
    carrier, first, second = Carrier(ada.near, ada.remote), Worker(machine("first")), Worker(machine("second"))
    artifact, brought = first.make("model", LARGE, SMALL)
    assert len(brought.packs) == 1
    assert sum(len(item.stored) for item in brought.items) < 10_000
    take_in(ada, carrier, brought)
    assert ada.versions() == {"model@1": artifact}
    assert not supply.is_here(ada.near, artifact)
    lent = carrier.lend([artifact])
    assert second.read(lent, artifact) == [LARGE, SMALL]
    ada.files.traffic.received = 0
    assert first.read(lent, artifact) == [LARGE, SMALL]
    assert ada.files.traffic.received == 0  # who has made it has it


def test_what_is_little_travels_along(ada: Machine, machine: Callable[[str], Machine]) -> None:
    carrier, worker = Carrier(ada.near, ada.remote), Worker(machine("worker"))
    artifact, brought = worker.make("model", SMALL)
    assert brought.packs == ()
    take_in(ada, carrier, brought)
    assert supply.is_here(ada.near, artifact)
    ada.requests()
    assert Worker(machine("other")).read(carrier.lend([artifact]), artifact) == [SMALL]
    assert ada.requests() == 0


def test_what_is_only_here_and_large_goes_there_once(ada: Machine, machine: Callable[[str], Machine]) -> None:
    saved = ada.save("raw", LARGE)
    carrier = Carrier(ada.near, ada.remote)
    lent = carrier.lend([saved.artifact])
    assert Worker(machine("worker")).read(lent, saved.artifact) == [LARGE]
    ada.files.traffic.sent = 0
    assert carrier.lend([saved.artifact]) == lent
    assert Carrier(ada.near, ada.remote).lend([saved.artifact]).packs == lent.packs
    ada.push()
    assert ada.files.traffic.sent < 100_000
    assert Carrier(ada.near, ada.remote).lend([saved.artifact]).packs == ()  # it is found there by all
    assert Worker(machine("other")).read(Carrier(ada.near, ada.remote).lend([saved.artifact]), saved.artifact) == [
        LARGE
    ]


def test_data_is_promised_until_a_push_names_it(ada: Machine, machine: Callable[[str], Machine]) -> None:
    artifact, brought = Worker(machine("worker")).make("model", LARGE, SMALL)
    take_in(ada, Carrier(ada.near, ada.remote), brought)
    near = Repository(ada.near.layout.folder)  # as after the death of that process
    assert near.promises().by(artifact) == ["origin"]
    assert problems(near.layout.folder) == []
    gc.collect(near)
    assert problems(near.layout.folder) == []
    ada.files.traffic.sent = 0
    ada.push()
    assert ada.files.traffic.sent < 100_000  # the data is there
    assert ada.remote.notes.delivered() == {}
    assert near.promises().by(artifact) == ["origin"]
    bob = machine("bob")
    bob.fetch()
    fetch_data(bob.near, bob.remote, [artifact])
    assert complete(Repository(bob.near.layout.folder), artifact)


def test_delivered_data_comes_when_it_is_wanted(ada: Machine, machine: Callable[[str], Machine]) -> None:
    artifact, brought = Worker(machine("worker")).make("model", LARGE)
    take_in(ada, Carrier(ada.near, ada.remote), brought)
    fetch_data(ada.near, ada.remote, [artifact])
    assert complete(Repository(ada.near.layout.folder), artifact)


def test_a_push_that_fails_leaves_what_was_delivered(
    ada: Machine, machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact, brought = Worker(machine("worker")).make("model", LARGE)
    take_in(ada, Carrier(ada.near, ada.remote), brought)

    def refuse(*_: object, **__: object) -> bool:
        raise RemoteRefused("the bucket is locked")

    with monkeypatch.context() as patch:
        patch.setattr(ada.files, "create", refuse)
        with pytest.raises(RemoteRefused):
            ada.push()
    assert ada.remote.notes.delivered().keys() == {artifact}
    ada.push()
    bob = machine("bob")
    bob.fetch()
    fetch_data(bob.near, bob.remote, [artifact])


def test_what_was_delivered_and_collected_is_said_to_be_gone(ada: Machine, machine: Callable[[str], Machine]) -> None:
    artifact, brought = Worker(machine("worker")).make("model", LARGE)
    take_in(ada, Carrier(ada.near, ada.remote), brought)
    for name in brought.packs:
        ada.files.delete(name)
    with pytest.raises(UnknownName):
        fetch_data(ada.near, ada.remote, [artifact])


def test_a_torn_note_counts_for_nothing(ada: Machine, machine: Callable[[str], Machine]) -> None:
    worker = Worker(machine("worker"))
    first, brought = worker.make("first", LARGE)
    carrier = Carrier(ada.near, ada.remote)
    take_in(ada, carrier, brought)
    with open(ada.remote.notes.layout.folder / "delivered", "a") as file:
        file.write("0" * 40)
    second, brought = worker.make("second", os.urandom(300_000))
    take_in(ada, carrier, brought)
    assert ada.remote.notes.delivered().keys() == {first, second}


def test_an_outpost_gets_much_of_the_refs_at_once(ada: Machine) -> None:
    for number in range(50):
        put_text(ada.near, f"tests/{number:03d}" + "x" * 100, str(number))
    root = ada.near.refs().root
    assert root is not None
    lent = objects_from(ada.near, root)
    assert len(lent.items) > 1
    assert {item.kind for item in lent.items} == {RefsNode.KIND}
    with pytest.raises(UnknownName):
        objects_from(ada.near, Oid("0" * 64))


def test_what_could_not_be_sent_is_sent_again(
    ada: Machine, machine: Callable[[str], Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(machine("worker"))
    with worker.near.contribute(worker.near.layout.tmp, _Alone()) as draft:
        put_folder(draft, LARGE)
        brought = draft.hand_over()

    def refuse(*_: object) -> None:
        raise RemoteRefused("the bucket is locked")

    with monkeypatch.context() as patch:
        patch.setattr(worker.remote.files, "adopt", refuse)
        with pytest.raises(RemoteRefused):
            worker.stock.hand_over(brought)
    assert ada.files.exists(worker.stock.hand_over(brought).packs[0])


def test_what_an_earlier_run_delivered_and_was_collected_is_sent_again_if_it_is_here(
    ada: Machine, machine: Callable[[str], Machine]
) -> None:
    saved = ada.save("raw", LARGE)
    for name in Carrier(ada.near, ada.remote).lend([saved.artifact]).packs:
        ada.files.delete(name)
    lent = Carrier(ada.near, ada.remote).lend([saved.artifact])
    assert Worker(machine("worker")).read(lent, saved.artifact) == [LARGE]


def test_runs_that_note_and_forget_at_once_lose_no_note(ada: Machine) -> None:
    """One publishes and forgets what it had delivered while another notes what it delivers."""
    notes, names = ada.remote.notes, [pack_name(hash_bytes(bytes([number]), "pack")) for number in range(40)]
    artifacts = [hash_bytes(bytes([number]), "artifact") for number in range(40)]

    def one(number: int) -> None:
        ada.remote.notes.note_delivered([artifacts[number]], [names[number]])
        if number % 2:
            ada.remote.notes.forget_delivered({artifacts[number]})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one, range(40)))
    assert notes.delivered() == {artifacts[number]: (names[number],) for number in range(0, 40, 2)}
