"""Reads a piece of code once: its normalised text and the outside names it uses.

The text leaves out positions, comments, docstrings, formatting and local annotations, and has no field
that only newer Pythons know, so one function has one hash on all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from . import definitions, expressions
from .model import digest
from .scopes import Import
from .walk import Reader, Walk

_READERS: dict[type, Reader] = {**expressions.READERS, **definitions.READERS}
_EMPTY: frozenset[Any] = frozenset()


@dataclass(frozen=True, slots=True)
class Summary:
    """What one piece of code says.

    Attributes:
        digest: Hash of the normalised text.
        refs: Global names it uses, each with the attributes read from it: `utils.clean`.
        imports: Modules it imports by itself, each with the attributes read from it.
        writes: Global names it rebinds or changes in place.
        dynamic: What cannot be followed, and the line.
        mentions: Special attributes that it reads from anything, as `__subclasses__`.
    """

    digest: str
    refs: frozenset[str]
    imports: frozenset[tuple[Import, str]]
    writes: frozenset[str]
    dynamic: tuple[tuple[str, int], ...]
    mentions: frozenset[str]


def summarise(nodes: Sequence[ast.AST], *, omit: Iterable[ast.AST] = (), bare: ast.AST | None = None) -> Summary:
    """Reads `nodes` as code at module level.

    Args:
        nodes: Statements or expressions.
        omit: Functions inside them to leave out, because they are read as parts of their own.
        bare: A definition to read without its decorators.
    """
    walk = Walk(_READERS, frozenset(id(node) for node in omit), bare)
    walk.run(nodes)
    return Summary(
        digest("\0".join(walk.out)),
        frozenset(walk.top.loads),
        frozenset(walk.outside.imports) if walk.outside.imports else _EMPTY,
        frozenset(walk.top.writes) if walk.top.writes else _EMPTY,
        tuple(walk.outside.dynamic),
        frozenset(walk.outside.mentions) if walk.outside.mentions else _EMPTY,
    )
