"""Whether what a path answers otherwise than it did is an execution's own doing: it has consumed what it found.

A step that reads files and removes them, or moves their folder, finds them no more. It would again if all had run, as
far as steps before it make them: what hits leave there has to be what it found.
"""

from __future__ import annotations

import os

from .. import paths
from ..model import Trace
from ..places import Places
from .owed import Owed
from .uses import files_left


def is_as_left(name: str, facet: str, answer: tuple[str, str], trace: Trace, places: Places, owed: Owed) -> bool:
    """Whether a path is as the execution left it, and would be as that found it if all had run.

    Args:
        name: The path's name in the trace.
        facet: What was asked of it.
        answer: What it answered then, and what it answers now.
        trace: What was seen of the execution.
        places: What relative paths stand for.
        owed: What hits owe.
    """
    was, now = answer
    path = places.resolve(name)
    left = files_left(trace, places)
    if left.get(path) == paths.ABSENT:
        if now not in (paths.ABSENT, paths.NO_NAMES) or not owed.is_gone(path):
            return False
        return facet == "content" or (paths.is_of_names(facet) and not owed.brings_others(path, _seen(trace, places)))
    found, there = paths.listed_in(was), paths.listed_in(now)
    if facet != "names" or found is None or there is None:
        return False
    inside = {os.path.basename(each): what for each, what in left.items() if os.path.dirname(each) == path}
    removed = {each for each, what in inside.items() if what == paths.ABSENT}
    if not removed & found or there != (found | inside.keys()) - removed:
        return False
    return not owed.brings_others(path, _seen(trace, places))


def _seen(trace: Trace, places: Places) -> set[str]:
    """The files of which the execution has read the content."""
    return {places.resolve(name) for name, facets in trace.files.items() if "content" in facets}
