"""Two writers at once: nothing lost, nothing overwritten, nothing falsified."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from artvcs.vcs.changes.intents import AddVersion, DeleteRun, DeleteVersion, EditRun, EditVersion
from artvcs.vcs.errors import Conflict, UnknownName
from artvcs.vcs.maps import ref_names, runs
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.objects.kinds import Artifact, Version
from artvcs.vcs.repository import Repository

from ..helpers import (
    a_run,
    add_version,
    artifact_of,
    outputs,
    problems,
    process,
    put_run,
    put_text_in,
    tags,
    version_of,
    versions,
)


@pytest.fixture
def other(repository: Repository, folder: Path) -> Repository:
    """Another writer."""
    return Repository(folder)


@pytest.fixture
def model(repository: Repository) -> Version:
    """A version, model@1, that both want to change."""
    with repository.transaction("add") as transaction:
        return add_version(transaction, "model", "first")


def delete(repository: Repository, version: Version) -> None:
    with repository.transaction("delete") as transaction:
        transaction.add(DeleteVersion(version.name, version.number, version.oid))


def edit(repository: Repository, version: Version, **changes: object) -> None:
    with repository.transaction("edit") as transaction:
        transaction.add(EditVersion(version.name, version.artifact, **{"metadata": {}, **changes}))  # type: ignore[arg-type]


def values(repository: Repository, name: str) -> list[str]:
    """The values of the versions of a name, in order."""
    found = [repository.store.record(version.artifact, Artifact).type for version in versions(repository, name)]
    return [text.removeprefix("tests.") for text in found]


# Numbers


ADD = """
repository = Repository(Path(args[0]))
with repository.transaction("add") as transaction:
    artifact = add_version(transaction, "same", args[1]).artifact
    print("ready", flush=True)
    sys.stdin.readline()
    transaction.publish()
    print(version_refs.by_value(transaction, "same", artifact).number)
"""


@pytest.mark.long
def test_eight_processes_add_to_a_name_at_once_and_each_is_told_its_own_number(
    repository: Repository, folder: Path
) -> None:
    writers = [process(ADD, folder, f"value{number}") for number in range(8)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    told = [int(text) for text in outputs(writers)]
    assert sorted(told) == list(range(1, 9))
    assert values(repository, "same") == [f"value{told.index(number)}" for number in range(1, 9)]
    assert problems(folder) == []


def test_numbers_of_others_stand_and_ours_follow(repository: Repository, other: Repository) -> None:
    with repository.transaction("slow") as transaction:
        assert add_version(transaction, "model", "ours").number == 1
        both = add_version(transaction, "model", "both")
        assert both.number == 2
        with other.transaction("fast") as faster:
            add_version(faster, "model", "theirs")
            add_version(faster, "model", "both")
        transaction.publish()
        assert version_refs.by_value(transaction, "model", both.artifact) == both  # number 2 is what they gave it
        assert add_version(transaction, "model", "next").number == 4
    assert values(repository, "model") == ["theirs", "both", "ours", "next"]
    assert [version.number for version in versions(repository, "model")] == [1, 2, 3, 4]


def test_a_number_is_not_given_again_after_its_version_was_deleted_meanwhile(
    repository: Repository, other: Repository, model: Version
) -> None:
    with repository.transaction("slow") as transaction:
        added = add_version(transaction, "model", "ours")
        delete(other, model)
        transaction.publish()
        assert version_refs.by_value(transaction, "model", added.artifact) == added
    assert [version.number for version in versions(repository, "model")] == [2]


PUBLISH = """
repository = Repository(Path(args[0]))
for number in range(int(args[2])):
    with repository.transaction("add") as transaction:
        add_version(transaction, "model", f"{args[1]}x{number}")
        add_version(transaction, "model", "shared")
        put_text_in(transaction, f"tags/{args[1]}/{number}", "text")
"""


@pytest.mark.parametrize("each", [25, pytest.param(250, marks=pytest.mark.faults)])
def test_eight_processes_publish_at_once_and_nothing_is_lost(repository: Repository, folder: Path, each: int) -> None:
    outputs([process(PUBLISH, folder, number, each) for number in range(8)])
    assert [version.number for version in versions(repository, "model")] == list(range(1, 8 * each + 2))
    assert set(values(repository, "model")) == {"shared"} | {f"{a}x{b}" for a in range(8) for b in range(each)}
    assert len(tags(repository)) == 8 * each
    assert repository.store.refresh().seq == 8 * each + 1
    assert problems(folder) == []


# Edits


def test_two_edits_of_the_metadata_are_both_there(repository: Repository, other: Repository, model: Version) -> None:
    with repository.transaction("ours") as transaction:
        transaction.add(EditVersion("model", model.artifact, {"ours": 1, "both": 1}))
        edit(other, model, metadata={"theirs": 2, "both": 2})
    [version] = versions(repository, "model")
    assert version.metadata == {"ours": 1, "theirs": 2, "both": 1}  # of one key the last writer's counts


def test_the_tags_of_both_are_kept(repository: Repository, other: Repository, model: Version) -> None:
    edit(repository, model, tags=("old", "older"))
    with repository.transaction("ours") as transaction:
        transaction.add(EditVersion("model", model.artifact, {}, tags=("ours",), untag=("old",)))
        edit(other, model, tags=("theirs",))
    [version] = versions(repository, "model")
    assert set(version.tags) == {"older", "ours", "theirs"}


def test_a_label_lands_on_one_version_only(repository: Repository, other: Repository, model: Version) -> None:
    with repository.transaction("add") as transaction:
        second = add_version(transaction, "model", "second")
    with pytest.raises(Conflict, match=r"'1\.0' already"), repository.transaction("ours") as transaction:
        transaction.add(EditVersion("model", second.artifact, {}, label="1.0"))
        edit(other, model, label="1.0")
    assert [version.label for version in versions(repository, "model")] == ["1.0", None]
    labelled = version_refs.by_label(repository.refs(), "model", "1.0")
    assert labelled is not None
    assert labelled.number == 1


@pytest.mark.parametrize("first", ["label", "number"])
def test_one_text_says_one_version(repository: Repository, other: Repository, model: Version, first: str) -> None:
    """Somebody calls the first version "2" while somebody else adds the second."""

    def label(to: Repository) -> None:
        edit(to, model, label="2")

    def add(to: Repository) -> None:
        with to.transaction("add") as transaction:
            add_version(transaction, "model", "second")

    if first == "label":
        with repository.transaction("add") as transaction:
            add_version(transaction, "model", "second")
            label(other)
        assert [(each.number, each.label) for each in versions(repository, "model")] == [(1, "2"), (3, None)]
    else:
        with pytest.raises(Conflict, match="'2' already"), repository.transaction("label") as transaction:
            transaction.add(EditVersion("model", model.artifact, {}, label="2"))
            add(other)
        assert [(each.number, each.label) for each in versions(repository, "model")] == [(1, None), (2, None)]


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("07", None), ("0", None), ("٣", None), ("1" * 30, None)])
def test_how_numbers_are_spelt(text: str, number: int | None) -> None:
    assert version_refs.as_number(text) == number


def test_two_new_versions_do_not_share_a_label(repository: Repository, other: Repository) -> None:
    def add(to: Repository, value: str) -> None:
        with to.transaction("add") as transaction:
            new = version_of("model", artifact_of(transaction, value))
            transaction.add(AddVersion(Version(**{**vars(new), "label": "1.0"}), {}))
            if to is repository:
                add(other, "theirs")

    with pytest.raises(Conflict):
        add(repository, "ours")
    assert values(repository, "model") == ["theirs"]


def test_a_version_does_not_get_two_labels(repository: Repository, other: Repository, model: Version) -> None:
    with pytest.raises(Conflict, match=r"'1\.0'"), repository.transaction("ours") as transaction:
        transaction.add(EditVersion("model", model.artifact, {}, label="2.0"))
        edit(other, model, label="1.0")
    assert [version.label for version in versions(repository, "model")] == ["1.0"]


def test_what_conflicts_leaves_nothing_behind(
    repository: Repository, other: Repository, model: Version, folder: Path
) -> None:
    with pytest.raises(Conflict), repository.transaction("ours") as transaction:
        put_text_in(transaction, "tags/a", "x" * 500_000)
        transaction.add(EditVersion("model", model.artifact, {}, tags=("ours",)))
        transaction.checkpoint()
        delete(other, model)
    assert tags(repository) == {}
    assert list((folder / "incoming").iterdir()) == []
    assert list((folder / "leases").iterdir()) == []
    assert repository.recover() == []
    assert tags(repository) == {}


def test_a_tolerant_publish_leaves_out_only_what_conflicts(
    repository: Repository, other: Repository, model: Version
) -> None:
    with repository.transaction("ours") as transaction:
        put_text_in(transaction, "tags/a", "a")
        transaction.add(EditVersion("model", model.artifact, {}, tags=("ours",)))
        add_version(transaction, "other", "x")
        delete(other, model)
        transaction.publish(tolerant=True)
        [conflict] = transaction.conflicts
        assert "deleted meanwhile" in str(conflict)
    assert tags(repository).keys() == {"tags/a"}
    assert values(repository, "other") == ["x"]
    assert versions(repository, "model") == []


# Deleting


def test_an_edit_does_not_resurrect_what_was_deleted_meanwhile(
    repository: Repository, other: Repository, model: Version
) -> None:
    with pytest.raises(Conflict, match="deleted meanwhile"), repository.transaction("edit") as transaction:
        transaction.add(EditVersion("model", model.artifact, {"note": "x"}))
        delete(other, model)
    assert versions(repository, "model") == []


def test_what_was_edited_meanwhile_is_not_deleted(repository: Repository, other: Repository, model: Version) -> None:
    with pytest.raises(Conflict, match="look at it again"), repository.transaction("delete") as transaction:
        transaction.add(DeleteVersion("model", 1, model.oid))
        edit(other, model, tags=("precious",))
    [version] = versions(repository, "model")
    assert version.tags == ("precious",)


def test_two_that_delete_the_same_both_succeed(repository: Repository, other: Repository, model: Version) -> None:
    with repository.transaction("delete") as transaction:
        transaction.add(DeleteVersion("model", 1, model.oid))
        delete(other, model)
    assert versions(repository, "model") == []


def test_a_value_made_again_while_its_version_is_deleted_has_a_version(
    repository: Repository, other: Repository, model: Version, folder: Path
) -> None:
    with repository.transaction("made again") as transaction:
        assert add_version(transaction, "model", "first").number == 1
        delete(other, model)
    [version] = versions(repository, "model")
    assert (version.artifact, version.number) == (model.artifact, 2)
    assert problems(folder) == []


def test_the_newest_is_the_one_made_last_also_after_a_replace(
    repository: Repository, other: Repository, model: Version
) -> None:
    """A replace deletes the old version and adds the new one in one change."""
    with repository.transaction("replace") as transaction:
        transaction.add(DeleteVersion("model", 1, model.oid))
        ours = add_version(transaction, "model", "ours")
        with other.transaction("fast") as faster:
            add_version(faster, "model", "theirs")
    assert values(repository, "model") == ["theirs", "ours"]
    newest = version_refs.newest(repository.refs(), "model")
    assert newest is not None
    assert newest.artifact == ours.artifact == repository.refs().get(ref_names.newest("model"))


def test_after_the_newest_was_deleted_the_one_before_it_is(repository: Repository, model: Version) -> None:
    with repository.transaction("add") as transaction:
        second = add_version(transaction, "model", "second")
    delete(repository, second)
    assert version_refs.newest(repository.refs(), "model") == model
    delete(repository, model)
    assert version_refs.newest(repository.refs(), "model") is None
    assert repository.refs().get(ref_names.newest("model")) is None


# Runs


def test_the_latest_run_never_goes_back_to_an_older_one(repository: Repository, other: Repository) -> None:
    old, new = a_run("old", started=1), a_run("new", started=2)
    with repository.transaction("the older run, which ends last") as transaction:
        put_run(transaction, old)
        transaction.publish()
        with other.transaction("the newer run") as faster:
            put_run(faster, new)
        put_run(transaction, a_run("old", "completed", started=1), old)
    latest = runs.latest(repository.refs(), "train")
    assert latest is not None
    assert latest.run == "new"
    assert [run.run for run in runs.newest_first(repository.refs())] == ["new", "old"]


def test_what_others_note_about_a_run_stays_when_it_goes_on(repository: Repository, other: Repository) -> None:
    begun = a_run("r1")
    with repository.transaction("run") as transaction:
        put_run(transaction, begun)
        transaction.publish()
        with other.transaction("note") as noting:
            noting.add(EditRun("r1", None, {"note": "mine"}))
        put_run(transaction, a_run("r1", "completed"), begun)
    run = runs.by_id(repository.refs(), "r1")
    assert run is not None
    assert (run.status, run.metadata) == ("completed", {"note": "mine"})


def test_a_run_that_goes_on_is_not_deleted(repository: Repository, other: Repository) -> None:
    with repository.transaction("run") as transaction:
        put_run(transaction, a_run("r1"))
        transaction.publish()
        with pytest.raises(Conflict, match="still going on"), other.transaction("delete") as deleting:
            deleting.add(DeleteRun("r1"))
        put_run(transaction, a_run("r1", "completed"), a_run("r1"))
    with other.transaction("delete") as deleting:
        deleting.add(DeleteRun("r1"))
    assert list(repository.refs().items()) == []


# What is stored


def test_what_another_transaction_has_not_published_does_not_count_as_stored(
    repository: Repository, folder: Path
) -> None:
    with repository.transaction("ours") as transaction:
        other = repository.transaction("comes to nothing")
        content = "x" * 2_500_000  # in chunks
        theirs = put_text_in(other, "tags/theirs", content)
        other.seal()
        assert not transaction.has(theirs)
        ours = put_text_in(transaction, "tags/ours", content)
        other.close()
    assert ours == theirs
    assert Repository(folder).store.read(ours, "blob") == content.encode()
    assert problems(folder) == []


def test_what_comes_to_nothing_is_nowhere(repository: Repository) -> None:
    transaction = repository.transaction("comes to nothing")
    oid = transaction.put_blob(b"x")
    transaction.close()
    assert not repository.store.has(oid)
    with pytest.raises(UnknownName):
        repository.store.read(oid, "blob")


# Waiting


def test_publishing_never_waits_long_for_a_writer_that_hangs(repository: Repository, folder: Path) -> None:
    """The queue spares work and protects nothing: who stands still in it is gone around."""
    hanging = process(
        """
from artvcs.vcs.storage.disk.locks import Lock
lock = Lock.take(Repository(Path(args[0])).layout.turn)
print("holds it", flush=True)
sys.stdin.readline()
""",
        folder,
    )
    assert hanging.stdout is not None
    assert hanging.stdout.readline() == "holds it\n"
    begun = time.monotonic()
    with repository.transaction("put") as transaction:
        put_text_in(transaction, "tags/a", "a")
    assert time.monotonic() - begun < 10
    outputs([hanging])
    assert tags(repository).keys() == {"tags/a"}


@pytest.mark.long
def test_writers_that_never_pause_do_not_keep_a_slow_one_out(repository: Repository, folder: Path) -> None:
    endless = """
repository = Repository(Path(args[0]))
number = 0
while not (Path(args[0]) / "stop").exists():
    with repository.transaction("fast") as transaction:
        put_text_in(transaction, f"tags/{args[1]}", str(number))
    number += 1
"""
    writers = [process(endless, folder, number) for number in range(4)]
    while len(tags(repository)) < 4:
        time.sleep(0.01)
    waited = []
    for number in itertools.count():
        begun = time.monotonic()
        with repository.transaction("slow") as transaction:
            put_text_in(transaction, "tags/slow", str(number))
        waited.append(time.monotonic() - begun)
        if number == 20:
            break
    (folder / "stop").touch()
    outputs(writers)
    (folder / "stop").unlink()
    assert max(waited) < 10
    assert problems(folder) == []
