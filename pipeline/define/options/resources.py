"""What a step needs while it runs: cores, memory, graphics cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from artvcs.vcs import count

from ...errors import DefinitionError, perhaps

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


@dataclass(frozen=True, order=True)
class Resources:
    """What a step needs while it runs.

    Attributes:
        cpus: Cores.
        memory: Bytes; 0 where nothing is said.
        gpus: Graphics cards.
    """

    cpus: float = 1.0
    memory: int = 0
    gpus: float = 0.0

    def grown(self, factor: float) -> Resources:
        """The same with so many times the memory."""
        return replace(self, memory=int(self.memory * factor))

    def _repr_html_(self) -> str:
        from ...values.visualizations import cards

        return cards.settings_card(self)


def spelt(needs: Resources) -> str:
    """What a step needs, in words."""
    said = [count(needs.cpus, "core")] if needs.cpus != 1 else []
    said += [f"{memory(needs.memory)} of memory"] if needs.memory else []
    said += [count(needs.gpus, "graphics card")] if needs.gpus else []
    return " and ".join(said) or "a core"


def memory(size: int) -> str:
    """Bytes as people say what a step needs: `8 GB`, `1.5 GB`, `512 MB`."""
    if size < 10**9:
        return f"{size / 1e6:,.0f} MB"
    return f"{size / 1e9:,.1f}".removesuffix(".0") + " GB"


USUAL = Resources()
"""What a step needs of which nothing is said."""


def as_resources(said: Resources | Mapping[str, Any] | None) -> Resources | None:
    """What a step needs as users write it: `{"cpus": 4, "memory": "8GB", "gpus": 1}`.

    Raises:
        DefinitionError: It is none of that.
    """
    if said is None or isinstance(said, Resources):
        return said
    if not isinstance(said, Mapping):
        example = '{"cpus": 4, "memory": "8GB"}'
        raise DefinitionError(f"resources={said!r} is not possible; give a dictionary, as {example}.")
    known = [field.name for field in fields(Resources)]
    for name in said:
        if name not in known:
            hint = perhaps(name, known) if isinstance(name, str) else ""
            raise DefinitionError(f"resources has no {name!r}{hint}; it has {', '.join(known)}.")
    found: dict[str, Any] = {name: _number(said[name], name) for name in ("cpus", "gpus") if name in said}
    if "memory" in said:
        found["memory"] = _bytes(said["memory"])
    if found.get("cpus") == 0:
        raise DefinitionError("resources: cpus=0 is not possible; a step needs a part of a core, as 0.5, or more.")
    return Resources(**found)


def _number(said: Any, name: str) -> float:
    if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 <= said < float("inf"):
        raise DefinitionError(f"resources: {name}={said!r} is not possible; give a number.")
    return float(said)


def _bytes(said: Any) -> int:
    """A size: a number of bytes, or text as 8GB, 512 MiB."""
    if isinstance(said, str) and (found := _SIZE.fullmatch(said)) is not None:
        base = 1024 if found[3] else 1000
        return int(float(found[1]) * base ** _POWERS[found[2].lower()])
    if isinstance(said, int) and not isinstance(said, bool) and said >= 0:
        return said
    raise DefinitionError(f"resources: memory={said!r} is not possible; give bytes, or text as '8GB' or '512MiB'.")
