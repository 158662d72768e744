"""Data comes when it is wanted: what is not here, in few requests, and nothing that is not what its id promises."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.maps import graph
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.remotes.exchange.data import fetch_data
from artvcs.vcs.repository import Repository

from .test_push import Machine

CONTENTS = (os.urandom(5_000_000), b"small", b"", os.urandom(300_000), b"text " * 100_000)


@pytest.fixture
def machine(tmp_path: Path) -> Callable[[str], Machine]:
    place = MemoryStore()
    return lambda name: Machine(tmp_path / name, place)


def complete(repository: Repository, artifact: Oid) -> bool:
    lost: list[Oid] = []
    for _ in graph.reachable(repository.store, [artifact], lambda oid, _: lost.append(oid)):
        pass
    return not lost


def test_all_of_an_artifact_comes_in_few_requests(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    saved = ada.save("model", *CONTENTS)
    ada.push()
    bob.fetch()
    assert not complete(bob.near, saved.artifact)
    bob.requests()
    bob.files.traffic.received = 0
    assert fetch_data(bob.near, bob.remote, [saved.artifact]) > len(CONTENTS)
    assert bob.requests() <= 8  # three to look; the folder, its files, the chunks of the large one
    assert bob.files.traffic.received < sum(map(len, CONTENTS))
    assert complete(Repository(bob.near.layout.folder), saved.artifact)
    assert fetch_data(bob.near, bob.remote, [saved.artifact]) == 0


def test_what_is_here_does_not_come_again(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    first = ada.save("model", *CONTENTS)
    ada.push()
    bob.fetch()
    fetch_data(bob.near, bob.remote, [first.artifact])
    second = ada.save("model", *CONTENTS, b"one more")
    ada.push()
    bob.fetch()
    bob.files.traffic.received = 0
    assert fetch_data(bob.near, bob.remote, [second.artifact]) <= 2
    assert bob.files.traffic.received < 20_000


def test_a_flipped_bit_is_refused_and_nothing_kept(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    saved = ada.save("model", os.urandom(500_000), os.urandom(400_000))
    ada.push()
    bob.fetch()
    [name] = ada.files.list("packs")
    good = ada.files.read(name)
    for position in range(40, len(good) - 1000, len(good) // 7):
        ada.files.put(name, good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(DamagedError, match="is damaged"):
            fetch_data(bob.near, bob.remote, [saved.artifact])
        assert not complete(bob.near, saved.artifact)
    ada.files.put(name, good)
    fetch_data(bob.near, bob.remote, [saved.artifact])
    assert complete(bob.near, saved.artifact)
