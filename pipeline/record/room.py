"""Whether a run can be written down: said before it begins, for the record of all its steps has an end."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from artvcs.vcs import MAX_RECORD, count

from ..define.graph import Node
from ..errors import DefinitionError
from ..units import size

_STEP, _OUTPUT, _INPUT, _PARENT = 310, 110, 192, 67
"""Bytes that a step takes in a record, each of what it returns and takes, without their names, and who made that."""


def check_room(nodes: Collection[Node], outputs: Mapping[str, Mapping[str, str]]) -> None:
    """Refuses more steps, or steps that take more, than can be written down.

    Args:
        nodes: The steps.
        outputs: Invocation id → output → what it is stored as.

    Raises:
        DefinitionError: There are too many.
    """
    for node in nodes:
        if (alone := _taken(node) * (_INPUT + _PARENT)) > MAX_RECORD:
            raise DefinitionError(
                f"The record of the step {node.id!r}, which takes {_taken(node):,} artifacts, would have about "
                f"{size(alone)}, and {size(MAX_RECORD)} is possible; let steps before it put them together."
            )
    if (together := needed(nodes, outputs)) > MAX_RECORD:
        raise DefinitionError(
            f"The record of {count(len(nodes), 'step')} would have about {size(together)}, and {size(MAX_RECORD)} is "
            "possible; give each item of a map more to do, or run the pipeline for a part at a time."
        )


def needed(nodes: Collection[Node], outputs: Mapping[str, Mapping[str, str]]) -> int:
    """About how many bytes the record of all steps takes, where none fails. Arguments as of `check_room`."""
    return sum(
        _STEP + 2 * len(node.id) + len(node.step.name) + _INPUT * _taken(node)
        + sum(_OUTPUT + len(name) + len(stored) for name, stored in outputs[node.id].items())
        for node in nodes
    )  # fmt: skip


def _taken(node: Node) -> int:
    return sum(map(len, node.sources.values()))
