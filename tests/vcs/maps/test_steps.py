"""A run's steps: few stand in its record, many in a map of which only what has changed is written anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs.errors import DamagedError, UnknownName
from artvcs.vcs.maps import graph, steps
from artvcs.vcs.maps.steps import FEW, LARGE, MANY_MARKS, Steps, is_whole, opened, salvaged, with_steps
from artvcs.vcs.objects.kinds import Failure, Order, Parts, Run, StepRun
from artvcs.vcs.objects.nodes import StepsNode
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.objects.records import Record

from ..helpers import a_run

R = TypeVar("R", bound=Record)


class Kept:
    """Records in memory, as they are encoded."""

    def __init__(self) -> None:
        self.encoded: dict[Oid, bytes] = {}

    def put(self, record: Record) -> Oid:
        self.encoded[record.oid] = record.encode()
        return record.oid

    def record(self, oid: Oid, cls: type[R]) -> R:
        if oid not in self.encoded:
            raise UnknownName(oid)
        return cls.decode(self.encoded[oid])

    def read_ahead(self, oids: Iterable[Oid], cls: type[Record], *, keep: bool = False) -> None:
        pass

    def again(self, run: Run) -> Run:
        """A run as who reads it finds it."""
        return opened(self, self.record(self.put(run), Run))


def step(number: int = 0, *, text: str = "") -> StepRun:
    """How a step ended, at some moment; one with a text failed."""
    failure = Failure("ValueError", text, "") if text else None
    return StepRun("item", "completed", None, {}, {}, None, number, number, failure, None, {})


def many(count: int, start: int = 0) -> dict[str, StepRun]:
    return {f"item_{number}": step(number) for number in range(start, start + count)}


def run_of(kept: Kept, found: Mapping[str, StepRun]) -> Run:
    return with_steps(dataclasses.replace(a_run("r"), order=tuple(found)), found, kept, kept.put)


def test_a_few_steps_stand_in_the_record_of_the_run() -> None:
    kept = Kept()
    run = run_of(kept, many(FEW))
    assert run.parts is None
    assert kept.again(run) == run
    assert len(kept.encoded) == 1


def test_many_steps_are_read_like_few() -> None:
    kept, found = Kept(), many(3 * FEW)
    run = kept.again(run_of(kept, found))
    assert isinstance(run.steps, Steps)
    assert len(run.encode()) < 1000
    assert (len(run.steps), len(run.steps.items()), len(run.steps.values())) == (len(found),) * 3
    assert run.steps["item_7"] == found["item_7"]
    assert run.steps.get("nothing") is None
    assert "item_7" in run.steps
    assert "nothing" not in run.steps
    with pytest.raises(KeyError):
        run.steps["nothing"]
    assert list(run.steps) == [name for name, _ in run.steps.items()] == sorted(found)
    assert dict(run.steps) == found
    assert run.steps == found
    assert (list(run.order), run.order[1], len(run.order)) == ([*found], "item_1", len(found))
    assert run.order == tuple(found)
    assert run == kept.again(run)


names = st.text(st.sampled_from("ab_12"), min_size=1, max_size=3)


@given(st.lists(st.dictionaries(names, st.integers(0, 9), max_size=60), max_size=5))
def test_the_record_depends_on_what_ended_and_not_on_when_it_was_written(
    written: list[dict[str, int]],
) -> None:
    kept, together = Kept(), many(FEW + 1)
    run = run_of(kept, together)
    for each in written:
        ended = {name: step(number) for name, number in each.items()}
        together |= ended
        run = with_steps(run, ended, kept, kept.put)
    assert dict(kept.again(run).steps) == together
    assert run.parts is not None
    at_once = with_steps(a_run("other"), together, kept, kept.put)
    assert at_once.parts is not None
    assert at_once.parts.steps == run.parts.steps


def test_a_run_that_goes_on_writes_only_the_nodes_of_what_has_ended() -> None:
    kept = Kept()
    run = run_of(kept, many(10_000))
    before = set(kept.encoded)
    after = with_steps(run, {"item_5000": step(1)}, kept, kept.put)
    fresh = kept.encoded.keys() - before
    assert len(fresh) <= 4
    assert sum(len(kept.encoded[oid]) for oid in fresh) < 200_000
    assert dict(steps.diff(after, run)) == {"item_5000": (step(5000), step(1))}
    assert with_steps(run, {}, kept, kept.put) == run


@pytest.mark.parametrize("text", ["x" * LARGE, "," * (MANY_MARKS + 1)], ids=["bytes", "marks"])
def test_a_large_step_is_an_object_of_its_own(text: str) -> None:
    kept, large = Kept(), step(text=text)
    run = kept.again(run_of(kept, {"small": step(), "large": large}))
    assert run.steps == {"small": step(), "large": large}
    assert large.oid in kept.encoded
    assert max(len(data) for oid, data in kept.encoded.items() if oid != large.oid) < 2000


def test_whatever_steps_say_their_nodes_are_within_what_a_record_may_have() -> None:
    kept = Kept()
    for text in ("," * (MANY_MARKS - 100), "x" * (LARGE - 500)):
        run = run_of(kept, {f"item_{number}": step(text=text) for number in range(2000)})
        assert len(run.steps) == 2000


def test_what_differs_is_found_whatever_is_kept_apart() -> None:
    kept = Kept()
    few, more = run_of(kept, many(2)), run_of(kept, {**many(FEW + 1), "item_1": step(99)})
    found = dict(steps.diff(more, few))
    assert found.pop("item_1") == (step(1), step(99))
    assert len(found) == FEW - 1
    assert {before for before, _ in found.values()} == {None}
    assert dict(steps.diff(more, more)) == {}


def test_all_that_steps_refer_to_can_be_reached() -> None:
    kept, artifact = Kept(), hash_bytes(b"")
    took = StepRun("total", "completed", artifact, {}, {}, None, 1, 1, None, None, {})
    run = run_of(kept, {**many(FEW), "large": step(text="x" * LARGE), "total": took})
    pending, reached = [run.oid], set[Oid]()
    kept.put(run)
    while pending:
        oid = pending.pop()
        reached.add(oid)
        if oid != artifact:
            kinds = {hash_bytes(kept.encoded[oid], kind): cls for kind, cls in graph.RECORDS.items()}
            pending.extend(graph.references_of(kinds[oid].decode(kept.encoded[oid])))
    assert reached == {*kept.encoded, artifact}


# Damage


def test_what_is_lost_takes_nothing_else_along() -> None:
    kept, found = Kept(), many(1000)
    run = kept.again(run_of(kept, found))
    assert is_whole(run)
    lost = next(oid for oid, data in kept.encoded.items() if b'"item_500"' in data and b'"level":0' in data)
    gone = {name for name, _ in StepsNode.decode(kept.encoded.pop(lost)).entries}
    assert "item_500" in gone
    run = kept.again(run)  # as who has not looked yet finds it
    assert not is_whole(run)
    with pytest.raises(UnknownName):
        run.steps["item_500"]
    made = kept.again(salvaged(run, None, kept, kept.put))
    assert is_whole(made)
    assert dict(made.steps) == {name: each for name, each in found.items() if name not in gone}
    assert list(made.order) == [*found]
    with_older = salvaged(run, run_of(Kept(), many(502)), kept, kept.put)
    assert "item_500" in with_older.steps


def test_where_the_order_is_lost_the_steps_are_in_that_of_their_names() -> None:
    kept = Kept()
    run = kept.again(run_of(kept, many(FEW + 1)))
    assert run.parts is not None
    del kept.encoded[run.parts.order]
    run = kept.again(run)
    assert not is_whole(run)
    assert list(salvaged(run, None, kept, kept.put).order) == sorted(many(FEW + 1))


def test_a_record_that_says_its_steps_twice_is_refused() -> None:
    id_ = hash_bytes(b"")
    said = a_run("r").to_json() | {"parts": Parts(id_, id_).to_json()}
    assert Run.from_json(said).parts == Parts(id_, id_)
    for twice in ({"steps": {"a": step().to_json()}}, {"order": ["a"]}):
        with pytest.raises(DamagedError, match="says twice"):
            Run.from_json(said | twice)


@pytest.mark.parametrize(
    "node",
    [
        {"level": 0, "entries": []},
        {"level": 0, "entries": [["a"]]},
        {"level": 0, "entries": [["a", None]]},
        {"level": 0, "entries": [["a", "no id"]]},
        {"level": 0, "entries": [["a", {}]]},
        {"level": 0, "entries": [["b", "0" * 64], ["a", "0" * 64]]},
        {"level": 0, "entries": [["a", "0" * 64], ["a", "0" * 64]]},
        {"level": 0, "entries": [[1, "0" * 64]]},
        {"level": 0, "entries": [["a", "0" * 64, 1]]},
        {"level": 1, "entries": [["a", "0" * 64]]},
        {"level": 1, "entries": [["a", "0" * 64, 0]]},
        {"level": 1, "entries": [["a", step().to_json(), 1]]},
        {"level": 99, "entries": [["a", "0" * 64, 1]]},
        {"level": 0},
    ],
)
def test_a_node_that_is_none_is_refused(node: dict[str, object]) -> None:
    with pytest.raises(DamagedError):
        StepsNode.from_json(node)


def test_a_large_step_that_is_something_else_is_refused() -> None:
    kept = Kept()
    root = kept.put(StepsNode(0, (("a", kept.put(Order(("a",)))),)))
    with pytest.raises(DamagedError):
        Steps(kept, root)["a"]
