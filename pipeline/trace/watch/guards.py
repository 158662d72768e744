"""Questions whose answer makes no difference: `if not os.path.exists(folder): os.makedirs(folder)`.

The folder is there afterwards in either case, and a hit makes it, too; the same holds for what is removed if it is
there. Without this, whoever writes so pays with a run: the first execution was told that there was none.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
from types import FrameType

from . import frames

_ASKING = frozenset({"exists", "is_dir", "isdir"})
_MAKING = frozenset({"makedirs", "mkdir"})
_REMOVING = frozenset({"remove", "rmdir", "rmtree", "unlink"})


def is_before_making() -> bool:
    """Whether the user's own code asks only in order to make a folder where there is none, or to remove what is."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not frames.is_user_code(frame.f_code.co_filename):
        if frame.f_code is os.makedirs.__code__:
            return True  # it asks for the folders above, which it makes
        frame = frame.f_back
    if frame is None:
        return False
    name = frame.f_code.co_filename
    linecache.checkcache(name)
    lines = linecache.getlines(name, frame.f_globals)
    known = _known.get(name)
    if known is None or known[0] is not lines:  # which are the same as long as nobody has found the file changed
        known = _known[name] = lines, _guarding("".join(lines))
    return frame.f_lineno in known[1]


_known: dict[str, tuple[list[str], frozenset[int]]] = {}


def _guarding(text: str) -> frozenset[int]:
    """The lines on which such questions stand."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and _is_guard(node)
        for line in range(node.test.lineno, (node.test.end_lineno or node.test.lineno) + 1)
    )


def _is_guard(node: ast.If) -> bool:
    match node:
        case ast.If(ast.UnaryOp(ast.Not(), ast.Call() as asked), [ast.Expr(ast.Call() as made)], []):
            return _name(asked) in _ASKING and _name(made) in _MAKING and _path(asked) == _path(made)
        case ast.If(ast.Call() as asked, [ast.Expr(ast.Call() as removed)], []):
            return _name(asked) in _ASKING and _name(removed) in _REMOVING and _path(asked) == _path(removed)
    return False


def _name(call: ast.Call) -> str:
    """The last name of what is called: `makedirs` of `os.makedirs(folder)`."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _path(call: ast.Call) -> str:
    """What is asked for or made, as it is written: the first argument, or what has the method."""
    return ast.dump(call.args[0] if call.args else getattr(call.func, "value", call.func))
