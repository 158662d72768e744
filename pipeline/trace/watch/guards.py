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

MAKE, REMOVE = "make", "remove"
_ASKING = {
    MAKE: frozenset({"exists", "is_dir", "isdir"}),
    REMOVE: frozenset({"exists", "is_dir", "is_file", "isdir", "isfile", "lexists"}),
}
_MAKING = frozenset({"makedirs", "mkdir"})
_REMOVING = frozenset({"remove", "rmdir", "rmtree", "unlink"})


def purpose() -> str | None:
    """For what the user's own code asks: to `MAKE` a folder where there is none, or to `REMOVE` what is there."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not frames.is_user_code(frame.f_code.co_filename):
        if frame.f_code is os.makedirs.__code__:
            return MAKE  # it asks for the folders above, which it makes
        frame = frame.f_back
    if frame is None:
        return None
    name = frame.f_code.co_filename
    linecache.checkcache(name)
    lines = linecache.getlines(name, frame.f_globals)
    known = _known.get(name)
    if known is None or known[0] is not lines:  # which are the same as long as nobody has found the file changed
        known = _known[name] = lines, _purposes("".join(lines))
    return known[1].get(frame.f_lineno)


_known: dict[str, tuple[list[str], dict[int, str]]] = {}


def _purposes(text: str) -> dict[int, str]:
    """The lines on which such questions stand, and for what."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    return {
        line: found
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and (found := _purpose(node)) is not None
        for line in range(node.test.lineno, (node.test.end_lineno or node.test.lineno) + 1)
    }


def _purpose(node: ast.If) -> str | None:
    match node:
        case ast.If(ast.UnaryOp(ast.Not(), ast.Call() as asked), [ast.Expr(ast.Call() as done)], []):
            names, found = _MAKING, MAKE
        case ast.If(ast.Call() as asked, [ast.Expr(ast.Call() as done)], []):
            names, found = _REMOVING, REMOVE
        case _:
            return None
    return found if _name(asked) in _ASKING[found] and _name(done) in names and _path(asked) == _path(done) else None


def _name(call: ast.Call) -> str:
    """The last name of what is called: `makedirs` of `os.makedirs(folder)`."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _path(call: ast.Call) -> str:
    """What is asked for or made, as it is written: the first argument, or what has the method."""
    return ast.dump(call.args[0] if call.args else getattr(call.func, "value", call.func))
