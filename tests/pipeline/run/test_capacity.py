"""What may run side by side: by cores, memory, and how long it waits already."""

from __future__ import annotations

from typing import Any

import pytest

from artvcs import step
from artvcs.pipelines.define.options.resources import Resources, as_resources
from artvcs.pipelines.errors import DefinitionError
from artvcs.pipelines.run.machine import gpus_here
from artvcs.pipelines.run.side_by_side.capacity import Capacity

GB = 10**9


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, Resources()),
        ({"cpus": 4, "memory": "8GB", "gpus": 1}, Resources(4, 8 * GB, 1)),
        ({"cpus": 0.5, "memory": "512 MiB"}, Resources(0.5, 512 << 20)),
        ({"memory": "1.5g"}, Resources(memory=1_500_000_000)),
        ({"memory": 100}, Resources(memory=100)),
        ({"memory": "100"}, Resources(memory=100)),
    ],
)
def test_what_a_step_says_it_needs(said: dict[str, Any], meant: Resources) -> None:
    assert as_resources(said) == meant

    @step(resources=said)
    def needy() -> None:
        pass

    assert needy.options.resources == meant


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"cpu": 1}, "did you mean 'cpus'"),
        ({"cpus": 0}, "cpus=0 is not possible"),
        ({"cpus": -1}, "cpus=-1 is not possible"),
        ({"cpus": "four"}, "cpus='four' is not possible"),
        ({"cpus": float("nan")}, "cpus=nan is not possible"),
        ({"gpus": True}, "gpus=True is not possible"),
        ({"memory": "much"}, "memory='much' is not possible"),
        ({"memory": -5}, "memory=-5 is not possible"),
        ("8GB", "resources='8GB' is not possible"),
    ],
)
def test_what_cannot_be_needed_is_said_where_it_is_declared(said: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match=told):

        @step(resources=said)
        def needy() -> None:
            pass


def test_cores_are_shared() -> None:
    capacity = Capacity(4)
    capacity.take("two", Resources(cpus=2))
    capacity.take("half", Resources(cpus=0.5))
    assert capacity.fits("small", Resources(cpus=1.5))
    assert not capacity.fits("large", Resources(cpus=2))
    capacity.give_back("two")
    assert capacity.fits("large", Resources(cpus=2))
    assert not capacity.is_full


def test_memory_is_shared() -> None:
    capacity = Capacity(4, memory=8 * GB)
    capacity.take("five", Resources(memory=5 * GB))
    assert not capacity.fits("four", Resources(memory=4 * GB))
    assert capacity.fits("three", Resources(memory=3 * GB))
    assert capacity.fits("unsaid", Resources())


def test_what_needs_more_than_there_is_runs_alone() -> None:
    capacity = Capacity(2, memory=GB)
    huge = Resources(cpus=64, memory=500 * GB)
    assert capacity.fits("huge", huge)
    capacity.take("huge", huge)
    assert capacity.is_full
    assert not capacity.fits("small", Resources(cpus=0.1))
    capacity.give_back("huge")
    capacity.take("small", Resources(cpus=0.1))
    assert not capacity.fits("huge", huge)


def test_small_ones_do_not_keep_a_large_one_waiting_for_ever() -> None:
    capacity = Capacity(2)
    begun = 0
    capacity.take("first", Resources())
    while not capacity.fits("large", Resources(cpus=2)) and capacity.fits(f"small {begun}", Resources()):
        capacity.take(f"small {begun}", Resources())
        capacity.give_back(f"small {begun}")
        begun += 1
    assert 10 < begun < 100
    capacity.give_back("first")
    assert capacity.fits("large", Resources(cpus=2))
    capacity.take("large", Resources(cpus=2))
    capacity.give_back("large")
    assert capacity.fits("small", Resources())


def test_graphics_cards_are_shared_and_not_needed_where_there_are_none() -> None:
    capacity = Capacity(4, gpus=1)
    capacity.take("first", Resources(gpus=0.5))
    assert capacity.fits("half", Resources(gpus=0.5))
    assert not capacity.fits("whole", Resources(gpus=1))
    laptop = Capacity(2)
    laptop.take("first", Resources(gpus=1))
    assert laptop.fits("second", Resources(gpus=1))


@pytest.mark.parametrize(("said", "cards"), [("0,1,2", 3), ("", 0), ("GPU-1234", 1)])
def test_cards_are_counted_as_the_variable_says(said: str, cards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    assert gpus_here() == cards


@pytest.mark.parametrize(("cpus", "together", "slots"), [(2 / 3, 3, 2), (1 / 6, 6, 1), (1 / 7, 7, 1), (0.1, 10, 1)])
def test_parts_of_a_core_are_all_of_it_together(cpus: float, together: int, slots: int) -> None:
    capacity = Capacity(slots)
    for number in range(together):
        assert not capacity.is_full
        assert capacity.fits(str(number), Resources(cpus))
        capacity.take(str(number), Resources(cpus))
    assert capacity.is_full
    assert not capacity.fits("more", Resources(cpus))
    for number in range(together):
        capacity.give_back(str(number))
    assert capacity.fits("all", Resources(slots))
