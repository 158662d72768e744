"""The paths that a step is given: by its parameters, or in what steps before it returned."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from artvcs.vcs import Artifact, DamagedError, LookupFailed, RemoteError, worktree

from ..values import store
from .decide import Decision

_MOST = 1 << 14
"""Bytes of an input in which paths are looked for; of data, they are no more than a part."""
_QUOTED = re.compile(r"[^\"'\n\r\0]+")
_WORD = re.compile(r"[^\"'\s\0,;:=()\[\]{}]+")


def paths_given(decision: Decision) -> frozenset[str]:
    """Absolute paths of all that may be a path in what a step is given, whether or not there is anything."""
    places, found = decision.world.places, set()
    for text in _texts(decision):
        found |= {each.strip() for form in (_QUOTED, _WORD) for each in form.findall(text)}
    return frozenset(os.path.normpath(os.path.join(places.folder, each)) for each in found)


def _texts(decision: Decision) -> Iterator[str]:
    yield repr(dict(decision.node.params))
    repository = decision.world.repository
    for source in (each for sources in decision.inputs.values() for each in sources):
        try:
            artifact = repository.store.record(source.artifact, Artifact)
            if artifact.size <= _MOST:
                store.bring_here(repository, {source.artifact: f"the input {source.artifact[:12]}"})
            held = worktree.read_held(repository.store, artifact.payload, _MOST) if artifact.size <= _MOST else None
        except (DamagedError, LookupFailed, RemoteError):
            continue  # then the step cannot be given it either
        yield from (data.decode("utf-8", "replace") for data in (held or {}).values())
