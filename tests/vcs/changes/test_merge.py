"""What two repositories have is brought together: a union in which each value keeps one number."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest

from artvcs.vcs.changes.intents import AddVersion, DeleteRun, DeleteVersion, EditRun, EditVersion, Merge, PutRun, SetRef
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.errors import Conflict
from artvcs.vcs.maps import graph, ref_names, runs
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.objects.kinds import Code, Commit, Output
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.repository import Repository

from ..helpers import a_run, artifact_of, of_steps, problems, put_run, version_of

NAMES, LABELS = ("model", "table"), ("1.0", "best")


class Team:
    """A hub, and clones that push to it and fetch from it."""

    def __init__(self, folder: Path, clones: int) -> None:
        self.hub = Repository.init(folder / "hub")
        self.clones = [Repository.init(folder / f"clone{number}") for number in range(clones)]
        self._seen: dict[int, Oid | None] = {}
        self._clock = 0

    def push(self, number: int) -> None:
        root = self.clones[number].refs().root
        _take_in(self.hub, self.clones[number], Merge(self._seen.get(number), root, False))

    def fetch(self, number: int) -> None:
        root = self.hub.refs().root
        _take_in(self.clones[number], self.hub, Merge(self._seen.get(number), root, True))
        self._seen[number] = root

    def sync(self, number: int) -> None:
        """As `art pull` and `art push` do it: what is there, then what is here, then the numbers that this got."""
        self.fetch(number)
        self.push(number)
        self.fetch(number)

    def add(self, number: int, name: str, value: str, label: str | None = None) -> None:
        with self.clones[number].transaction("add") as transaction:
            self._clock += 1
            version = dataclasses.replace(version_of(name, artifact_of(transaction, value)), created=self._clock)
            try:
                transaction.add(AddVersion(dataclasses.replace(version, label=label), {}))
            except Conflict:  # the label is taken here already
                transaction.add(AddVersion(version, {}))


def _take_in(target: Repository, source: Repository, merge: Merge) -> None:
    with target.transaction("merge") as transaction:
        roots = [root for root in (merge.before, merge.after) if root]
        for at in graph.reachable(source.store, roots):
            transaction.bring(source.store.stored(at.oid))
        transaction.add(merge)


def shown(repository: Repository) -> dict[tuple[str, int], tuple[Oid, str | None, tuple[str, ...]]]:
    """Name and number → value, label and tags."""
    refs = repository.refs()
    return {
        (each.name, each.number): (each.artifact, each.label, tuple(sorted(each.tags)))
        for each in version_refs.every(refs)
    }


def numbers(repository: Repository, name: str = "model") -> dict[int, str]:
    """Number → the value that has it."""
    names = {}
    with repository.begin("look") as transaction:
        for value in "abcdefgh":
            names[artifact_of(transaction, value)] = value
        transaction.close()
    return {number: names[artifact] for (each, number), (artifact, _, _) in shown(repository).items() if each == name}


def put_result(transaction: Transaction, key: int, value: str) -> None:
    """What an execution gave, in the cache."""
    code = Code(Oid("0" * 64), transaction.put_blob(b"code"), "flow.py", 1)
    trace = transaction.put_blob(b"%d" % key)
    commit = Commit(
        step="train", pipeline="flow", code=code, params={}, config={}, inputs={}, reads={}, parents=(),
        outputs={"output": Output(artifact_of(transaction, value), "model")}, cache_key=hash_bytes(b"%d" % key),
        trace=trace, environment={}, git=None, author="A", started=0, finished=1, metadata={}, log=None,
    )  # fmt: skip
    assert commit.cache_key is not None
    transaction.add(SetRef(ref_names.result(commit.cache_key, trace), transaction.put(commit)))


def delete(repository: Repository, number: int) -> None:
    """Deletes a version of `model`."""
    with repository.transaction("delete") as transaction:
        found = transaction.get(ref_names.version("model", number))
        assert found is not None
        transaction.add(DeleteVersion("model", number, found))


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path, 2)


def test_what_only_one_has_both_get(team: Team) -> None:
    team.add(0, "model", "a")
    team.add(1, "table", "b")
    for number in (0, 1, 0):
        team.sync(number)
    assert shown(team.clones[0]) == shown(team.clones[1]) == shown(team.hub)
    assert len(shown(team.hub)) == 2


def test_a_number_that_both_gave_is_changed_where_it_was_not_pushed(team: Team) -> None:
    team.add(0, "model", "a")
    for number in (0, 1):
        team.sync(number)
    team.add(0, "model", "b")
    team.add(1, "model", "c")
    team.add(1, "model", "d")
    team.sync(0)
    team.sync(1)
    team.fetch(0)
    expected = {1: "a", 2: "b", 3: "d", 4: "c"}  # and nothing else changes its number
    assert numbers(team.hub) == numbers(team.clones[0]) == numbers(team.clones[1]) == expected


def test_a_value_that_both_made_is_one_version(team: Team) -> None:
    team.add(0, "model", "a")
    team.add(0, "model", "b")
    team.add(1, "model", "b")
    team.sync(0)
    team.sync(1)
    assert numbers(team.hub) == numbers(team.clones[1]) == {1: "a", 2: "b"}


def test_notes_of_both_are_put_together_and_taken_tags_stay_away(team: Team) -> None:
    team.add(0, "model", "a")
    with team.clones[0].transaction("note") as transaction:
        transaction.add(EditVersion("model", artifact_of(transaction, "a"), {"loss": 1}, ("good", "old")))
    team.sync(0)
    team.sync(1)
    for number, tag, gone in ((0, "mine", ()), (1, "yours", ("old",))):
        with team.clones[number].transaction("note") as transaction:
            found = artifact_of(transaction, "a")
            transaction.add(EditVersion("model", found, {f"by {number}": number}, (tag,), gone))
    for number in (0, 1, 0):
        team.sync(number)
    [version] = version_refs.every(team.clones[0].refs())
    assert set(version.tags) == {"good", "mine", "yours"}
    assert version.metadata == {"loss": 1, "by 0": 0, "by 1": 1}


def test_a_label_stays_with_the_value_that_was_pushed_first(team: Team) -> None:
    team.add(0, "model", "a", "1.0")
    team.add(1, "model", "b", "1.0")
    for number in (0, 1, 0):
        team.sync(number)
    assert [label for _, label, _ in shown(team.hub).values()] == ["1.0", None]
    assert shown(team.hub) == shown(team.clones[0]) == shown(team.clones[1])


def test_what_one_deleted_the_other_keeps_and_it_does_not_come_back(team: Team) -> None:
    team.add(0, "model", "a")
    team.add(0, "model", "b")
    team.sync(0)
    team.sync(1)
    delete(team.clones[1], 1)
    with team.clones[0].transaction("note") as transaction:
        transaction.add(EditVersion("model", artifact_of(transaction, "a"), {}, ("noted",)))
    for number in (1, 0, 1):
        team.sync(number)
    assert numbers(team.hub) == numbers(team.clones[0]) == {1: "a", 2: "b"}
    assert numbers(team.clones[1]) == {2: "b"}


def test_what_stays_of_a_deleted_number_goes_with_the_next(team: Team) -> None:
    team.add(0, "model", "a")
    team.add(0, "model", "b")
    delete(team.clones[0], 2)
    for number in (0, 1):
        team.sync(number)
    team.add(0, "model", "c")
    for number in (0, 1):
        team.sync(number)
    for repository in (team.hub, *team.clones):
        assert numbers(repository) == {1: "a", 3: "c"}
        assert version_refs.count(repository.refs(), "model") == 2


def test_a_name_whose_versions_were_deleted_here_has_none(team: Team) -> None:
    team.add(0, "model", "a")
    for number in (0, 1):
        team.sync(number)
    delete(team.clones[1], 1)
    team.add(0, "model", "b")
    with team.clones[0].transaction("again") as transaction:  # it was made again: the newest is this one
        transaction.add(AddVersion(version_of("model", artifact_of(transaction, "a")), {}))
    for number in (0, 1):
        team.sync(number)
    newest = version_refs.newest(team.clones[1].refs(), "model")
    assert newest is not None
    assert numbers(team.clones[1]) == {newest.number: "b"}


def test_a_run_that_was_deleted_does_not_come_back(team: Team) -> None:
    with team.clones[0].transaction("run") as transaction:
        put_run(transaction, ended := a_run("r1", "completed"))
    for number in (0, 1):
        team.sync(number)
    with team.clones[1].transaction("delete") as transaction:
        transaction.add(DeleteRun("r1"))
    with team.clones[0].transaction("note") as transaction:
        put_run(transaction, dataclasses.replace(ended, tags=("noted",)), ended)
    for number in (0, 1):
        team.sync(number)
    assert team.hub.refs().get(ref_names.run("r1")) is not None
    assert [ref for ref, _ in team.clones[1].refs().items() if "r1" in ref] == []


def test_a_run_that_one_noted_and_the_other_ended_is_both(team: Team) -> None:
    with team.clones[0].transaction("run") as transaction:
        begun = a_run("r1")
        transaction.add(PutRun(None, transaction.put(begun)))
    team.sync(0)
    team.sync(1)
    for number, change in ((0, {"status": "completed"}), (1, {"metadata": {"note": 1}, "tags": ("kept",)})):
        with team.clones[number].transaction("run") as transaction:
            before = transaction.get(ref_names.run("r1"))
            transaction.add(PutRun(before, transaction.put(dataclasses.replace(begun, **change))))
    for number in (0, 1, 0):
        team.sync(number)
    for repository in (team.hub, *team.clones):
        found = repository.refs()
        oid = found.get(ref_names.run("r1"))
        assert oid is not None
        run = found.record(oid, type(begun))
        assert (run.status, run.metadata, run.tags) == ("completed", {"note": 1}, ("kept",))


def test_notes_on_steps_of_a_run_that_has_many_are_put_together(team: Team) -> None:
    with team.clones[0].transaction("run") as transaction:
        put_run(transaction, of_steps(a_run("r1", "completed"), 300, transaction, metadata={"both": 0}))
    for number in (0, 1):
        team.sync(number)
    for number, step in ((0, "step_7"), (1, "step_7"), (1, "step_250")):
        with team.clones[number].transaction("note") as transaction:
            transaction.add(EditRun("r1", step, {f"by {number}": number}))
    for number in (0, 1, 0):
        team.sync(number)
    for repository in (team.hub, *team.clones):
        run = runs.by_id(repository.refs(), "r1")
        assert run is not None
        assert run.steps["step_7"].metadata == {"both": 0, "by 0": 0, "by 1": 1}
        assert run.steps["step_250"].metadata == {"both": 0, "by 1": 1}
        assert len(run.steps) == 300
        assert problems(repository.layout.folder) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(12))
def test_whatever_many_do_all_end_with_the_same(tmp_path: Path, seed: int) -> None:
    chance, team = random.Random(seed), Team(tmp_path, 3)
    added: set[tuple[str, str]] = set()
    for _ in range(40):
        number = chance.randrange(3)
        what = chance.choice(("add", "add", "add", "tag", "result", "sync", "fetch", "push"))
        if what == "add":
            name, value = chance.choice(NAMES), chance.choice("abcdefgh")
            added.add((name, value))
            team.add(number, name, value, chance.choice((None, None, *LABELS)))
        elif what == "tag" and (there := list(version_refs.every(team.clones[number].refs()))):
            found = chance.choice(there)
            tags = chance.sample(("x", "y", "z"), 2)
            with team.clones[number].transaction("tag") as transaction:
                transaction.add(EditVersion(found.name, found.artifact, {}, (tags[0],), (tags[1],)))
        elif what == "result":
            with team.clones[number].transaction("result") as transaction:
                put_result(transaction, chance.randrange(4), chance.choice("abc"))
        elif what == "push":
            team.fetch(number)  # a push brings what is there together with what is here first
            team.push(number)
        else:
            getattr(team, what if what in ("sync", "fetch") else "fetch")(number)
    for number in (0, 1, 2, 0, 1, 2):
        team.sync(number)
    states = [dict(repository.refs().items()) for repository in (team.hub, *team.clones)]
    assert states[1] == states[0]
    assert states[2] == states[0]
    assert states[3] == states[0]
    with team.hub.begin("look") as transaction:
        expected = {(name, artifact_of(transaction, value)) for name, value in added}
        transaction.close()
    held = [(name, artifact) for (name, _), (artifact, _, _) in shown(team.hub).items()]
    assert sorted(held) == sorted(expected), "each value once under its name"
    labels = [(name, label) for (name, _), (_, label, _) in shown(team.hub).items() if label]
    assert len(labels) == len(set(labels))
    for repository in (team.hub, *team.clones):
        assert problems(repository.layout.folder) == []
