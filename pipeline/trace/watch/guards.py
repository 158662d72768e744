"""Questions whose answer makes no difference: `if not os.path.exists(folder): os.makedirs(folder)`.

The folder is there afterwards in either case, and a hit makes it, too. Without this, whoever writes so pays with a run:
the first execution was told that there was none.
"""

from __future__ import annotations

import ast
import linecache
import sys
from functools import lru_cache
from types import FrameType

from . import frames

_ASKING = frozenset({"exists", "is_dir", "isdir"})
_MAKING = frozenset({"makedirs", "mkdir"})


def is_before_making() -> bool:
    """Whether the user's own code asks only in order to make a folder where there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not frames.is_user_code(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return False
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    return frame.f_lineno in _guarding("".join(lines))


@lru_cache(maxsize=64)
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
    match node.test:
        case ast.UnaryOp(ast.Not(), ast.Call() as asked):
            made = [each.value if isinstance(each, ast.Expr) else None for each in node.body]
            return _name(asked) in _ASKING and all(_name(each) in _MAKING for each in made) and not node.orelse
    return False


def _name(call: ast.expr | None) -> str:
    """The last name of what is called: `makedirs` of `os.makedirs(folder)`."""
    function = call.func if isinstance(call, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))
