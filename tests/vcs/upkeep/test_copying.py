"""Taking objects out of a pack: each as it is stored and whole, from wherever it can be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from artvcs.vcs.errors import DamagedError
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import PackName
from artvcs.vcs.upkeep.gc import copying

from ..helpers import packs

CONTENTS = [os.urandom(size) for size in (10, 2000, 300_000, 5, 700_000, 1)]


def put(repository: Repository, *contents: bytes) -> PackName:
    """Publishes blobs as one more pack, whether they are stored already or not; returns its name."""
    before = packs(repository.layout.folder)
    other = Repository.init(repository.layout.folder.parent / f"other{len(before)}")
    with other.begin("put") as transaction, repository.begin("put") as publishing:
        for data in contents:
            publishing.bring(other.store.stored(transaction.put_blob(data)))
        publishing.seal()
        publishing.set_ref(f"tags/{len(before)}", transaction.put_blob(contents[0]))
    [made] = set(packs(repository.layout.folder)) - set(before)
    return PackName(str(made.relative_to(repository.layout.folder)))


def keys(repository: Repository) -> dict[bytes, bytes]:
    """Raw id → content."""
    with repository.begin("ask") as transaction:
        return {bytes.fromhex(transaction.put_blob(data)): data for data in CONTENTS}


def taken(repository: Repository, name: PackName, wanted: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {bytes.fromhex(item.oid): content for item, content in copying.items(repository.store, name, wanted)}


def damage(folder: Path, name: PackName, content: bytes) -> None:
    """Turns a bit in a stored object."""
    data = bytearray((folder / name).read_bytes())
    data[data.index(content)] ^= 1
    (folder / name).write_bytes(data)


def test_what_is_wanted_is_taken_in_the_order_in_which_it_lies(repository: Repository) -> None:
    name = put(repository, *CONTENTS)
    wanted = keys(repository)
    del wanted[list(wanted)[1]]
    assert list(taken(repository, name, wanted).items()) == list(wanted.items())


def test_what_is_damaged_is_taken_from_another_copy(repository: Repository, folder: Path) -> None:
    name = put(repository, *CONTENTS)
    wanted = keys(repository)
    damage(folder, name, CONTENTS[1])
    with pytest.raises(DamagedError):
        taken(Repository(folder), name, wanted)
    put(repository, CONTENTS[1])
    assert taken(Repository(folder), name, wanted) == wanted


def test_of_a_pack_that_is_gone_what_is_elsewhere_is_taken(repository: Repository, folder: Path) -> None:
    name = put(repository, *CONTENTS)
    wanted = keys(repository)
    put(repository, *CONTENTS[:3])
    (folder / name).unlink()
    assert taken(Repository(folder), name, wanted) == {
        key: data for key, data in wanted.items() if data in CONTENTS[:3]
    }
