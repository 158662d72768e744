"""Timing commands and functions side by side."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence


def alternate(runs: int, *candidates: Callable[[], float]) -> list[list[float]]:
    """Calls the candidates in turn, A B A B …, so that a slow moment of the machine hits all of them.

    Args:
        runs: How often each is called.
        *candidates: Each returns the milliseconds it took.

    Returns:
        The milliseconds of each candidate.
    """
    taken: list[list[float]] = [[] for _ in candidates]
    for _ in range(runs):
        for candidate, times in zip(candidates, taken, strict=True):
            times.append(candidate())
    return taken


def compare(title: str, limit: float, ours: Sequence[float], peer_name: str, peer: Sequence[float]) -> None:
    """Prints the median of both and the median of the ratios pair by pair, beside the ratio asked for."""
    ratio = statistics.median(a / b for a, b in zip(ours, peer, strict=True))
    verdict = "ok" if ratio <= limit else "ABOVE"
    print(
        f"{title:<44} ours {statistics.median(ours):8.2f} ms   {peer_name} {statistics.median(peer):8.2f} ms   "
        f"ratio {ratio:5.2f} (asked ≤ {limit:g}) {verdict}",
        flush=True,
    )


def process(*arguments: str) -> float:
    """Milliseconds that a command takes as a whole process."""
    start = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def python(code: str) -> float:
    """Milliseconds that a Python process takes to run `code`."""
    return process(sys.executable, "-c", code)
