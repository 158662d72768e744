"""A repository elsewhere is the same files and the same commit point; here it is in memory, and two machines use it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from artvcs.testing.tools import at_once
from artvcs.vcs.changes.intents import SetRef
from artvcs.vcs.errors import InvalidName, RemoteChanged, RemoteRefused, RepositoryNotFound
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.remotes.places.bucket import BucketFiles
from artvcs.vcs.remotes.remote import Remote
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.files import nothing


class Machine:
    """A machine with a repository of its own that knows the one elsewhere."""

    def __init__(self, folder: Path, place: MemoryStore, prefix: str = "team") -> None:
        self.files = BucketFiles(place, prefix, "mem://team")
        self.near = Repository.init(folder / ".artifacts")

    @property
    def remote(self) -> Remote:
        """As a new process knows it."""
        return Remote("origin", "mem://team", self.files, self.near)

    def put(self, ref: str, data: bytes) -> Oid:
        remote = self.remote
        remote.begin_there()
        with remote.transaction(f"put {ref}") as transaction:
            oid = transaction.put_blob(data)
            transaction.add(SetRef(ref, oid))
        return oid

    def refs(self) -> dict[str, Oid]:
        return dict(self.remote.refs().items())

    def requests(self) -> int:
        """The requests since this was asked before."""
        count, self.files.traffic.requests = self.files.traffic.requests, 0
        return count


@pytest.fixture
def place() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def machine(tmp_path: Path, place: MemoryStore) -> Callable[[str], Machine]:
    return lambda name: Machine(tmp_path / name, place)


def test_what_one_machine_puts_there_another_finds(machine: Callable[[str], Machine]) -> None:
    ada, bob = machine("ada"), machine("bob")
    oid = ada.put("kept/one", b"value")
    assert bob.refs() == {"kept/one": oid}
    assert bob.remote.refs().get("kept/one") == oid
    assert bob.remote.store.read(oid, "blob") == b"value"
    other = bob.put("kept/two", b"other")
    assert ada.refs() == {"kept/one": oid, "kept/two": other}


def test_where_nothing_was_pushed_is_no_repository(machine: Callable[[str], Machine]) -> None:
    with pytest.raises(RepositoryNotFound, match="Nothing has been pushed to mem://team yet"):
        machine("ada").refs()


def test_many_who_begin_at_once_share_one(machine: Callable[[str], Machine]) -> None:
    machines = [machine(f"m{number}") for number in range(6)]
    made = at_once([lambda each=each, n=n: each.put(f"kept/{n}", b"%d" % n) for n, each in enumerate(machines)])  # type: ignore[misc]
    for each in machines:
        assert each.refs() == {f"kept/{number}": oid for number, oid in enumerate(made)}


def test_looking_again_where_nothing_changed_takes_three_requests(machine: Callable[[str], Machine]) -> None:
    ada = machine("ada")
    ada.put("kept/one", b"value")
    ada.refs()
    ada.requests()
    ada.remote.look()
    assert ada.requests() == 3  # nothing follows its newest change, which is in its place, and is the one that was seen


def test_a_change_takes_few_requests_however_many_there_were(machine: Callable[[str], Machine]) -> None:
    ada = machine("ada")
    for number in range(40):
        ada.put(f"kept/{number}", b"%d" % number)
    ada.requests()
    ada.put("kept/one more", b"value")
    assert ada.requests() == 6  # whether it is as it was; the op, whether it stands, the hint


class _Without(BucketFiles):
    """A place that lets two create the same file."""

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        self.put(name, data)
        return True


def test_a_place_without_a_commit_point_is_not_pushed_to(machine: Callable[[str], Machine], place: MemoryStore) -> None:
    ada = machine("ada")
    ada.files = _Without(place, "team", "mem://team")
    for _ in range(2):
        with pytest.raises(RemoteRefused, match=r"cannot be pushed to.*16 of 16 writers"):
            ada.put("kept/one", b"value")
    assert list(ada.files.list("ops")) == []


@pytest.fixture
def shared(machine: Callable[[str], Machine]) -> Machine:
    ada = machine("ada")
    for number in range(3):
        ada.put(f"kept/{number}", b"%d" % number)
    return ada


def test_another_repository_in_its_place_is_noticed(shared: Machine, tmp_path: Path) -> None:
    other = Machine(tmp_path / "other", MemoryStore())
    other.put("kept/other", b"x")
    shared.files = other.files
    with pytest.raises(RemoteChanged, match="holds another repository than before"):
        shared.refs()


def test_that_it_was_rolled_back_is_noticed(shared: Machine) -> None:
    newest = max(shared.files.list("ops"))
    shared.files.delete(newest)
    shared.files.hint("root", b"1\n")
    with pytest.raises(RemoteChanged, match="is in an older state than it was"):
        shared.refs()


def test_that_it_is_gone_is_noticed_and_no_new_one_begun(shared: Machine) -> None:
    for folder in ("ops", "packs", "index"):
        for name in list(shared.files.list(folder)):
            shared.files.delete(name)
    shared.files.delete("format")
    with pytest.raises(RemoteChanged, match="is gone"):
        shared.put("kept/one", b"x")
    assert list(shared.files.list("ops")) == []


def test_what_is_known_of_it_here_can_be_deleted(shared: Machine) -> None:
    before = shared.refs()
    shutil.rmtree(shared.near.layout.remotes)
    assert shared.refs() == before


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", ".x", "a b", "é", "x" * 65])
def test_what_cannot_name_a_remote(machine: Callable[[str], Machine], name: str) -> None:
    ada = machine("ada")
    with pytest.raises(InvalidName, match="cannot name a remote"):
        Remote(name, "mem://team", ada.files, ada.near)
