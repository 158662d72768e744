"""Dictionaries."""

from __future__ import annotations

from typing import Any

from .._names import finder


def recursive_update(original: dict[str, Any], update: dict[str, Any], ignore_none: bool = False) -> dict[str, Any]:
    """Puts what a dictionary says into another, in the dictionaries below too; gives that other."""
    for key, value in update.items():
        if ignore_none and value is None:
            continue
        before = original.get(key) or {}
        both = isinstance(value, dict) and isinstance(before, dict)
        original[key] = recursive_update(before, value, ignore_none) if both else value
    return original


def remove_none_values(dict_: dict[str, Any], recursive: bool = False) -> dict[str, Any]:
    """A dictionary without the names that have no value."""
    return {
        key: remove_none_values(value, recursive) if recursive and isinstance(value, dict) else value
        for key, value in dict_.items()
        if value is not None
    }


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
