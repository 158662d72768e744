"""Which distribution an imported module belongs to, and its version.

`importlib.metadata.packages_distributions()` reads the file list of everything installed, so it is asked
last; most modules carry the name of their distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

UNKNOWN = "unknown"


@cache
def distributions(module: str) -> Mapping[str, str]:
    """The distributions that provide a top-level module, with their versions.

    A module that nothing installed claims stands for itself, with an unknown version.
    """
    direct = _version(module)
    if direct is not None:
        return {module: direct}
    found = {name: _version(name) or UNKNOWN for name in sorted(set(_providers(module)))}
    return found or {module: UNKNOWN}


def _version(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _providers(module: str) -> list[str]:
    from importlib import metadata

    names = []
    for distribution in metadata.distributions():
        listed = distribution.read_text("top_level.txt")
        if listed is not None and module in listed.split():
            names.append(distribution.metadata["Name"])
    return names or list(metadata.packages_distributions().get(module, ()))
