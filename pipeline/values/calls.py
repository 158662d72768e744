"""With what arguments functions under `functools.lru_cache` were called, as far as they remember."""

from __future__ import annotations

import gc
from typing import Any

_LINK = "_lru_list_elem"
"""The type by which `functools.lru_cache` holds a result, where it keeps only so many."""


def calls_of(function: Any) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """With what arguments a function under `functools.lru_cache` was called, as far as it remembers."""
    referents = (each.copy() for each in gc.get_referents(function) if type(each) is dict)
    held = [each for each in referents if "__wrapped__" not in each]
    if function.cache_parameters()["maxsize"] is not None:  # it holds its results beside their links, by argument
        held = [each for each in held if each and all(type(link).__name__ == _LINK for link in each.values())]
    [memo] = held if len(held) == 1 else [{}]
    if function.cache_parameters()["typed"]:
        return []
    calls = list[tuple[tuple[Any, ...], dict[str, Any]]]()
    for key in memo:
        if not issubclass(type(key), tuple):
            calls.append(((key,), {}))
            continue
        at = next((at for at, each in enumerate(key) if type(each) is object), None)
        at = len(key) if at is None else at
        calls.append((tuple(key[:at]), dict(zip(key[at + 1 :: 2], key[at + 2 :: 2], strict=True))))
    return calls
