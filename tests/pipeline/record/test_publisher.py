"""When what has landed is published: soon, and less often where that takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from artvcs.pipelines.record.publisher import Publisher

BACKGROUND = "artvcs-publishes"


class Published:
    """A transaction that takes a while to be published, and knows when that began."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.begun: list[float] = []

    @contextmanager
    def together(self) -> Iterator[None]:
        yield

    def publish(self, *, tolerant: bool) -> None:
        self.begun.append(time.monotonic())
        time.sleep(self.seconds)

    def wait(self, count: int) -> None:
        give_up = time.monotonic() + 10
        while len(self.begun) < count:
            assert time.monotonic() < give_up
            time.sleep(0.005)


def publisher_of(transaction: Published, last_words: Any = lambda: None) -> Publisher:
    anything: Any = transaction
    return Publisher(anything, last_words, lambda: None)


def test_what_is_published_last_is_not_followed_by_what_had_begun_before() -> None:
    said: list[str] = []
    began = threading.Event()

    def last_words() -> None:
        began.set()
        time.sleep(0.3)
        said.append("goes on")

    publishing = publisher_of(Published(), last_words)
    publishing.soon(0.0)
    assert began.wait(10)
    publishing.stop()
    said.append("has ended")
    publishing.now()
    time.sleep(0.4)
    assert said == ["goes on", "has ended"]


@pytest.mark.parametrize(("seconds", "least"), [(0.0, 0.01), (0.1, 0.3)])
def test_publishing_is_no_more_than_a_quarter_of_the_time(seconds: float, least: float) -> None:
    transaction = Published(seconds)
    publishing = publisher_of(transaction)
    publishing.soon(0.01)
    transaction.wait(1)
    time.sleep(seconds + 0.05)  # until it is noted how long that took
    asked = time.monotonic()
    publishing.soon(0.01)
    transaction.wait(2)
    assert transaction.begun[1] >= asked + least
    publishing.now()


def test_many_are_published_together_at_the_first_of_their_moments() -> None:
    transaction = Published()
    publishing = publisher_of(transaction)
    publishing.soon(30.0)
    publishing.soon(0.2)
    publishing.soon(30.0)
    transaction.wait(1)
    time.sleep(0.1)
    assert len(transaction.begun) == 1
    assert not [each for each in threading.enumerate() if each.name == BACKGROUND], "nothing is left to do"


def test_what_is_to_be_published_later_holds_up_no_end() -> None:
    transaction = Published()
    publishing = publisher_of(transaction)
    publishing.soon(30.0)
    began = time.monotonic()
    publishing.now()
    assert time.monotonic() < began + 5
    assert len(transaction.begun) == 1
    publishing.soon(0.0)
    transaction.wait(2)
    publishing.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_one_publishing_keeps_no_other_from_being_done() -> None:
    faults = [ZeroDivisionError]

    def last_words() -> None:
        while faults:
            raise faults.pop()

    transaction = Published()
    publishing = publisher_of(transaction, last_words)
    publishing.soon(0.0)
    time.sleep(0.2)
    assert (transaction.begun, faults) == ([], [])
    publishing.soon(0.0)
    transaction.wait(1)
    publishing.stop()
