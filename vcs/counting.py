"""Numbers of things in words: the one place where a noun agrees with its number."""

from __future__ import annotations


def count(number: float, noun: str) -> str:
    """So many of a thing: `1 step`, `2 steps`, `1,200 steps`, `0.5 cores`."""
    shown = int(number) if number == int(number) else number
    return f"{shown:,} {noun}{'s' * (number != 1)}"
