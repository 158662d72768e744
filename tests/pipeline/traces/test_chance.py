"""Sources of random numbers, each by itself: was anything drawn from what was there, and what is left behind."""

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from artvcs.pipelines.trace import chance
from artvcs.pipelines.trace.chance import UNSEEDED, Chance


class Source(NamedTuple):
    """A common source: how it is seeded, drawn from, and left to chance again."""

    name: str
    seed: Callable[[int], Any]
    draw: Callable[[], Any]


def sources() -> Iterator[Any]:
    yield Source("random", random.seed, random.random)
    yield Source("random", random.seed, lambda: random.gauss(0, 1))
    yield Source("numpy.random", np.random.seed, lambda: float(np.random.rand()))
    yield Source("numpy.random", np.random.seed, lambda: float(np.random.randn()))


def torch() -> Source:
    module = pytest.importorskip("torch")
    return Source("torch", module.manual_seed, lambda: float(module.rand(1)))


@pytest.fixture(params=[*sources(), None], ids=["random", "gauss", "numpy", "normal", "torch"])
def source(request: pytest.FixtureRequest) -> Iterator[Source]:
    found = torch() if request.param is None else request.param
    with chance.kept():
        yield found


def end(seen: Chance, *, seeds: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    return seen.end(lambda module, name: seeds)


def test_the_state_that_was_drawn_from_counts(source: Source) -> None:
    found = []
    for seed in (1, 1, 2):
        source.seed(seed)
        seen = Chance()
        source.draw()
        drawn, _ = end(seen)
        found.append(drawn[f"the state of {source.name}"])
    assert found[0] == found[1] != found[2]
    assert UNSEEDED not in found


def test_what_is_not_drawn_from_does_not(source: Source) -> None:
    source.seed(1)
    assert end(Chance()) == ({}, {})


def test_a_source_that_is_seeded_meanwhile_does_not(source: Source) -> None:
    source.seed(1)
    seen = Chance()
    seen.seeds(source.name)  # as the function that seeds notes it
    source.seed(5)
    source.draw()
    drawn, left = end(seen)
    assert not drawn
    assert set(left) == {source.name}


def test_numbers_drawn_before_it_is_seeded_do(source: Source) -> None:
    source.seed(1)
    seen = Chance()
    source.draw()
    seen.seeds(source.name)
    source.seed(1)
    assert f"the state of {source.name}" in end(seen)[0]


def test_what_is_left_gives_the_numbers_that_would_come_next(source: Source) -> None:
    source.seed(3)
    seen = Chance()
    source.draw()
    _, left = end(seen)
    expected = [source.draw() for _ in range(3)]
    source.seed(9)
    chance.leave(left)
    assert [source.draw() for _ in range(3)] == expected


def test_a_child_may_have_drawn_unseen(source: Source) -> None:
    source.seed(1)
    seen = Chance()
    seen.fork()
    assert f"the state of {source.name}" in end(seen)[0]


def test_what_a_module_of_a_library_draws_as_it_is_loaded_is_nothing(source: Source) -> None:
    source.seed(1)
    seen = Chance()
    before = chance.looks()
    source.draw()
    seen.loaded(before)
    drawn, left = end(seen)
    assert not drawn
    assert set(left) == {source.name}, "who comes next finds it where the library has left it"


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_what_is_drawn_beside_that_counts_by_the_state_at_the_beginning(source: Source, first: bool) -> None:
    source.seed(1)
    seen = Chance()
    for of_library in (not first, first):
        before = chance.looks()
        source.draw()
        if of_library:
            seen.loaded(before)
    drawn, _ = end(seen)
    source.seed(1)
    assert drawn == {f"the state of {source.name}": chance.answer(source.name)}


def test_numbers_drawn_as_modules_are_loaded_leave_a_source_that_is_seeded_then(source: Source) -> None:
    source.seed(1)
    seen = Chance()
    before = chance.looks()
    source.draw()
    seen.loaded(before)
    seen.seeds(source.name)
    source.seed(5)
    source.draw()
    assert not end(seen)[0]


@pytest.mark.parametrize("count", [1, 623, 624, 625, 100_000, 2_000_000])
def test_a_state_is_known_for_what_came_of_another_however_much_was_drawn(count: int) -> None:
    with chance.kept():
        random.seed(4)
        seen = Chance()
        random.getrandbits(32 * count)
        assert "the state of random" in end(seen, seeds=True)[0]


def test_a_state_of_another_seed_is_not() -> None:
    with chance.kept():
        random.seed(4)
        seen = Chance()
        random.seed(5)  # by a name that nobody watches
        random.random()
        assert not end(seen, seeds=True)[0]
        assert end(seen, seeds=False)[0], "where no code says so, it may have drawn very much"


@pytest.mark.parametrize("left", [{"random": "no base64"}, {"random": "AAAA"}, {"nobody": "AAAA"}, {"torch": "AAAA"}])
def test_a_strangers_state_is_passed_over(left: dict[str, str]) -> None:
    before = random.getstate()
    chance.leave(left)
    assert random.getstate() == before
