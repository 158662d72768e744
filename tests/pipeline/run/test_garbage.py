"""How often Python looks for circles in memory while a run goes on, and that it is as before afterwards."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from artvcs.pipelines.run.garbage import collected_seldom


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_it_looks_less_often_inside_and_as_before_afterwards() -> None:
    gc.set_threshold(700, 11, 12)
    with pytest.raises(ZeroDivisionError), collected_seldom():
        assert gc.get_threshold() == (50_000, 11, 12)
        raise ZeroDivisionError
    assert gc.get_threshold() == (700, 11, 12)


@pytest.mark.parametrize("young", [0, 200_000])
def test_who_has_it_look_still_less_often_keeps_that(young: int) -> None:
    gc.set_threshold(young, 10, 10)
    with collected_seldom():
        assert gc.get_threshold() == (young, 10, 10)
    assert gc.get_threshold() == (young, 10, 10)


def test_runs_side_by_side_in_one_process_leave_it_as_it_was() -> None:
    gc.set_threshold(700, 10, 10)
    both, first_left = threading.Barrier(2), threading.Event()

    def first() -> None:
        with collected_seldom():
            both.wait(10)
        first_left.set()

    thread = threading.Thread(target=first)
    thread.start()
    with collected_seldom():
        both.wait(10)
        assert first_left.wait(10)
        assert gc.get_threshold() == (50_000, 10, 10)
    thread.join()
    assert gc.get_threshold() == (700, 10, 10)
