"""From what was seen of an execution to its trace."""

from __future__ import annotations

from collections.abc import Mapping

from ..fingerprint import ABSENT, UNLOADED, Followed, State
from .model import Trace
from .recording import Recording

_CHANCE = ("random", "secrets", "uuid")
_CLOCK = {"time": ("time", "time_ns", "localtime", "gmtime", "strftime", "ctime"), "datetime": ()}


def conclude(recording: Recording, code: Followed, before: State) -> Trace:
    """The trace of an execution that has just ended.

    Args:
        recording: What was seen.
        code: The step's code, as it was followed before.
        before: The state that it reached before.
    """
    asked, changed = recording.files.finish()
    roots, edited = code.roots(recording.entered, recording.modules, before)
    later_values, later_parts = _later(code, before)
    fingerprint = code.fingerprint
    refused = [f"{gap.where} holds {gap.what}, which cannot be compared" for gap in fingerprint.unhashable]
    refused += [f"{gap.where} is {gap.what}, which cannot be compared" for gap in before.unhashable]
    refused += [f"{name} was edited after it was imported" for name in sorted({*before.edited, *edited})]
    refused += [f"the file {name} changed while the step ran" for name in changed]
    return Trace(
        values=before.values,
        parts=before.parts,
        later_values=later_values,
        later_parts=later_parts,
        code=code.beyond(sorted(roots)),
        files=asked,
        env=recording.environment.asked,
        answers=recording.answers,
        context=recording.context,
        unverified=tuple(sorted(recording.unverified)),
        refused=tuple(refused),
    )


def _later(code: Followed, before: State) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The state of modules that were loaded only by the execution, without what it may have changed itself."""
    if UNLOADED not in before.values.values():
        return {}, {}
    after, changed = code.state(), code.written()
    values = {
        name: value
        for name, value in after.values.items()
        if before.values.get(name, UNLOADED) == UNLOADED and value not in (UNLOADED, ABSENT) and name not in changed
    }
    parts = {name: value for name, value in after.parts.items() if name not in before.parts}
    return values, parts
