"""What the suites share: errors that must come, and threads that get in each other's way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def raises(error: type[Exception], call: Callable[..., object], *arguments: object) -> None:
    """Makes a call that must end in this error."""
    try:
        result = call(*arguments)
    except error:
        return
    raise AssertionError(f"{call} of {arguments!r} gave {result!r} and no {error.__name__}")


def at_once(calls: list[Callable[[], T]]) -> list[T]:
    """Makes all calls at the same moment, each in a thread, and returns what they return."""
    results: dict[int, Any] = {}
    barrier = threading.Barrier(len(calls))

    def run(number: int) -> None:
        barrier.wait()
        results[number] = calls[number]()

    threads = [threading.Thread(target=run, args=[number]) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(calls))]


@contextmanager
def meanwhile(step: Callable[[int], object]) -> Iterator[None]:
    """Calls `step` with 0, 1, 2, … in another thread as long as the block lasts."""
    stop, failed = threading.Event(), []

    def run() -> None:
        number = 0
        while not stop.is_set():
            try:
                step(number)
            except BaseException as error:
                failed.append(error)
                return
            number += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not failed, failed
