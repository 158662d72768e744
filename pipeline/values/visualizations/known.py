"""What is known of a version beside its value, told shortly: the same in a notebook's card and in `art show`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from artvcs.vcs import values

from .shown import ShownVersion

_LOOKED_AT, _MEASURES = 50, 3
"""So many things are looked at that steps noted which took a version, and what so many of them noted is told."""


def measures(version: ShownVersion) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What the step noted that made a version, and the newest different things that those noted that took it.

    What the version's own metadata says already, as that of a model does, is not told again.

    Returns:
        Each step, with what it noted; `run` for what is noted of a whole run.
    """
    if version.commit is not None and version.commit.noted:
        yield version.commit.step, {name: values.decode(value) for name, value in version.commit.noted.items()}
    told = list[tuple[str, Mapping[str, Any]]]()
    own = {name: values.decode(value) for name, value in version.record.metadata.items()}
    for step, noted in version.remarks(_LOOKED_AT):
        fresh = {name: value for name, value in noted.items() if name not in own or own[name] != value}
        if fresh and (each := (step or "run", fresh)) not in told:
            told.append(each)
    yield from told[:_MEASURES]


def split_defaults(metadata: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Any] | None, int]:
    """Metadata without the parameters of a model, which are long, and most of which say nothing.

    Returns:
        The metadata, the parameters that somebody changed, or None where it is no model's, and how many others are
        as the class has them.
    """
    found = dict(metadata)
    changed, parameters = found.get("changed"), found.get("parameters")
    if not isinstance(changed, Mapping) or not isinstance(parameters, Mapping):
        return found, None, 0
    del found["changed"], found["parameters"]
    return found, changed, len(parameters) - len(changed)
