"""Recovery: what a killed process had landed is published by the next one that changes the repository."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from artvcs.vcs.changes.recovery import Recovered
from artvcs.vcs.errors import DamagedError
from artvcs.vcs.maps import runs
from artvcs.vcs.objects.kinds import Run
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import gc

from ..helpers import (
    a_run,
    add_version,
    files,
    killed,
    packs,
    problems,
    process,
    put_run,
    put_text,
    put_text_in,
    random_text,
    tags,
    versions,
)


def incoming(repository: Repository) -> list[str]:
    return sorted(path.suffix for path in repository.layout.incoming.iterdir())


LAND = """
put_text_in(transaction, "tags/a", "a")
add_version(transaction, "model", "x")
transaction.checkpoint()
put_text_in(transaction, "tags/never", "never landed")
"""

SMALL_PACKS = """
from artvcs.vcs.changes import gathering
gathering.PACK_SIZE = 10_000
"""
"""Packs are full after a few objects."""


# What had landed


def test_what_had_landed_is_published_and_the_rest_is_dropped(repository: Repository, folder: Path) -> None:
    killed(folder, LAND)
    assert problems(folder) == []
    assert repository.recover() == [Recovered("killed", 2)]
    assert {ref.split("/")[0] for ref, _ in repository.refs().items()} == {"tags", "artifacts", "values", "newest"}
    assert repository.store.read(tags(repository)["tags/a"], "blob") == b"a"
    assert incoming(repository) == []
    assert problems(folder) == []


def test_opening_publishes_nothing(repository: Repository, folder: Path) -> None:
    killed(folder, LAND)
    before = files(folder)
    assert Repository(folder).refs().root is None
    assert problems(folder) == []
    assert files(folder) == before


def test_the_next_change_and_the_next_command_publish_it(repository: Repository, folder: Path) -> None:
    killed(folder, LAND)
    put_text(Repository(folder), "tags/b", "b")
    assert tags(repository).keys() == {"tags/a", "tags/b"}
    killed(folder, 'put_text_in(transaction, "tags/c", "c")\ntransaction.checkpoint()')
    assert tags(Repository.discover(folder.parent)).keys() == {"tags/a", "tags/b", "tags/c"}


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_what_had_not_landed_leaves_nothing(repository: Repository, folder: Path, size: int) -> None:
    before = files(folder)
    killed(folder, f'transaction.set_ref("tags/a", transaction.put_blob(os.urandom({size})))')
    repository.recover()
    gc.collect(repository)
    assert files(folder) == before
    assert incoming(repository) == []


def test_recovered_versions_give_way_to_those_published_since(repository: Repository, folder: Path) -> None:
    with repository.transaction("in a process that had begun before") as transaction:
        killed(folder, LAND)
        add_version(transaction, "model", "y")
    assert [version.number for version in versions(repository, "model")] == [1]
    repository.recover()
    assert [version.number for version in versions(repository, "model")] == [1, 2]


def test_what_cannot_be_meant_any_more_is_left_out(repository: Repository, folder: Path) -> None:
    with repository.transaction("add") as transaction:
        version = add_version(transaction, "model", "x")
    killed(
        folder,
        f"""
from artvcs.vcs.changes.intents import *
transaction.add(EditVersion("model", {version.artifact!r}, {{}}, tags=("late",)))
put_text_in(transaction, "tags/a", "a")
transaction.checkpoint()
with repository.begin("meanwhile") as deleting:
    deleting.add(DeleteVersion("model", 1, {version.oid!r}))
""",
    )
    repository.recover()
    assert versions(repository, "model") == []
    assert tags(repository).keys() == {"tags/a"}
    assert problems(folder) == []


def test_a_run_whose_process_died_is_interrupted(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
put_run(transaction, a_run("r1"))
put_run(transaction, a_run("r2"))
put_run(transaction, a_run("r2", "completed"), a_run("r2"))
transaction.checkpoint()
""",
    )
    repository.recover()
    refs = dict(repository.refs().items("runs/"))
    states = {ref: repository.store.record(oid, Run).status for ref, oid in refs.items()}
    assert states == {"runs/r1": "interrupted", "runs/r2": "completed"}
    interrupted = repository.store.record(refs["runs/r1"], Run)
    assert interrupted.finished is not None
    assert problems(folder) == []


def test_steps_that_had_ended_are_in_the_record_of_a_run_that_died(repository: Repository, folder: Path) -> None:
    """Its record is written now and then; what ends in between is said by itself."""
    killed(
        folder,
        """
from artvcs.vcs.changes.intents import EndStep
run = of_steps(a_run("r1"), 300, transaction)
put_run(transaction, run)
transaction.publish()
put_run(transaction, run, run)
transaction.checkpoint([EndStep("r1", f"late_{number}", run.steps["step_0"]) for number in range(200)])
""",
    )
    repository.recover()
    run = runs.by_id(repository.refs(), "r1")
    assert run is not None
    assert (run.status, len(run.steps)) == ("interrupted", 500)
    assert {"step_299", "late_0", "late_199"} <= run.steps.keys()
    assert problems(folder) == []


def test_a_run_that_died_after_it_was_published_is_interrupted(repository: Repository, folder: Path) -> None:
    """A run is landed again after each publish, so that its death is noticed."""
    killed(
        folder,
        """
put_run(transaction, a_run("r1"))
transaction.publish()
put_run(transaction, a_run("r1"), a_run("r1"))
transaction.checkpoint()
""",
    )
    assert repository.store.record(dict(repository.refs().items())["runs/r1"], Run).status == "running"
    repository.recover()
    assert repository.store.record(dict(repository.refs().items())["runs/r1"], Run).status == "interrupted"


def test_also_when_it_dies_between_publishing_and_landing_again(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
from artvcs.vcs.changes.incoming import Incoming
put_run(transaction, a_run("r1"))
transaction.checkpoint()
Incoming.published = die
transaction.publish()
""",
    )
    repository.recover()
    assert repository.store.record(dict(repository.refs().items())["runs/r1"], Run).status == "interrupted"
    assert incoming(repository) == []
    assert repository.recover() == []


# The living


def test_a_living_process_is_left_alone_at_every_moment(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process recovers between any two steps of a publish."""
    looked = 0

    def look() -> None:
        nonlocal looked
        looked += 1
        other = Repository(folder)
        assert other.recover() == []
        run = other.refs().get("runs/r1")
        assert run is None or other.store.record(run, Run).status == "running"

    for method in ("_begin_journal", "land", "seal", "items", "published", "drop"):
        _call_around(monkeypatch, f"artvcs.vcs.changes.incoming.Incoming.{method}", look)
    for method in ("adopt", "create", "hint"):
        _call_around(monkeypatch, f"artvcs.vcs.storage.local.LocalFiles.{method}", look)
    with repository.transaction("alive") as transaction:
        put_run(transaction, a_run("r1"))
        transaction.checkpoint()
        put_text_in(transaction, "tags/large", os.urandom(400_000).hex())
        look()
        transaction.publish()
        look()
    assert looked > 15
    assert repository.store.refresh().seq == 2  # nobody else published it
    assert problems(folder) == []


def _call_around(monkeypatch: pytest.MonkeyPatch, name: str, look: object) -> None:
    module, cls, method = name.rsplit(".", 2)
    owner = getattr(sys.modules[module], cls)
    original = getattr(owner, method)
    inside: list[object] = []

    def around(*arguments: object) -> object:
        if inside:  # what the other does is not looked at
            return original(*arguments)
        inside.append(True)
        try:
            look()  # type: ignore[operator]
            inside.pop()
            result = original(*arguments)
            inside.append(True)
            look()  # type: ignore[operator]
        finally:
            inside.clear()
        return result

    monkeypatch.setattr(owner, method, around)


@pytest.mark.long
def test_two_that_recover_at_once_publish_it_once(repository: Repository, folder: Path) -> None:
    for number in range(5):
        killed(folder, f'put_text_in(transaction, "tags/{number}", "x")\ntransaction.checkpoint()')
    work = "repository = Repository(Path(args[0]))\nprint(len(repository.recover()))"
    processes = [process(work, folder) for _ in range(4)]
    found = [each.communicate() for each in processes]
    assert [error for _, error in found] == [""] * 4
    assert sum(int(output) for output, _ in found) == 5
    assert len(tags(repository)) == 5
    assert repository.store.refresh().seq == 6


@pytest.mark.long
def test_writers_that_come_and_go_do_not_take_each_others_journals(repository: Repository, folder: Path) -> None:
    """Each looks for journals left behind at the moment that another makes its own."""
    work = """
repository = Repository(Path(args[0]))
for number in range(40):
    with repository.transaction("write") as transaction:
        put_text_in(transaction, f"tags/{args[1]}/{number}", "x" * number)
        transaction.checkpoint()
"""
    writers = [process(work, folder, number) for number in range(6)]
    assert [writer.communicate()[1] for writer in writers] == [""] * 6
    assert len(tags(repository)) == 240
    assert repository.store.refresh().seq == 241
    assert incoming(repository) == []


# Killed while publishing


def test_a_process_killed_after_its_op_was_made_is_not_published_twice(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
put_text_in(transaction, "tags/a", "a")
transaction.checkpoint()
from artvcs.vcs.storage.op_log import OpLog
commit = OpLog.commit
def commit_and_die(*arguments):
    commit(*arguments)
    die()
OpLog.commit = commit_and_die
transaction.publish()
""",
    )
    assert incoming(repository) == [".journal", ".pack"]
    with repository.begin("meanwhile") as transaction:
        newer = put_text_in(transaction, "tags/a", "newer")
    assert repository.recover() == []
    assert tags(repository) == {"tags/a": newer}
    assert incoming(repository) == []


def test_it_is_not_published_twice_even_after_many_other_changes(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
put_text_in(transaction, "tags/a", "a")
transaction.checkpoint()
from artvcs.vcs.changes.incoming import Incoming
Incoming.published = die
transaction.publish()
""",
    )
    for number in range(100):
        with repository.begin("meanwhile") as transaction:
            newer = put_text_in(transaction, "tags/a", str(number))
    assert repository.recover() == []
    assert tags(repository) == {"tags/a": newer}


def test_a_process_killed_before_its_op_was_made_is_published(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
put_text_in(transaction, "tags/a", "a")
transaction.checkpoint()
from artvcs.vcs.storage.op_log import OpLog
OpLog.commit = die
transaction.publish()
""",
    )
    assert incoming(repository) == [".journal", ".pack"]
    assert len(repository.recover()) == 1
    assert tags(repository).keys() == {"tags/a"}
    assert problems(folder) == []


def test_what_landed_after_an_earlier_publish_is_published_alone(repository: Repository, folder: Path) -> None:
    killed(
        folder,
        """
put_text_in(transaction, "tags/a", "a")
transaction.checkpoint()
transaction.publish()
put_text_in(transaction, "tags/b", "b")
transaction.checkpoint()
""",
    )
    with repository.begin("meanwhile") as transaction:
        transaction.set_ref("tags/a", None)
    assert repository.recover() == [Recovered("killed", 1)]
    assert tags(repository).keys() == {"tags/b"}


# Full packs


FILL = """
for number in range(20):
    transaction.set_ref(f"tags/{number}", transaction.put_blob(bytes([number]) + os.urandom(1500)))
    transaction.checkpoint()
"""


def check_filled(repository: Repository, folder: Path) -> None:
    repository.recover()
    found = tags(repository)
    assert found.keys() == {f"tags/{number}" for number in range(20)}
    assert [repository.store.read(found[f"tags/{number}"], "blob")[0] for number in range(20)] == list(range(20))
    assert incoming(repository) == []
    assert problems(folder) == []


def test_full_packs_are_published_too(repository: Repository, folder: Path) -> None:
    killed(folder, SMALL_PACKS + FILL)
    assert len(packs(folder)) == 2
    check_filled(repository, folder)


@pytest.mark.long
@pytest.mark.parametrize("moment", ["before the line", "after the line", "after the move", "before the next line"])
@pytest.mark.parametrize("which", [1, 2])
def test_killed_while_a_full_pack_is_put_at_its_place(
    repository: Repository, folder: Path, moment: str, which: int
) -> None:
    killed(
        folder,
        f"""
{SMALL_PACKS}
from artvcs.vcs.changes.journal import Journal
from artvcs.vcs.storage.local import LocalFiles
from artvcs.vcs.storage.packs.pack_writer import PackWriter
def at_time(owner, name, number, when):
    original, calls = getattr(owner, name), []
    def around(*arguments, **named):
        calls.append(name)
        if len(calls) == number and when == "before":
            die()
        result = original(*arguments, **named)
        if len(calls) == number and when == "after":
            die()
        return result
    setattr(owner, name, around)
at_time(*{{
    "before the line": (PackWriter, "seal", {which}, "after"),
    "after the line": (LocalFiles, "adopt", {which}, "before"),
    "after the move": (LocalFiles, "adopt", {which}, "after"),
    "before the next line": (PackWriter, "begin_anew", {which}, "after"),
}}[{moment!r}])
{FILL}
""",
    )
    repository.recover()
    landed = 7 * which - 1  # the seventh object fills the pack, and is landed only afterwards
    found = tags(repository)
    assert found.keys() == {f"tags/{number}" for number in range(landed)}
    assert [repository.store.read(found[f"tags/{number}"], "blob")[0] for number in range(landed)] == list(
        range(landed)
    )
    assert incoming(repository) == []
    assert problems(folder) == []


def test_a_full_pack_that_is_gone_publishes_no_dangling_ref(repository: Repository, folder: Path) -> None:
    kept = put_text(repository, "tags/kept", "kept")
    killed(
        folder,
        f"""
put_text_in(transaction, "tags/gone", "a")
add_version(transaction, "gone", "x")
put_run(transaction, a_run("gone"))
transaction.seal()
transaction.set_ref("tags/b", {kept!r})
transaction.checkpoint()
""",
    )
    [gone] = packs(folder)
    gone.unlink()
    repository.recover()
    assert {ref for ref, _ in repository.refs().items()} == {"tags/kept", "tags/b"}
    assert incoming(repository) == []
    assert problems(folder) == []


def test_what_it_relied_on_and_was_collected_publishes_no_dangling_ref(repository: Repository, folder: Path) -> None:
    """A dead process has no lease: what it had found stored may be gone when it is recovered."""
    put_text(repository, "tags/shared", random_text(1))
    killed(
        folder,
        """
put_text_in(transaction, "tags/relies", random_text(1))
put_text_in(transaction, "tags/own", "own")
transaction.checkpoint()
""",
    )
    [journal] = repository.layout.incoming.glob("*.journal")
    aside = [path.rename(folder.parent / path.name) for path in (journal, journal.with_suffix(".pack"))]
    put_text(repository, "tags/shared", "else")
    gc.collect(repository)
    for path in aside:
        path.rename(folder / "incoming" / path.name)
    repository.recover()
    assert tags(repository).keys() == {"tags/shared", "tags/own"}
    assert problems(folder) == []


# Torn by a power cut


@pytest.mark.long
@pytest.mark.parametrize("damage", ["shorter", "zeros at the end", "flipped bit", "empty", "missing"])
def test_a_pack_torn_by_a_power_cut_is_good_up_to_its_last_whole_checkpoint(
    repository: Repository, folder: Path, damage: str
) -> None:
    killed(
        folder,
        """
put_text_in(transaction, "tags/a", "a" * 50)
transaction.checkpoint()
put_text_in(transaction, "tags/b", "b" * 50)
transaction.checkpoint()
""",
    )
    [pack] = repository.layout.incoming.glob("*.pack")
    data = pack.read_bytes()
    pack.write_bytes(
        {
            "shorter": data[:-10],
            "zeros at the end": data[:-10] + bytes(10),
            "flipped bit": data[:-10] + b"B" + data[-9:],
        }.get(damage, b"")
    )
    if damage == "missing":
        pack.unlink()
    assert problems(folder) == []
    repository.recover()
    assert list(tags(repository)) == ([] if damage in ("empty", "missing") else ["tags/a"])
    assert incoming(repository) == []
    assert problems(folder) == []


def test_a_torn_last_line_is_as_if_it_had_never_been_written(repository: Repository, folder: Path) -> None:
    killed(folder, LAND + "transaction.checkpoint()")
    [journal] = repository.layout.incoming.glob("*.journal")
    journal.write_bytes(journal.read_bytes()[:-20])
    repository.recover()
    assert tags(repository).keys() == {"tags/a"}
    assert incoming(repository) == []


@pytest.mark.long
@pytest.mark.parametrize("moment", ["take over", "publish", "clean up"])
def test_a_recovery_that_is_killed_itself_is_recovered(repository: Repository, folder: Path, moment: str) -> None:
    killed(folder, LAND)
    patch = {
        "take over": "import artvcs.vcs.changes.recovery as r; r._mark_interrupted = die",
        "publish": "from artvcs.vcs.storage.op_log import OpLog; OpLog.commit = die",
        "clean up": "from artvcs.vcs.changes.incoming import Incoming; Incoming.published = die",
    }[moment]
    ended = process(f"{patch}\nRepository(Path(args[0])).recover()", folder)
    assert ended.wait() == -signal.SIGKILL
    assert problems(folder) == []
    repository.recover()
    assert tags(repository).keys() == {"tags/a"}
    assert [version.number for version in versions(repository, "model")] == [1]
    assert repository.store.refresh().seq == 2
    assert incoming(repository) == []
    assert problems(folder) == []


# What cannot be recovered keeps nobody out


def test_a_full_disk_does_not_keep_readers_out(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = put_text(repository, "tags/old", "old")
    killed(folder, LAND)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", full)
        assert Repository.discover(folder.parent).store.read(old, "blob") == b"old"
    Repository.discover(folder.parent)
    assert tags(repository).keys() == {"tags/old", "tags/a"}
    assert problems(folder) == []


def test_a_journal_that_cannot_be_understood_keeps_nobody_out(repository: Repository, folder: Path) -> None:
    killed(folder, LAND)
    [journal] = repository.layout.incoming.glob("*.journal")
    journal.write_bytes(b"nonsense\n" * 3)
    repository.recover()
    assert repository.refs().root is None
    assert incoming(repository) == []


@pytest.mark.parametrize("what", ["line", "pack"])
def test_what_is_whole_and_makes_no_sense_is_put_aside_and_not_tried_again(
    repository: Repository, folder: Path, what: str
) -> None:
    """As if written by something that is not artvcs: hashes that match, and a content that cannot be."""
    killed(
        folder,
        {
            "line": """
from artvcs.vcs.changes import incoming
incoming.as_lines = lambda intents: ({"intent": "destroy"},)
put_text_in(transaction, "tags/a", "a")
transaction.checkpoint()
""",
            "pack": """
from artvcs.vcs.storage.packs import pack_writer
header = pack_writer.pack.record_header
pack_writer.pack.record_header = lambda at: b"no record".ljust(len(header(at)))
put_text_in(transaction, "tags/a", "a")
transaction.checkpoint()
""",
        }[what],
    )
    put_text(repository, "tags/b", "b")
    assert tags(repository).keys() == {"tags/b"}
    assert incoming(repository) == []
    assert sorted(path.suffix for path in repository.layout.quarantine.iterdir()) == [".journal", ".pack"]
    assert problems(folder) == []


def test_a_damaged_repository_puts_no_good_journal_aside(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/old", "old")
    killed(folder, LAND)
    newest = folder / "ops" / "000000000002"
    assert newest.exists()
    good = newest.read_bytes()
    newest.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(DamagedError):
        Repository(folder).recover()
    newest.write_bytes(good)
    Repository(folder).recover()
    assert tags(repository).keys() == {"tags/old", "tags/a"}


def test_gc_first_publishes_what_a_killed_process_left(repository: Repository, folder: Path) -> None:
    put_text(repository, "tags/x", "shared")
    killed(folder, 'put_text_in(transaction, "tags/landed", "shared")\ntransaction.checkpoint()')
    with repository.begin("now only the landed ref needs it") as transaction:
        transaction.set_ref("tags/x", None)
    gc.collect(repository)
    assert repository.store.read(tags(repository)["tags/landed"], "blob") == b"shared"
    assert problems(folder) == []


def test_recovery_does_not_depend_on_a_clock_or_a_name(repository: Repository, folder: Path, tmp_path: Path) -> None:
    killed(folder, LAND)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    copied = Repository(copy)
    copied.recover()
    assert tags(copied).keys() == {"tags/a"}
