"""Of many steps a run has room for as many as its order can name, and a step takes what its own record can."""

from __future__ import annotations

from pathlib import Path

import pytest

from artvcs import Client, pipeline, step
from artvcs.pipelines.errors import DefinitionError
from artvcs.pipelines.record import room


@step
def item(i: int) -> int:
    return i


@step
def total(xs: list[int]) -> int:
    return sum(xs)


@pipeline
def fan(n: int) -> None:
    total(item.map(list(range(n))))


def test_a_step_that_takes_more_than_its_record_can_hold_is_refused_before_anything_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_RECORD", 10_000)
    with pytest.raises(DefinitionError, match=r"'total', which takes 60 artifacts, .*put them together"):
        fan(60)
    assert list(Client().list_pipeline_runs()) == []
    fan(30)


def test_more_steps_than_can_be_named_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_ITEMS", 20)
    with pytest.raises(DefinitionError, match="21 steps are more than a run can have; give each item"):
        fan(20)
    fan(18)


@pytest.mark.long
def test_the_estimate_is_near(project: Path) -> None:
    run = fan(500)
    taken = run.steps["total"].execution
    assert taken is not None
    assert 0.8 < 500 * (room._INPUT + room._PARENT) / len(taken.encode()) < 1.25
