"""The catalog answers as a scan of everything would, however its tables came to where they are."""

from __future__ import annotations

import dataclasses
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from artvcs.vcs.catalog import database, tables
from artvcs.vcs.catalog.catalog import Catalog
from artvcs.vcs.catalog.versions import Wanted
from artvcs.vcs.changes.intents import DeleteRun, DeleteVersion
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.errors import Conflict
from artvcs.vcs.maps import graph, ref_names, runs, uses, versions
from artvcs.vcs.maps.refs import RefMap
from artvcs.vcs.objects.kinds import Artifact, Commit, Input, Output, Version
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.objects.records import Record
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.packs.pack import RECORD_SIZE
from artvcs.vcs.storage.store import ObjectStore
from artvcs.vcs.upkeep import gc

from ..helpers import a_run, add_version, process, put_run
from .histories import STEPS, change, execution, step_run, steps, used

R = TypeVar("R", bound=Record)


def check(repository: Repository, refs: RefMap | None = None) -> None:
    """Compares each answer with that of a scan."""
    refs = refs or repository.refs()
    catalog = repository.catalog(refs)
    check_runs(catalog, refs)
    check_versions(catalog, refs)


def check_runs(catalog: Catalog, refs: RefMap) -> None:
    found = list(steps(refs))
    for name, artifact in {(each.name, each.artifact) for each in versions.every(refs)} | {("data", Oid("0" * 64))}:
        took = [(run, step) for run, step, record, commit in found if (name, artifact) in uses.taken(record, commit)]
        taken_by = catalog.runs.taken_by(name, artifact)
        assert sorted(taken_by) == sorted((run.run, step) for run, step in took)
        began = {run.run: run.started for run, _ in took}
        assert [began[run] for run, _ in taken_by] == sorted((began[run] for run, _ in taken_by), reverse=True)
        assert list(catalog.runs.steps_taking(name, artifact)) == sorted({(run.pipeline, step) for run, step in took})
        assert set(catalog.runs.users(name, artifact, limit=1000)) == used(refs, name, artifact)
        assert bool(catalog.runs.users(name, artifact, limit=1)) == bool(used(refs, name, artifact))
        made = {(each[3].finished, each[2].commit) for each in found if (name, artifact) in uses.made(each[2])}
        assert list(catalog.runs.commits(name, artifact)) == sorted(made, reverse=True)
    assert list(catalog.runs.commits()) == sorted({(each[3].finished, each[2].commit) for each in found}, reverse=True)
    for commit in {step.commit for _, _, step, _ in found}:
        having = [(run, step.status) for run, _, step, _ in found if step.commit == commit]
        executed = [run.run for run, status in having if status == "completed"]
        assert catalog.runs.executed(Oid(commit or "")) == (executed or [having[-1][0].run])[0]
    names = {step for _, step, _, _ in found}
    for start in ("", *STEPS, "t", "lo", "z"):
        assert list(catalog.runs.step_names(start)) == sorted(name for name in names if name.startswith(start))
    for step in STEPS:
        assert catalog.runs.latest_with(step) == next((run.run for run, name, _, _ in found if name == step), None)
    for status in ("running", "failed"):
        assert catalog.runs.with_status(status) == [
            run.run for run in runs.newest_first(refs) if run.status == status
        ]  # fmt: skip


def check_versions(catalog: Catalog, refs: RefMap) -> None:
    all_of_them = list(versions.every(refs))
    found = [refs.record(oid, Version) for _, oid in catalog.versions.select(Wanted())]
    assert found == all_of_them
    by_number = [refs.record(oid, Version) for _, oid in catalog.versions.select(Wanted(), "number", reverse=True)]
    assert by_number == sorted(all_of_them, key=lambda each: each.number, reverse=True)
    unused = [refs.record(oid, Version) for _, oid in catalog.versions.select(Wanted(unused=True))]
    assert unused == [each for each in all_of_them if not used(refs, each.name, each.artifact)]
    conditions: list[tuple[Wanted, Callable[[Version], bool]]] = [
        (Wanted(name="mo/del", tag="good"), lambda each: each.name == "mo/del" and "good" in each.tags),
        (Wanted(version="2"), lambda each: each.number == 2),
        (Wanted(type="value1"), lambda each: refs.record(each.artifact, Artifact).type == "tests.value1"),
        (Wanted(facts=[("kind", "=", "oak")]), lambda each: each.metadata.get("kind") == "oak"),
    ]
    for wanted, fits in conditions:
        selected = [refs.record(oid, Version) for _, oid in catalog.versions.select(wanted)]
        assert selected == [each for each in all_of_them if fits(each)]
    cached = {ref: refs.record(oid, Commit) for ref, oid in refs.items(ref_names.CACHE)}
    for artifact in {each.artifact for each in all_of_them}:
        made = {ref for ref, commit in cached.items() if artifact in {out.artifact for out in commit.outputs.values()}}
        assert set(catalog.results.that_made(artifact)) == made


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
def test_it_answers_as_a_scan_after_every_change(
    repository: Repository, folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where `cache.db` was deleted, another process goes on, an older moment is asked about, in small steps."""
    monkeypatch.setattr(tables, "_AT_ONCE", (1, 3, 20_000)[seed % 3])
    chance, earlier = random.Random(seed), repository.refs()
    for number in range(25):
        change(repository, chance)
        if number % 3 == 0:
            check(repository)
        if number % 7 == 0:
            check(repository, earlier)
            earlier = repository.refs()
        if number % 11 == 0:
            repository = Repository(folder)
        if number % 13 == 0:
            (folder / "cache.db").unlink(missing_ok=True)
    check(repository)


def test_only_what_changed_is_read_again(repository: Repository, reads: list[Oid]) -> None:
    chance = random.Random(1)
    for _ in range(40):
        change(repository, chance)
    check(repository)
    version = add_one(repository, "value7")
    reads.clear()
    again = Repository(repository.layout.folder)
    assert again.catalog().versions.rows("SELECT max(number) FROM versions WHERE name = 'one'") == [(1,)]
    assert set(reads) == {again.refs().get(ref_names.version("one", 1)), version.artifact}


def test_nodes_that_were_collected_are_not_needed(repository: Repository, folder: Path, reads: list[Oid]) -> None:
    """A state that nobody can read any more is no reason to read every record again."""
    chance = random.Random(2)
    for _ in range(40):
        change(repository, chance)
    check(repository)
    before = repository.refs().root
    for number in range(20):
        version = add_one(repository, f"value{number}")
    gc.collect(repository)
    again = Repository(folder)
    assert before is not None
    assert not again.store.has(before)
    reads.clear()
    again.catalog().versions.rows("SELECT 1")
    assert version.artifact in reads
    assert len(set(reads)) == 40
    check(again)


def test_a_catalog_of_another_clone_is_not_believed(tmp_path: Path) -> None:
    clones = [Repository.init(tmp_path / name / ".artifacts") for name in ("one", "two")]
    for seed, repository in enumerate(clones):
        chance = random.Random(seed)
        for _ in range(15):
            change(repository, chance)
        check(repository)
        repository.cache.close()
    shutil.copy(clones[0].layout.cache, clones[1].layout.cache)
    check(Repository(clones[1].layout.folder))


def test_rows_of_another_clone_are_compared_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if they were believed to be of this one."""
    monkeypatch.setattr(database.Database, "_mark", lambda self: 1)
    test_a_catalog_of_another_clone_is_not_believed(tmp_path)


@pytest.mark.long
def test_many_processes_bring_it_up_to_date_at_once(repository: Repository, folder: Path) -> None:
    work = """
import contextlib, random
from artvcs.vcs.errors import Conflict
from tests.vcs.catalog.histories import change
from tests.vcs.catalog.test_catalog import check
repository, chance = Repository(Path(args[0])), random.Random(int(args[1]))
for _ in range(8):
    with contextlib.suppress(Conflict):  # another used or changed it meanwhile
        change(repository, chance)
    check(repository)
"""
    writers = [process(work, folder, seed) for seed in range(4)]
    for writer in writers:
        _, error = writer.communicate()
        assert (writer.returncode, error) == (0, "")
    assert repository.refs().count(ref_names.RUNS) > 5
    check(repository)


def test_where_it_cannot_be_kept_it_is_made_in_memory(repository: Repository, folder: Path) -> None:
    (folder / "cache.db").mkdir()
    chance = random.Random(3)
    for _ in range(10):
        change(repository, chance)
        check(repository)


def test_nobody_waits_for_long_for_who_makes_it(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.01)
    check(repository)
    change(repository, random.Random(4))
    other = sqlite3.connect(folder / "cache.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    check(Repository(folder))
    other.close()


@pytest.mark.parametrize("kind", ["run", "commit", "version", "artifact"])
def test_what_is_damaged_hides_nothing_else_and_is_there_again_when_mended(
    repository: Repository, folder: Path, kind: str
) -> None:
    chance = random.Random(5)
    for _ in range(10):
        change(repository, chance)
    check(repository)
    (folder / "cache.db").unlink()
    head = repository.store.refresh()
    at = next(at for at in head.starting_with("").values() if at.kind == kind and led_to(repository, at.oid))
    damaged = [folder / name for name, _ in head.find(at.oid)]
    good = [path.read_bytes() for path in damaged]
    for path, data in zip(damaged, good, strict=True):
        place = next(each.offset for name, each in head.find(at.oid) if folder / name == path) + RECORD_SIZE
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    catalog = Repository(folder).catalog()
    assert bool(catalog.runs.unreadable()) == (kind in ("run", "commit"))
    assert list(catalog.runs.commits())
    assert list(catalog.versions.select(Wanted()))
    for path, data in zip(damaged, good, strict=True):
        path.write_bytes(data)
    check(Repository(folder))
    assert Repository(folder).catalog().runs.unreadable() == []


def test_a_change_sees_what_its_own_runs_use(repository: Repository) -> None:
    """The catalog is of the state below; what the change itself makes and deletes comes on top."""
    with repository.transaction("two runs") as transaction:
        made, took = (add_version(transaction, name, name) for name in ("made", "took"))
        source = Input(took.artifact, "took", None, None)
        commit = execution(transaction, "train", source, Output(made.artifact, "made"), 5)
        step = step_run("train", "completed", commit, source, Output(made.artifact, "made"))
        for run_id in ("one", "two"):
            put_run(transaction, dataclasses.replace(a_run(run_id, "completed"), steps={"train": step}))
    with repository.transaction("delete all") as transaction:
        for run_id in ("one", "two"):
            user = transaction.need("took", took.artifact)
            assert user is not None
            with pytest.raises(Conflict, match="is used by the run a-run"):
                delete(transaction, "made")
            transaction.add(DeleteRun(run_id))
        delete(transaction, "made")
        assert transaction.need("took", took.artifact) is None
        put_run(transaction, dataclasses.replace(a_run("three"), steps={"train": step}))
        with pytest.raises(Conflict, match="is used by the run a-run"):
            delete(transaction, "took")
    assert [each.name for each in versions.every(repository.refs())] == ["took"]


def test_deleting_a_version_reads_no_other_runs(repository: Repository, reads: list[Oid]) -> None:
    chance = random.Random(6)
    for _ in range(40):
        change(repository, chance)
    add_one(repository, "value1")
    check(repository)
    reads.clear()
    with repository.transaction("delete") as transaction:
        delete(transaction, "one")
    assert len(set(reads)) < 5


def test_somebody_can_watch_how_far_it_is(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_EVERY", -1.0)
    chance = random.Random(7)
    for _ in range(5):
        change(repository, chance)
    (folder / "cache.db").unlink(missing_ok=True)
    told: list[tuple[int, int]] = []
    token = tables.watcher.set(lambda done, of: told.append((done, of)))
    try:
        Repository(folder).catalog().runs.unreadable()
    finally:
        tables.watcher.reset(token)
    total = repository.refs().count(ref_names.RUNS)
    assert told == [(done, total) for done in range(total + 1)]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Oid]:
    """The records, nodes of refs left out, that were read."""
    found: list[Oid] = []
    real = ObjectStore.record

    def record(self: ObjectStore, oid: Oid, cls: type[R], *, keep: bool = True) -> R:
        if cls.KIND != "refs":
            found.append(oid)
        return real(self, oid, cls, keep=keep)

    monkeypatch.setattr(ObjectStore, "record", record)
    return found


def add_one(repository: Repository, value: str) -> Version:
    """A version of `one`."""
    with repository.transaction("one more") as transaction:
        return add_version(transaction, "one", value)


def delete(transaction: Transaction, name: str) -> None:
    """Deletes the first version of a name."""
    expected = transaction.get(ref_names.version(name, 1))
    assert expected is not None
    transaction.add(DeleteVersion(name, 1, expected))


def led_to(repository: Repository, oid: Oid) -> bool:
    """Whether the newest refs lead there."""
    root = repository.refs().root
    assert root is not None
    return oid in {at.oid for at in graph.reachable(repository.store, [root])}
