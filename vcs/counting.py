"""Numbers of things in words: the one place where a noun agrees with its number."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """So many of a thing: `1 step`, `2 steps`, `1,200 steps`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
