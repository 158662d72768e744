"""What executions were seen to use of what others leave: values, variables, files, and the order of these."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...fingerprint import Followed
from .. import chance
from ..model import Trace
from ..paths import is_of_names
from ..places import Places
from .kinds import FILES, ON_DISK, SOURCES, VALUES, VARIABLES

Uses = tuple[str, str]
"""A kind and a name: the root of a value as its module writes it, a variable, or a file's path."""

ORDER = "order"
"""A kind of use: of when a file was written, or which names there are in a folder, of which one may be the last."""

_ROOT = re.compile(r".*?::\w+|[^\[(]+", re.DOTALL)


def asked(trace: Trace, places: Places) -> Iterator[Uses]:
    """The variables and files that an execution was seen to use.

    Args:
        trace: What was seen of it.
        places: What its relative paths stand for.
    """
    yield from ((VARIABLES, name) for name in trace.env)
    for path in map(places.resolve, trace.left_of(FILES)):
        yield FILES, path
        yield FILES, os.path.dirname(path)  # which another may have emptied
    yield from read(trace, places)


def read(trace: Trace, places: Places) -> Iterator[Uses]:
    """The files among them that it has not left otherwise itself."""
    for name, facets in trace.files.items():
        if name in trace.left_of(FILES):
            continue  # it is another when the step has ended
        path = places.resolve(name)
        yield FILES, path
        if "stat" in facets:
            yield ORDER, path
        if any(map(is_of_names, facets)):
            yield from ((FILES, os.path.join(path, "")), (ORDER, os.path.join(path, "")))


def files_left(trace: Trace, places: Places) -> Mapping[str, str]:
    """What an execution left in files: absolute path → what is there since.

    Args:
        trace: What was seen of it.
        places: What its relative paths stand for.
    """
    return {places.resolve(name): what for name, what in trace.left_of(FILES).items()}


def on_disk(trace: Trace) -> Trace:
    """What was seen of an execution, of what it left only what is on disk."""
    return replace(trace, left={kind: left for kind, left in trace.left.items() if kind in ON_DISK})


def changed(code: Followed, before: Trace, after: Trace, places: Places) -> set[Uses]:
    """What a step has left otherwise than in an execution before.

    Args:
        code: Its code.
        before: What was seen of that one.
        after: What was seen since.
        places: What their relative paths stand for.
    """
    found = {(VALUES, root(code.spelt(name))) for name in _differing(VALUES, before, after)}
    found |= {(VARIABLES, name) for name in _differing(VARIABLES, before, after)}
    for path in map(places.resolve, _differing(FILES, before, after)):
        found |= {(FILES, path), (FILES, os.path.join(os.path.dirname(path), ""))}
    return found


def used(code: Followed, trace: Trace, places: Places) -> Iterator[Uses]:
    """The variables, files and values that an execution was seen to use.

    Args:
        code: Its code.
        trace: What was seen of it.
        places: What its relative paths stand for.
    """
    yield from asked(trace, places)
    yield from ((VALUES, root(code.spelt(name))) for name in trace.values)


def in_memory(code: Followed, trace: Trace) -> Iterator[Uses]:
    """What an execution was seen to use that was in memory: live values, variables, random numbers.

    Args:
        code: Its code.
        trace: What was seen of it.
    """
    yield from ((VALUES, root(code.spelt(name))) for name in trace.values if not _is_remembered(name))
    yield from ((VARIABLES, name) for name in trace.env)
    yield from ((SOURCES, name) for name in map(chance.source, trace.context) if name)


def left_in_memory(code: Followed, trace: Trace) -> Iterator[Uses]:
    """What of it an execution has left otherwise than it was. See `in_memory`."""
    yield from ((VALUES, root(code.spelt(name))) for name in trace.left_of(VALUES) if not _is_remembered(name))
    yield from ((VARIABLES, name) for name in trace.left_of(VARIABLES))
    yield from ((SOURCES, name) for name in trace.left_of(SOURCES))


def _is_remembered(name: str) -> bool:
    """Whether it is what a cached function remembers: whoever has not got it finds it out again."""
    return name.endswith("()")


def spelt(use: Uses) -> str:
    """Something that is used, in words."""
    kind, name = use
    return {VARIABLES: f"the variable {name}", SOURCES: f"the random numbers of {name}"}.get(kind, name)


def overwrites(before: Trace, after: Trace, places: Places) -> bool:
    """Whether an execution has left files that one after it had left already, and that are now as the former left them.

    Args:
        before: What was seen of the former.
        after: What was seen of the one after it.
        places: What their relative paths stand for.
    """
    mine = files_left(before, places)
    return any(mine.get(path, what) != what for path, what in files_left(after, places).items())


def root(name: str) -> str:
    """The name of a module, or of a setting, of whose value something is told."""
    found = _ROOT.match(name)
    return found[0] if found else name


def _differing(kind: str, before: Trace, after: Trace) -> Iterator[str]:
    then, now = before.left_of(kind), after.left_of(kind)
    return (name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
