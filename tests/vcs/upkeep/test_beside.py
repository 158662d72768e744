"""Garbage collection beside writers and readers: it stops nobody, and takes nothing that anybody relies on."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from artvcs.vcs.changes import gathering
from artvcs.vcs.changes.intents import AddVersion, DeleteVersion, EditVersion
from artvcs.vcs.changes.publish import Publisher
from artvcs.vcs.maps import graph, ref_names, trees
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.objects.kinds import Artifact
from artvcs.vcs.objects.nodes import FILE, Entry, Tree
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.disk import leases
from artvcs.vcs.storage.disk.locks import Lock
from artvcs.vcs.storage.layout import PackName
from artvcs.vcs.storage.op_log import OpLog, Outcome
from artvcs.vcs.storage.packs.op_file import Entry as LogEntry
from artvcs.vcs.storage.packs.pack import Item
from artvcs.vcs.storage.store import ObjectStore
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.gc import copying
from artvcs.vcs.upkeep.gc.mark import Mark

from ..helpers import (
    killed,
    outputs,
    packs,
    problems,
    process,
    put_text,
    put_text_in,
    random_text,
    tags,
    version_of,
    versions,
)

LARGE = random_text(1)


@pytest.fixture
def writer(repository: Repository, folder: Path) -> Repository:
    """Somebody else's process."""
    return Repository(folder)


def drop(repository: Repository, *refs: str) -> None:
    with repository.begin("drop") as transaction:
        for ref in refs:
            transaction.set_ref(ref, None)


def read(folder: Path, ref: str) -> str:
    repository = Repository(folder)
    oid = repository.refs().get(ref)
    assert oid is not None
    return repository.store.read(oid, "blob").decode()


# What a writer relies on


@pytest.fixture
def dead(repository: Repository) -> None:
    """A large text that nothing leads to any more."""
    put_text(repository, "tags/old", LARGE)
    drop(repository, "tags/old")


@pytest.mark.usefixtures("dead")
def test_what_a_writer_took_to_be_stored_is_there_when_it_publishes(
    repository: Repository, writer: Repository, folder: Path
) -> None:
    with writer.transaction("takes the dead blob to be stored") as transaction:
        put_text_in(transaction, "tags/new", LARGE)
        done = gc.collect(repository)
        assert [verdict.action for verdict in done.plan.verdicts if verdict.pack.startswith("packs")] == ["delete"]
        assert done.held_by == (os.getpid(),)
        assert len(packs(folder)) == 1  # condemned, and not deleted while somebody uses it
    gc.collect(repository)
    assert read(folder, "tags/new") == LARGE
    assert problems(folder) == []


@pytest.mark.usefixtures("dead")
def test_also_where_the_writer_had_looked_at_something_newer_meanwhile(
    repository: Repository, writer: Repository, folder: Path
) -> None:
    with writer.transaction("takes the dead blob to be stored") as transaction:
        put_text_in(transaction, "tags/new", LARGE)
        gc.collect(repository)
        assert writer.refs().get("tags/old") is None  # in another thread, say
        put_text(writer, "tags/another", "x")
    assert read(folder, "tags/new") == LARGE
    assert problems(folder) == []


@pytest.mark.usefixtures("dead")
def test_what_is_put_after_the_collection_is_stored_anew(
    repository: Repository, writer: Repository, folder: Path
) -> None:
    with writer.transaction("late") as transaction:
        gc.collect(repository)
        assert writer.refs().get("tags/old") is None
        put_text_in(transaction, "tags/new", LARGE)
    gc.collect(repository)
    assert read(folder, "tags/new") == LARGE
    assert problems(folder) == []


def test_a_cached_result_that_was_deleted_meanwhile_is_whole_in_the_run_that_uses_it(
    repository: Repository, writer: Repository, folder: Path
) -> None:
    artifact = add_large_version(repository, "model", LARGE)
    with writer.transaction("a hit") as transaction:
        version = version_refs.by_value(transaction, "model", artifact)
        assert version is not None
        transaction.add(AddVersion(version_of("model", artifact), {}))
        with repository.begin("delete") as deleting:
            deleting.add(DeleteVersion("model", 1, version.oid))
        gc.collect(repository)
    gc.collect(repository)
    [version] = versions(Repository(folder), "model")
    assert version.number == 2
    assert content(Repository(folder), version.artifact) == LARGE
    assert problems(folder) == []


def add_large_version(repository: Repository, name: str, text: str) -> Oid:
    """Publishes a version whose data is a file with this text."""
    with repository.begin("add") as transaction:
        blob = transaction.put_blob(text.encode())
        payload = transaction.put(Tree(0, (Entry("data", FILE, blob, len(text)),)))
        artifact = transaction.put(Artifact("tests.Text", "text", 1, payload, len(text), False))
        transaction.add(AddVersion(version_of(name, artifact), {}))
    return artifact


def content(repository: Repository, artifact: Oid) -> str:
    store = repository.store
    [entry] = trees.entries(store, store.record(artifact, Artifact).payload)
    return store.read(entry.id, "blob").decode()


def test_a_collection_between_two_lost_attempts_to_publish(
    repository: Repository, writer: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_text(repository, "tags/old", LARGE)
    commit, attempts = OpLog.commit, []

    def others_are_faster(log: OpLog, entry: LogEntry, visible: Callable[[], object]) -> Outcome:
        if log is writer.store.log:
            attempts.append(entry.seq)
            if len(attempts) == 1:
                drop(repository, "tags/old")
            elif len(attempts) == 2:
                gc.collect(repository)
            elif len(attempts) == 3:
                put_text(repository, "tags/other", "x")
                gc.collect(repository)
        return commit(log, entry, visible)

    with monkeypatch.context() as racing:
        racing.setattr(OpLog, "commit", others_are_faster)
        with writer.transaction("slow") as transaction:
            put_text_in(transaction, "tags/new", LARGE)
            transaction.publish()
    assert len(attempts) == 4
    gc.collect(repository)
    assert read(folder, "tags/new") == LARGE
    assert problems(folder) == []


def test_an_edit_of_a_version_whose_data_was_pruned(repository: Repository, writer: Repository, folder: Path) -> None:
    """There is nothing to bring along, and nothing missing."""
    artifact = add_large_version(repository, "model", LARGE)
    with repository.begin("prune") as transaction:
        transaction.set_ref(ref_names.pruned(artifact), artifact)
    gc.collect(repository)
    put_text(repository, "tags/a", random_text(2))
    drop(repository, "tags/a")
    with writer.transaction("edit") as transaction:
        transaction.add(EditVersion("model", artifact, {"note": "x"}))
        gc.collect(repository)
    [version] = versions(repository, "model")
    assert version.metadata == {"note": "x"}
    assert problems(folder) == []


def test_an_edit_of_a_version_of_which_something_was_lost(
    repository: Repository, writer: Repository, folder: Path
) -> None:
    """It is lost as before, and keeps nobody from noting that."""
    artifact = add_large_version(repository, "model", LARGE)
    [pack] = packs(folder)
    pack.unlink()
    put_text(repository, "tags/a", random_text(2))
    drop(repository, "tags/a")
    with writer.transaction("edit") as transaction:
        transaction.add(EditVersion("model", artifact, {"note": "lost"}))
        gc.collect(repository)
    [version] = versions(Repository(folder), "model")
    assert version.metadata == {"note": "lost"}


def test_what_comes_to_life_while_garbage_is_looked_for_stays(
    repository: Repository, writer: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_text(repository, "tags/old", LARGE)
    drop(repository, "tags/old")

    def revive() -> None:
        put_text(writer, "tags/new", LARGE)

    _once_before_condemning(monkeypatch, revive)
    gc.collect(repository)
    assert read(folder, "tags/new") == LARGE
    assert problems(folder) == []


def test_pruned_data_that_is_made_again_while_garbage_is_looked_for_stays(
    repository: Repository, writer: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = add_large_version(repository, "model", LARGE)
    with repository.begin("prune") as transaction:
        transaction.set_ref(ref_names.pruned(artifact), artifact)

    def make_again() -> None:
        with writer.begin("made again") as transaction:
            transaction.put_blob(LARGE.encode())
            transaction.add(AddVersion(version_of("model", artifact), {}))
            transaction.set_ref(ref_names.pruned(artifact), None)

    _once_before_condemning(monkeypatch, make_again)
    gc.collect(repository)
    assert content(Repository(folder), artifact) == LARGE
    assert problems(folder) == []


def _once_before_condemning(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> None:
    """Does `work` after a collector has made its plan, and before it condemns anything."""
    publish = Publisher.publish
    done: list[bool] = []

    def around(publisher: Publisher, change: object) -> object:
        if not done:
            done.append(True)
            work()
        return publish(publisher, change)  # type: ignore[arg-type]

    monkeypatch.setattr(Publisher, "publish", around)


# What is swept


@pytest.mark.long
@pytest.mark.parametrize("look", range(1, 5))
def test_a_pack_that_is_published_while_strays_are_looked_for_stays(
    repository: Repository, writer: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    """A writer ends just when the collector looks who is alive: its pack is no stray."""
    put_text(repository, "tags/old", random_text(2))
    drop(repository, "tags/old")
    transaction = writer.transaction("ends during the sweep")
    put_text_in(transaction, "tags/new", LARGE)
    transaction.seal()
    for pack in packs(folder):
        os.utime(pack, (time.time() + 0.001,) * 2)
    holders, looks = leases.holders, []

    def end_first(leased: Path) -> list[leases.Holder]:
        looks.append(leased)
        if len(looks) == look:
            transaction.publish()
            transaction.close()
            time.sleep(1.1)
        return holders(leased)

    with monkeypatch.context() as racing:
        racing.setattr(leases, "holders", end_first)
        gc.collect(repository)
    assert len(looks) >= look
    assert read(folder, "tags/new") == LARGE
    assert problems(folder) == []


def test_strays_go_when_nobody_can_want_them(repository: Repository, folder: Path) -> None:
    transaction = repository.transaction("dies")
    put_text_in(transaction, "tags/new", LARGE)
    transaction.seal()
    transaction._incoming.forget_packs()  # as if its process had been killed
    transaction.close()
    [stray] = packs(folder)
    os.utime(stray, (time.time() - 3600,) * 2)
    size = stray.stat().st_size
    with repository.transaction("began later"):
        planned = gc.plan(Repository(folder))
        assert (planned.freed, [*planned.leftovers.values()]) == (size, [size])  # and says so
        assert packs(folder) == [stray]
        done = gc.collect(Repository(folder))
    assert (done.plan.freed, done.plan.leftovers) == (size, planned.leftovers)
    assert packs(folder) == []


# Readers


def test_a_reader_with_a_lease_keeps_what_it_uses(repository: Repository, writer: Repository, folder: Path) -> None:
    put_text(repository, "tags/old", LARGE)
    with writer.transaction("reads") as reader:
        drop(repository, "tags/old")
        gc.collect(repository)
        for number in range(3):
            put_text(repository, f"tags/{number}", random_text(number + 2))
            drop(repository, f"tags/{number}")
            gc.collect(repository)
        oid = reader.get("tags/old")
        assert oid is not None
        assert writer.refs().get("tags/old") is None  # it has looked at something newer, too
        assert writer.store.read(oid, "blob").decode() == LARGE
    gc.collect(repository)
    assert packs(folder) == []


def test_a_reader_keeps_what_it_uses_as_long_as_it_says_so(
    repository: Repository, writer: Repository, folder: Path
) -> None:
    oid = put_text(repository, "tags/old", LARGE)
    with writer.reading():
        refs = writer.refs()
        drop(repository, "tags/old")
        gc.collect(repository)
        assert writer.refs().get("tags/old") is None
        assert refs.get("tags/old") == oid
        assert writer.store.read(oid, "blob").decode() == LARGE
    gc.collect(repository)
    assert packs(folder) == []


def test_a_transaction_goes_on_reading_the_refs_it_began_with(repository: Repository, writer: Repository) -> None:
    for number in range(200):
        put_text(repository, f"tags/{number:03d}", str(number))
    with writer.transaction("slow") as transaction:
        for number in range(200):
            put_text(repository, f"tags/{number:03d}", "new")
        gc.collect(repository)
        gc.collect(repository)
        put_text(writer, "tags/other", "x")
        assert len(list(transaction.items("tags/"))) == 200
        oid = transaction.get("tags/007")
        assert oid is not None
        assert writer.store.read(oid, "blob") == b"7"


def test_a_reader_without_a_lease_looks_again(repository: Repository, writer: Repository, folder: Path) -> None:
    oid = put_text(repository, "tags/a", LARGE)
    garbage = put_text(repository, "tags/b", random_text(2))
    assert writer.store.has(oid)
    drop(repository, "tags/b")
    gc.collect(repository, max_unused=0)
    for number in range(100):
        put_text(repository, "tags/c", str(number))
    gc.collect(repository, max_unused=0)
    assert writer.store.read(oid, "blob").decode() == LARGE
    assert writer.store.read(tags(writer)["tags/c"], "blob") == b"99"
    assert not writer.store.has(garbage)


# Two collectors


def test_two_collections_at_once(
    repository: Repository, writer: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each as far as the other lets it: in between, garbage is made and things come to life."""
    for number in range(8):
        put_text(repository, f"tags/{number}", random_text(number, 300_000))
    drop(repository, "tags/1", "tags/2")

    def another() -> None:
        drop(writer, "tags/3")
        gc.collect(writer, max_unused=0)

    _once_before_condemning(monkeypatch, another)
    gc.collect(repository, max_unused=0)
    assert [read(folder, f"tags/{number}") for number in (0, 4, 5, 6, 7)] == [
        random_text(number, 300_000) for number in (0, 4, 5, 6, 7)
    ]
    assert problems(folder) == []


def test_what_dies_while_packs_are_written_anew_stops_nothing(
    repository: Repository, writer: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        put_text(repository, f"tags/{number}", random_text(number, 300_000))
    made = gc.plan(repository)
    assert len(made.packs("rewrite")) == 6  # several small packs
    brought: list[object] = []
    items = copying.items

    def another_first(store: ObjectStore, name: PackName, keys: Iterable[bytes]) -> Iterator[tuple[Item, bytes]]:
        if not brought:
            brought.append(True)
            drop(writer, "tags/3")
            gc.collect(writer, max_unused=0)
        return items(store, name, keys)

    with monkeypatch.context() as racing:
        racing.setattr(copying, "items", another_first)
        gc.collect(repository, max_unused=0)
    assert sorted(tags(Repository(folder))) == [f"tags/{number}" for number in (0, 1, 2, 4, 5)]
    assert read(folder, "tags/5") == random_text(5, 300_000)
    assert problems(folder) == []


# For a while


WRITE = """
import time
repository = Repository(Path(args[0]))
took, count = [], 0
while not (Path(args[0]).parent / "stop").exists():
    begun = time.monotonic()
    with repository.transaction("write") as transaction:
        more = random_text(count % 7, 150_000) * (count % 3)
        put_text_in(transaction, f"tags/{args[1]}/{count % 5}", f"{args[1]} {count}" + more)
        add_version(transaction, "model", f"{args[1]}x{count % 10}")
    took.append(time.monotonic() - begun)
    if not count:
        print("began", flush=True)
    count += 1
print(*took[3:])
"""


LONGEST = 5.0
"""Seconds: ten times as long as a writer queues before it goes ahead without a turn."""


def write_for_a_while(folder: Path, writers: int, meanwhile: Callable[[], None]) -> list[float]:
    """Lets so many processes write without a pause; returns the seconds that each publishing took, sorted."""
    stop = folder.parent / "stop"
    processes = [process(WRITE, folder, number) for number in range(writers)]
    try:
        for each in processes:
            assert each.stdout is not None
            assert each.stdout.readline() == "began\n"
        meanwhile()
    finally:
        stop.touch()
    told = [line.split() for line in outputs(processes)]
    stop.unlink()
    return sorted(float(seconds) for line in told for seconds in line)


@pytest.mark.parametrize(("rounds", "limit"), [(3, 2.0), pytest.param(40, 0.1, marks=pytest.mark.faults)])
def test_a_collection_beside_eight_writers_ends_and_nobody_waits_for_it(
    repository: Repository, folder: Path, rounds: int, limit: float
) -> None:
    """Nineteen writes of twenty take no longer; the rest may come late to their turn, for which nobody waits long.

    The writers before, for comparison, share the processors with somebody as busy who is in nobody's way.
    """
    write_for_a_while(folder, 8, lambda: time.sleep(0.5))  # so that there is something to check
    another = folder.parent / "another" / folder.name
    shutil.copytree(folder, another)
    took: list[float] = []

    def check_another_again_and_again() -> None:
        until = time.monotonic() + rounds * 0.2
        while time.monotonic() < until:
            assert problems(another) == []

    def collect_again_and_again() -> None:
        for number in range(rounds):
            begun = time.monotonic()
            gc.collect(Repository(folder), max_unused=0.05 if number % 2 else 0)
            took.append(time.monotonic() - begun)
            assert problems(folder) == []

    apart = write_for_a_while(folder, 8, check_another_again_and_again)
    beside = write_for_a_while(folder, 8, collect_again_and_again)
    assert len(beside) > 8
    assert max(took) < 60
    assert beside[len(beside) * 95 // 100] - apart[len(apart) * 95 // 100] < limit
    assert beside[-1] < LONGEST
    assert problems(folder) == []
    for ref, oid in tags(Repository(folder)).items():
        assert Repository(folder).store.read(oid, "blob").decode().startswith(ref.split("/")[1])
    gc.collect(Repository(folder), max_unused=0)
    assert problems(folder) == []


def test_what_is_alive_is_found_beside_writers(repository: Repository, writer: Repository) -> None:
    """A mark goes on from an older one, and knows what a new one would know."""
    for number in range(100):
        put_text(repository, f"tags/{number}", str(number))
    mark = Mark(repository.store)
    mark.catch_up(repository.store.refresh())
    for number in range(50, 150):
        put_text(writer, f"tags/{number}", f"new {number}")
    add_large_version(writer, "model", LARGE)
    mark.catch_up(repository.store.refresh())
    root = repository.refs().root
    assert root is not None
    assert {key.hex() for key in mark.live} >= {at.oid for at in graph.reachable(repository.store, [root])}
    assert mark.lost == {}


# What is on its way, whatever the clock says


def set_back(folder: Path) -> None:
    """As after the clock was set back, or on another machine's disk whose clock is behind."""
    for path in [*folder.glob("packs/*/*"), *folder.glob("incoming/*")]:
        os.utime(path, (1_000_000_000, 1_000_000_000))


def test_packs_of_a_writer_that_goes_on_stay(
    repository: Repository, writer: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "PACK_SIZE", 50_000)
    with writer.transaction("large") as transaction:
        put_text_in(transaction, "tags/large", random_text(3, 200_000))
        put_text_in(transaction, "tags/more", random_text(4, 200_000))
        assert packs(folder)
        set_back(folder)
        gc.collect(repository)
    assert problems(folder) == []
    assert read(folder, "tags/large") == random_text(3, 200_000)


DIES = """
from artvcs.vcs.changes import gathering
gathering.PACK_SIZE = 50_000
put_text_in(transaction, "tags/a", random_text(3, 200_000))
"""


def test_packs_of_a_dead_writer_stay_while_somebody_recovers_it(repository: Repository, folder: Path) -> None:
    killed(folder, f"{DIES}transaction.checkpoint()")
    set_back(folder)
    [journal] = folder.glob("incoming/*.journal")
    recovering = Lock.take(journal)
    assert recovering is not None
    gc.collect(repository)
    recovering.release()
    assert repository.recover()
    assert problems(folder) == []
    assert read(folder, "tags/a") == random_text(3, 200_000)


def test_packs_of_a_writer_that_died_before_it_meant_anything_go(repository: Repository, folder: Path) -> None:
    killed(folder, DIES)
    assert packs(folder)
    set_back(folder)
    gc.collect(repository)
    assert packs(folder) == []
    assert list(folder.glob("incoming/*")) == []
