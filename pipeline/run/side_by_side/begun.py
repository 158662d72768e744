"""The steps of a run that have begun and not ended yet."""

from __future__ import annotations

from collections import Counter

from artvcs.vcs import Oid, now_ms

from ...cache.decide import Decision


class Begun:
    """Steps that have begun and not ended yet, each with what was decided and the moment, in the order they began."""

    def __init__(self) -> None:
        self._steps: dict[str, tuple[Decision, int]] = {}
        self._keys: Counter[Oid] = Counter()

    def __bool__(self) -> bool:
        return bool(self._steps)

    def __contains__(self, step: object) -> bool:
        return step in self._steps

    def begin(self, decision: Decision) -> None:
        """One begins now."""
        self.end(decision.node.id)
        self._steps[decision.node.id] = decision, now_ms()
        self._keys[decision.key] += 1

    def end(self, step: str) -> None:
        """One has ended, if it had begun."""
        if (begun := self._steps.pop(step, None)) is not None:
            key = begun[0].key
            self._keys[key] -= 1
            if not self._keys[key]:
                del self._keys[key]

    def executes(self, key: Oid) -> bool:
        """Whether what would be stored under a key is being made now."""
        return key in self._keys

    def all(self) -> list[tuple[Decision, int]]:
        """All of them: what was decided, and when it began, in milliseconds since 1970."""
        return list(self._steps.values())
