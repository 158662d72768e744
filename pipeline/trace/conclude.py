"""From what was seen of an execution to its trace."""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Iterator, Mapping

from ..fingerprint import ABSENT, UNLOADED, Followed, Name, State, is_own, package_versions, stated
from .chance import unseeded
from .left import kinds
from .model import NOT_INSTALLED, Trace
from .recording import Recording


def conclude(recording: Recording, code: Followed, before: State, after: State) -> Trace:
    """The trace of an execution that has just ended.

    Args:
        recording: What was seen.
        code: The step's code, as it was followed before.
        before: The state that it reached before.
        after: The same, now.
    """
    if code.uses("datetime") or any(code.uses_name("time", name) for name in _LOCAL_TIME):
        recording.environment.read("TZ", os.environ.get("TZ"))
    asked, changed = recording.files.finish()
    recording.unverified.update(f"all files below {folder}: there are too many" for folder in recording.files.partly)
    roots, edited = code.roots(recording.entered, recording.modules, recording.classes, before)
    later_values, later_parts, later_names = _later(before, after, code.written())
    roots |= code.labels(later_names)
    fingerprint = code.fingerprint
    drawn, sources = recording.chance.end(code.uses_name)
    refused = [f"{gap.where} holds {gap.what}, which cannot be compared" for gap in fingerprint.unhashable]
    refused += [f"{gap.where} is {gap.what}, which cannot be compared" for gap in before.unhashable]
    refused += [f"{name} was edited after it was imported" for name in sorted({*before.edited, *edited})]
    refused += [f"the file {name} changed while the step ran" for name in changed]
    refused += [
        f"it asked for the variable {name}, which a step beside it in the same process was given"
        for name in sorted(recording.environment.of_others)
    ]
    refused += sorted(recording.refused)
    left = {kind: told for kind, told in _left(recording, before, after, sources) if told}
    if recording.beside_others and (changed_in_memory := sorted(left.keys() - kinds.ON_DISK)):
        # Nobody knows whose doing that was, nor who used it before, and who after.
        refused.append(f"memory was changed ({', '.join(changed_in_memory)}) while other steps ran in the same process")
    packages = _packages(recording, fingerprint.packages)
    for name in code.asked_by(before, packages):
        recording.environment.read(name, os.environ.get(name))
    return Trace(
        values=before.values,
        parts=before.parts,
        later_values=later_values,
        later_parts=later_parts,
        done=code.done(before, packages),
        code=code.beyond(sorted(roots)),
        files=asked,
        packages=packages,
        env=recording.environment.asked,
        answers=recording.answers,
        context={**recording.context, **drawn},
        left=left,
        unverified=tuple(sorted({*recording.unverified, *_clocks(code), *_chances(drawn)})),
        refused=tuple(refused),
    )


def _left(
    recording: Recording, before: State, after: State, sources: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """What the execution left behind, by kind."""
    yield kinds.SOURCES, sources
    yield from kinds.in_memory(before, after).items()
    yield from recording.left()
    if loaded := dict(recording.loaded()):
        acting = tuple({each.place for each in after.done} - {each.place for each in before.done})
        yield kinds.MODULES, {name: "loaded" for name, path in loaded.items() if path.endswith(acting)}


def _packages(recording: Recording, known: Mapping[str, str]) -> dict[str, str]:
    """The packages that were imported or asked for, or whose values were loaded, beside those that are known."""
    tops = recording.packages | {cls.partition(":")[0].partition(".")[0] for cls in recording.classes}
    tops -= sys.stdlib_module_names | {"artvcs", "__main__"}
    found = package_versions(sorted(top for top in tops if top and not _is_own_module(top)))
    found.update(dict.fromkeys(recording.missing - found.keys(), NOT_INSTALLED))
    return {name: version for name, version in found.items() if name not in known}


def _is_own_module(name: str) -> bool:
    path = stated(sys.modules.get(name), "__file__")
    return isinstance(path, str) and is_own(os.path.abspath(path))


def _clocks(code: Followed) -> Iterator[str]:
    """The clocks that the code uses, which say something else each time."""
    return (f"the clock, by {name}" for name in _CLOCK if code.uses_name(*name.rsplit(".", 1)))


def _chances(drawn: Mapping[str, str]) -> Iterator[str]:
    """The sources of random numbers that were drawn from and that nobody had seeded."""
    return (f"chance, by {name}" for name in unseeded(drawn))


_LOCAL_TIME = (
    *("altzone", "asctime", "ctime", "daylight", "localtime"),
    *("mktime", "strftime", "timezone", "tzname", "tzset"),
)
_CLOCK = (
    *("time.time", "time.time_ns", "time.localtime", "datetime.datetime.now", "datetime.date.today"),
    *("time.monotonic", "time.perf_counter", "datetime.datetime.utcnow", "uuid.uuid1"),
)


def _later(
    before: State, after: State, changed: Container[str]
) -> tuple[dict[str, str], dict[str, str], frozenset[Name]]:
    """The state of modules that were loaded only by the execution, without what it may have changed itself.

    And what cached functions remember after it.
    """
    loads = UNLOADED in before.values.values()
    if not loads and not before.remembers:
        return {}, {}, frozenset()
    found = {name: value for name, value in after.values.items() if name.endswith("()")}
    if not loads:
        return found, {}, frozenset()
    for name, value in after.values.items():
        if before.values.get(name, UNLOADED) == UNLOADED and value not in (UNLOADED, ABSENT) and name not in changed:
            found[name] = value
    parts = {name: value for name, value in after.parts.items() if name not in before.parts}
    return found, parts, after.reached - before.reached
