"""Whether code only remembers results in a dictionary: then it makes no difference to it what is there already."""

from __future__ import annotations

import ast
import textwrap

_ASKING = frozenset({"get", "setdefault"})


def is_memo(source: str, name: str) -> bool:
    """Whether some code does nothing with a name but to ask for entries by key, and to set them to other things.

    Args:
        source: The code.
        name: The dictionary's name.
    """
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:
        return False
    uses = sum(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))
    return uses == sum(_asks_by_key(node, name) for node in ast.walk(tree))


def _asks_by_key(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Subscript(value=ast.Name(id=found), ctx=ast.Load() | ast.Store()):
            return found == name
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=found)]):
            return found == name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr=attribute)):
            return found == name and attribute in _ASKING
    return False
