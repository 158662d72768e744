"""What an execution leaves behind beside its outputs: the kinds, as a trace names them, and what of it is in memory."""

from __future__ import annotations

from collections.abc import Mapping

from ...fingerprint import UNLOADED, State

VALUES, PARTS = "values", "parts"
"""Live values, and code that only these lead to → how they are since."""
ADDED = "added to"
"""Collections that it only added to → how they were before."""
VARIABLES = "variables"
"""Environment variables that it set or removed → a hash."""
FILES = "files"
"""Paths that it wrote or removed → what is there since."""
APPENDED = "appended to"
"""Files that it only appended to → what they held before."""
MODULES = "modules"
"""Own modules that it imported and that do something to packages."""
SOURCES = "random numbers"
"""Sources of random numbers → their state."""
DIRECTORY, PATH = "working directory", "sys.path"
"""Folders of the project where it left the process, and where modules are found → where they stand."""

ON_DISK = frozenset((FILES, APPENDED))
"""The kinds that outlast the process; all others are in its memory."""

GONE = "gone"
"""In place of what there is no more."""


def in_memory(before: State, after: State) -> dict[str, dict[str, str]]:
    """What an execution left in the process: kind → name → what it is since.

    Args:
        before: The state that its code reached before.
        after: The same after it.
    """
    values = _changed({**before.values, **before.added}, {**after.values, **after.added})
    return {
        VALUES: values,
        PARTS: _changed(before.parts, after.parts),
        ADDED: {name: was for name, was in before.added.items() if name in values},
    }


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    return {
        name: now
        for name in sorted(before.keys() | after.keys())
        if (now := after.get(name, GONE)) != before.get(name, GONE)
        and before.get(name) != UNLOADED  # what was only loaded is loaded again by whoever needs it
    }  # fmt: skip
