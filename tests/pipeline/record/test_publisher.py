"""When what has landed is published: soon, and less often where that takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from artvcs.pipelines.record import publisher


class SlowTransaction:
    """Publishing it takes a while."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.published = threading.Event()

    @contextmanager
    def together(self) -> Iterator[None]:
        yield

    def publish(self, *, tolerant: bool) -> None:
        time.sleep(self.seconds)
        self.published.set()


def test_what_is_published_last_is_not_followed_by_what_had_begun_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "DELAY", 0.0)
    said: list[str] = []
    began = threading.Event()

    def last_words() -> None:
        began.set()
        time.sleep(0.3)
        said.append("goes on")

    slow: Any = SlowTransaction(0.0)
    publishing = publisher.Publisher(slow, last_words, lambda: None)
    publishing.soon()
    assert began.wait(10)
    publishing.stop()
    said.append("has ended")
    publishing.now()
    time.sleep(0.4)
    assert said == ["goes on", "has ended"]


@pytest.mark.parametrize(("seconds", "least"), [(0.0, 0.01), (0.1, 0.3)])
def test_publishing_is_no_more_than_a_quarter_of_the_time(
    seconds: float, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    class Timer(threading.Timer):
        def __init__(self, interval: float, function: Any) -> None:
            asked.append(interval)
            super().__init__(interval, function)

    monkeypatch.setattr(publisher, "DELAY", 0.01)
    monkeypatch.setattr(threading, "Timer", Timer)
    told = threading.Event()
    slow: Any = SlowTransaction(seconds)
    publishing = publisher.Publisher(slow, lambda: None, told.set)
    publishing.soon()
    assert slow.published.wait(10)
    assert told.wait(10)
    time.sleep(0.05)  # until it is noted how long that took
    publishing.soon()
    assert asked[0] == 0.01
    assert asked[1] >= least
    publishing.now()
