"""Whether code is the same at both ends."""

from __future__ import annotations

from collections.abc import Iterable

from .....fingerprint import Fingerprint, Followed, compare, stamp


class AsSent:
    """Files of code, as they were when they were sent.

    Args:
        paths: The files.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._stamps = {path: stamp(path) for path in paths}

    def edited(self) -> str | None:
        """One that is not as it was, if there is one."""
        return next((path for path, known in self._stamps.items() if stamp(path) != known), None)


def difference(step: str, code: Followed, theirs: Fingerprint) -> str:
    """What is said of a step whose code is another on a worker.

    Args:
        step: The step's name.
        code: Its code here.
        theirs: Its code there.
    """
    ours = code.fingerprint
    versions = [
        f"{name} {theirs.packages.get(name, 'is missing')} there and {ours.packages.get(name, 'missing')} here"
        for name in sorted(theirs.packages.keys() | ours.packages.keys())
        if theirs.packages.get(name) != ours.packages.get(name)
    ]
    changes = compare({each.name: each for each in theirs.parts}, {each.name: each for each in ours.parts})
    parts = [f"{each.name} is another" for each in changes]
    if not versions and (gap := next(iter((*ours.unhashable, *code.state().unhashable)), None)) is not None:
        return (
            f"The step {step!r} cannot be executed on a worker: {gap.where} holds {gap.what}, which is not the same "
            "there; make it inside the step."
        )
    what = f" ({', '.join([*versions, *parts][:3])})" if versions or parts else ""
    return (
        f"The code of the step {step!r} is not the same on the worker{what}; install the same packages there, and let "
        "nothing but its files decide what the code is."
    )
