"""Several collect the garbage of a repository elsewhere while others push and fetch: nothing is lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest
from obstore.store import MemoryStore

from artvcs.testing.tools import at_once
from artvcs.vcs.changes import publish
from artvcs.vcs.errors import Collected
from artvcs.vcs.remotes.exchange import garbage
from artvcs.vcs.remotes.exchange.mirror import mirror
from artvcs.vcs.remotes.far_store import FarLog
from artvcs.vcs.remotes.nearby import Nearby
from artvcs.vcs.remotes.places.bucket import BucketFiles
from artvcs.vcs.remotes.places.far_files import FarFiles
from artvcs.vcs.remotes.places.folder import FolderFiles
from artvcs.vcs.remotes.places.probe import Guarantees
from artvcs.vcs.storage.op_log import Outcome
from artvcs.vcs.storage.packs.op_file import Entry

from ..helpers import problems
from . import places
from .test_push import Machine

PUSHES = 12
DAY = 24 * 3600.0


def memory(_: pytest.MonkeyPatch, store: MemoryStore) -> Callable[[], FarFiles]:
    return lambda: BucketFiles(store, "team", "mem://team")


def s3(patch: pytest.MonkeyPatch, _: MemoryStore) -> Callable[[], FarFiles]:
    address = places.s3(patch)
    return lambda: places.files(address)


def azure(patch: pytest.MonkeyPatch, _: MemoryStore) -> Callable[[], FarFiles]:
    address = places.azure(patch)
    return lambda: places.files(address)


def push_often(ours: Machine, me: int, collectors: Collectors) -> int:
    """Pushes, again and again, what is too much for an op's own file, while there is much collecting; how often."""
    number = 0
    while number < PUSHES or not collectors.have_done_much:
        number += 1
        ours.save(f"made-by-{me}", os.urandom(60_000), b"%d %d" % (me, number))
        pushed = None
        while pushed is None:
            with suppress(Collected):
                pushed = ours.push()
    ours.bring_all()
    return number


def skew(patch: pytest.MonkeyPatch, clocks: dict[str, float]) -> None:
    """Some threads have clocks of their own, and take what a place says for times by these."""
    now, now_ns, ages = time.time, time.time_ns, BucketFiles.ages

    def ahead() -> float:
        return clocks.get(threading.current_thread().name, 0.0)

    def skewed(files: BucketFiles, folder: str) -> Iterator[tuple[str, float]]:
        return ((name, age + ahead()) for name, age in ages(files, folder))

    patch.setattr(time, "time", lambda: now() + ahead())
    patch.setattr(time, "time_ns", lambda: now_ns() + int(ahead() * 1e9))
    patch.setattr(BucketFiles, "ages", skewed)


class Collectors:
    """Machines that collect all the time, as long as the block lasts."""

    def __init__(self, machines: list[Machine]) -> None:
        self.count = 0
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._collect, args=[each], name=f"collector-{number}")
            for number, each in enumerate(machines, 1)
        ]
        self._failed: list[BaseException] = []

    def _collect(self, ours: Machine) -> None:
        while not self._done.is_set():
            try:
                with suppress(Collected):
                    assert garbage.collect(ours.near, ours.remote, max_unused=0).plan.lost == {}
                self.count += 1
            except BaseException as error:
                self._failed.append(error)
                raise

    @property
    def have_done_much(self) -> bool:
        """Whether nobody has to wait for them any more: also where one has failed, as is said in the end."""
        return self.count >= 4 or bool(self._failed)

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for each in self._threads:
            each.join()
        assert self._failed == []


@pytest.mark.parametrize(
    "place",
    [memory, pytest.param(s3, marks=pytest.mark.remotes), pytest.param(azure, marks=pytest.mark.remotes)],
    ids=["memory", "s3", "azure"],
)
@pytest.mark.parametrize("when", ["spared", "at once", "skewed"])
def test_collectors_beside_pushers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, place: Callable[..., Callable[[], FarFiles]]
) -> None:
    """Also where what is being sent is taken away at once, as after a day: then a push begins anew.

    And where one collector's clock is days ahead, so that all is old for it, and the other's behind.
    """
    if when == "at once":
        monkeypatch.setattr(garbage, "_SPARED", -1e9)
    files = place(monkeypatch, MemoryStore())
    if when == "skewed":
        # Tests of the place are swept as well then, and say so: see test_probe.
        monkeypatch.setattr("artvcs.vcs.remotes.remote.probe", lambda _: Guarantees(()))
        skew(monkeypatch, {"collector-1": 30 * DAY, "collector-2": -30 * DAY})

    def machine(name: str) -> Machine:
        found = Machine(tmp_path / name, MemoryStore())
        found.files = files()
        return found

    first = machine("first")
    first.save("first", b"x")
    first.push()
    with Collectors([machine("collector-1"), machine("collector-2")]) as collectors:
        pushers = [machine(f"pusher-{me}") for me in range(3)]
        pushed = at_once([lambda me=me: push_often(pushers[me], me, collectors) for me in range(3)])  # type: ignore[misc]
    last = machine("last")
    last.fetch()
    assert len(last.versions()) == 1 + sum(pushed)
    last.bring_all()
    mirror(last.remote, FolderFiles(tmp_path / "mirror"), "the mirror")
    for folder in (tmp_path / "mirror", tmp_path / "last" / ".artifacts"):
        assert problems(folder) == []


def test_what_others_have_made_again_stays(tmp_path: Path) -> None:
    """A collector's plan is made; then somebody pushes what was garbage by it."""
    place = MemoryStore()
    ada, ben = (Machine(tmp_path / name, place) for name in ("ada", "ben"))
    content = os.urandom(60_000)
    saved = ada.save("data", content)
    ada.push()
    ben.fetch()
    garbage.give_up(ada.near, ada.remote, saved)
    original = garbage._There.abandoned

    def late(self: garbage._There, head: object) -> list[object]:
        again = ben.save("again", content)
        assert again.artifact == saved.artifact
        ben.push()
        return original(self, head)  # type: ignore[arg-type,return-value]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(garbage._There, "abandoned", late)
        garbage.collect(ada.near, ada.remote, max_unused=0)
    eve = Machine(tmp_path / "eve", place)
    eve.fetch()
    eve.bring_all()
    assert set(eve.versions()) == {"data@1", "again@1"}


@pytest.mark.parametrize("collector", ["before the change is named", "after its index was seen"])
def test_an_index_that_a_collector_takes_for_garbage_as_it_is_named_stays(tmp_path: Path, collector: str) -> None:
    """Also for a collector whose clock is a month ahead: who has named an index looks whether it is there, and who has
    deleted one whether it is named by now."""
    place = MemoryStore()
    ada, ben = (Machine(tmp_path / name, place) for name in ("ada", "ben"))
    ada.save("data", b"1")
    ada.push()
    ben.fetch()
    ada.save("data", b"2")
    commit, delete = FarLog.commit, Nearby.delete
    about_to_delete, named, swept = threading.Event(), threading.Event(), list[str]()

    def late_commit(log: FarLog, entry: Entry, visible: Callable[[], object]) -> Outcome:
        """The index has been sent: now the collector comes."""
        if not entry.op.state.segments or sweeper.ident is not None:
            return commit(log, entry, visible)
        sweeper.start()
        about_to_delete.wait(60)
        if collector == "before the change is named":
            named.set()
            sweeper.join()
        return commit(log, entry, visible)

    def late_delete(files: Nearby, name: str) -> None:
        about_to_delete.set()
        named.wait(60)
        delete(files, name)
        swept.append(name)

    def sweep() -> None:
        there = ben.remote
        there.look()
        garbage._There(there).sweep()

    sweeper = threading.Thread(target=sweep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "MAX_LOOSE", 1)
        patch.setattr(garbage, "_INDEX_SPARED", -1e9)
        patch.setattr(FarLog, "commit", late_commit)
        patch.setattr(Nearby, "delete", late_delete)
        ada.push()
        named.set()
        sweeper.join()
    assert any(name.startswith("index/") for name in swept)
    eve = Machine(tmp_path / "eve", place)
    eve.fetch()
    eve.bring_all()
    assert set(eve.versions()) == {"data@1", "data@2"}
