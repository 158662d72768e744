"""Whether a run can be written down: said before it begins, for records have an end."""

from __future__ import annotations

from collections.abc import Mapping

from artvcs.vcs import MAX_ITEMS, MAX_RECORD

from ..define.graph import Node
from ..errors import DefinitionError
from ..units import size

_INPUT, _PARENT = 192, 67
"""Bytes that what a step takes has in the record of its execution, without its name, and who made that."""


def check_room(nodes: Mapping[str, Node]) -> None:
    """Refuses more steps, or steps that take more, than can be written down.

    Args:
        nodes: The steps by their invocation ids.

    Raises:
        DefinitionError: There are too many.
    """
    for node in nodes.values():
        taken = sum(map(len, node.sources.values()))
        if (alone := taken * (_INPUT + _PARENT)) > MAX_RECORD:
            raise DefinitionError(
                f"The record of the step {node.id!r}, which takes {taken:,} artifacts, would have about "
                f"{size(alone)}, and {size(MAX_RECORD)} is possible; let steps before it put them together."
            )
    if len(nodes) >= MAX_ITEMS or sum(map(len, nodes)) + 3 * len(nodes) > MAX_RECORD:
        raise DefinitionError(
            f"{len(nodes):,} steps are more than a run can have; give each item of a map more to do, or run the "
            "pipeline for a part at a time."
        )
