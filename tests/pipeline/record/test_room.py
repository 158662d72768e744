"""A run of more steps than its record has room for is refused before anything is executed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from artvcs import Client, pipeline, step
from artvcs.pipelines.errors import DefinitionError
from artvcs.pipelines.record import room


@step
def item(number: int) -> Annotated[int, "kept"]:
    return number


@step
def total(numbers: list[int]) -> int:
    return sum(numbers)


@pipeline
def fan(count: int) -> None:
    total(item.map(range(count)))


def test_too_many_steps_are_refused_at_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_RECORD", 50_000)
    assert fan(70).status == "completed"
    with pytest.raises(DefinitionError, match=r"The record of 151 steps would have about .*, and 48.8 KiB is possible"):
        fan(150)
    with pytest.raises(DefinitionError, match=r"'total', which takes 200 artifacts, would have about 50.6 KiB"):
        fan(200)
    assert len(Client().list_pipeline_runs()) == 1


def test_the_estimate_is_near(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[int]()
    needed = room.needed

    def noted(*arguments: object) -> int:
        told.append(needed(*arguments))  # type: ignore[arg-type]
        return told[-1]

    monkeypatch.setattr(room, "needed", noted)
    size = len(fan(200).record.encode())
    assert 0.8 * size < told[0] < 1.25 * size
