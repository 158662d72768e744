"""What several threads make of pieces comes in the order of the pieces, and what goes wrong in one is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from artvcs.vcs.changes.threads import in_order


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No thread is left afterwards."""
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def refuse(bad: int) -> Callable[[int], int]:
    def check(number: int) -> int:
        if number == bad:
            raise ValueError(f"{number} is refused")
        return -number

    return check


def numbers(count: int, bad: int = -1) -> Iterator[int]:
    for number in range(count):
        yield -refuse(bad)(number)


@pytest.mark.parametrize("count", [0, 1, 8, 9, 500])
def test_what_is_made_comes_in_order(count: int) -> None:
    along: list[int] = []
    assert list(in_order(refuse(-1), numbers(count), along.append)) == [-number for number in range(count)]
    assert along == list(range(count))


@pytest.mark.parametrize("bad", [0, 7, 8, 9, 30, 499])
@pytest.mark.parametrize("where", ["work", "pieces", "along"])
def test_what_goes_wrong_is_told(where: str, bad: int) -> None:
    work = refuse(bad if where == "work" else -1)
    pieces = numbers(500, bad if where == "pieces" else -1)
    along = refuse(bad if where == "along" else -1)
    with pytest.raises(ValueError, match=f"{bad} is refused"):
        list(in_order(work, pieces, along))


@pytest.mark.parametrize("after", [1, 8, 9, 100])
def test_who_wants_no_more_may_stop(after: int) -> None:
    with closing(in_order(refuse(-1), numbers(500), refuse(-1))) as made:  # type: ignore[type-var]
        for _ in range(after):
            next(made)
