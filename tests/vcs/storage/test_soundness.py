"""What is damaged counts as absent, and can be stored again; what is beside it counts on."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.objects.oid import hash_bytes
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage import soundness
from artvcs.vcs.storage.files import Signature
from artvcs.vcs.storage.layout import PackName
from artvcs.vcs.storage.memory import MemoryFiles
from artvcs.vcs.storage.packs.pack import RECORD_SIZE, Pack
from artvcs.vcs.storage.soundness import NoMemo, Soundness

from ..helpers import problems
from .making import blob, commit, flip, noise, put_pack, rows_of, store_of


class Notes:
    """A memo that can be looked into."""

    def __init__(self) -> None:
        self.whole: dict[str, Signature] = {}

    def known(self, name: str) -> Signature | None:
        return self.whole.get(name)

    def note(self, name: str, signature: Signature) -> None:
        self.whole[name] = signature

    def forget(self, name: str) -> None:
        self.whole.pop(name, None)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packs of which every byte is hashed from here on."""
    seen: list[str] = []
    whole = Pack.whole

    def spy(self: Pack, files: MemoryFiles) -> bool:
        seen.append(self.name)
        return whole(self, files)

    monkeypatch.setattr(Pack, "whole", spy)
    return seen


def test_only_the_damaged_object_of_a_pack_counts_as_absent() -> None:
    files = MemoryFiles()
    texts = [b"one", b"two", b"three"]
    name = put_pack(files, *map(blob, texts))
    commit(files, loose=[name])
    for at in rows_of(files, name):
        good = files.read(name)
        for position in (at.offset, at.offset + 20, at.offset + RECORD_SIZE, at.offset + RECORD_SIZE + at.stored - 1):
            flip(files, name, position)
            store = store_of(files)
            assert {hash_bytes(text) for text in texts if not store.published(hash_bytes(text))} == {at.oid}
            assert not store.has(at.oid)
            assert not store.complete(at.oid)
            with pytest.raises(DamagedError):
                store.read(at.oid, "blob")
            files.put(name, good)
    assert all(store_of(files).published(hash_bytes(text)) for text in texts)


def test_putting_again_mends_what_was_damaged(repository: Repository, folder: Path) -> None:
    data = noise(300_000)
    with repository.transaction("put") as transaction:
        transaction.set_ref("tags/a", transaction.put_blob(data))
        transaction.set_ref("tags/b", transaction.put_blob(b"beside it" + data))
    [name] = [name for name in repository.store.snapshot.packs() if name.startswith("packs/")]
    at = repository.store.location(hash_bytes(data))
    flip(repository.store.files, name, at.offset + 1000)
    again = Repository(folder)
    assert not again.store.published(at.oid)
    with again.transaction("put") as transaction:
        transaction.put_blob(b"beside it" + data)
        transaction.set_ref("tags/a", transaction.put_blob(data))
    assert again.store.read(at.oid, "blob") == data
    assert Repository(folder).store.read(at.oid, "blob") == data
    assert Repository(folder).store.published(at.oid)
    held = [
        sum(at.oid == row.oid for row in rows_of(repository.store.files, each)) for each in again.store.snapshot.packs()
    ]
    assert sum(held) == 2
    assert all(name in problem for problem in problems(folder))  # the damaged pack is still named


def test_a_damaged_list_of_chunks_counts_as_absent_and_is_mended(repository: Repository, folder: Path) -> None:
    data = noise(5 << 20)
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(data)
        transaction.set_ref("tags/a", oid)
    [(name, at)] = repository.store.snapshot.find(oid)
    for position in (3, 35, at.stored - 1):  # an id, a size, the last size
        flip(repository.store.files, name, at.offset + RECORD_SIZE + position)
        again = Repository(folder)
        assert not again.store.published(oid)
        assert not again.store.complete(oid)
        with pytest.raises(DamagedError):
            again.store.read(oid, "blob")
        flip(repository.store.files, name, at.offset + RECORD_SIZE + position)
    assert Repository(folder).store.complete(oid)
    flip(repository.store.files, name, at.offset + RECORD_SIZE)
    again = Repository(folder)
    with again.transaction("put") as transaction:
        transaction.set_ref("tags/a", transaction.put_blob(data))
    assert again.store.read(oid, "blob") == data
    assert Repository(folder).store.read(oid, "blob") == data


def test_a_pack_is_hashed_once_a_process(hashed: list[str]) -> None:
    files = MemoryFiles()
    name = put_pack(files, blob(b"a"), blob(b"b"))
    commit(files, loose=[name])
    store = store_of(files)
    for _ in range(3):
        assert store.published(hash_bytes(b"a"))
        assert store.has(hash_bytes(b"b"))
    assert hashed == [name]


def test_what_this_process_wrote_is_not_hashed_again(repository: Repository, hashed: list[str]) -> None:
    with repository.transaction("put") as transaction:
        oid = transaction.put_blob(noise(400_000))
        transaction.set_ref("tags/a", oid)
    assert repository.store.published(oid)
    assert repository.store.published(hash_bytes(noise(400_000)))
    assert hashed == []


def test_a_large_pack_is_remembered_from_process_to_process(hashed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "_SMALL", 1000)
    files, notes = MemoryFiles(), Notes()
    large, small = put_pack(files, blob(noise(5000))), put_pack(files, blob(b"small"))
    for _ in range(3):
        known = Soundness(files, notes)
        assert known.vouches_for(large)
        assert known.vouches_for(small)
    assert hashed == [large, small, small, small]
    assert set(notes.whole) == {large}


def test_a_large_pack_whose_file_changed_is_looked_at_again(hashed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "_SMALL", 1000)
    files, notes = MemoryFiles(), Notes()
    name = put_pack(files, blob(noise(5000)))
    assert Soundness(files, notes).vouches_for(name)
    flip(files, name, 200)
    assert not Soundness(files, notes).vouches_for(name)
    flip(files, name, 200)
    assert Soundness(files, notes).vouches_for(name)
    assert hashed == [name] * 3


def test_a_pack_that_rots_though_its_file_looks_untouched_is_distrusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness, "_SMALL", 1000)
    files, notes = MemoryFiles(), Notes()
    good, bad = noise(5000, 1), noise(5000, 2)
    name = put_pack(files, blob(good), blob(bad))
    commit(files, loose=[name])
    assert store_of(files, notes).published(hash_bytes(bad))
    [at] = [at for at in rows_of(files, name) if at.oid == hash_bytes(bad)]
    flip(files, name, at.offset + 100)
    notes.note(name, files.signature(name))  # the disk says nothing
    store = store_of(files, notes)
    assert store.published(at.oid)  # nobody can know yet
    with pytest.raises(DamagedError):
        store.read(at.oid, "blob")
    assert not store.published(at.oid)
    assert store.published(hash_bytes(good))
    assert notes.whole == {}
    assert not store_of(files, notes).published(at.oid)


@pytest.mark.parametrize("damage", ["missing", "truncated", "no table"])
def test_nobody_vouches_for_a_pack_that_cannot_be_opened(damage: str) -> None:
    files = MemoryFiles()
    name = put_pack(files, blob(b"one"))
    if damage == "truncated":
        files.put(name, files.read(name)[:-1])
    elif damage == "no table":
        flip(files, name, -1)
    else:
        files.delete(name)
    assert not Soundness(files, NoMemo()).vouches_for(name)
    assert not Soundness(files, NoMemo()).vouches_for(PackName("packs/nowhere"))
