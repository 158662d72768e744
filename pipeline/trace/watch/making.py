"""Generators of random numbers that take chance from the operating system as they are made, and never use it.

`RandomState(0)` asks for some before it takes its seed, and whoever reads a stored generator makes one first and then
sets its state. What such a generator gives comes of the seed or the state alone.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import os
from collections.abc import Iterator
from types import FrameType
from typing import Any

from . import frames

_SEEDED = frozenset({"MT19937", "RandomState"})
"""Generators that ask for chance although they are given a seed."""
_WRAPPING = frozenset({"Generator", "RandomState"})
"""Those that are made of another one."""
_SETTING = frozenset({"__setstate__", "seed", "set_state", "setstate"})
"""Methods after which a generator gives other numbers than before; one that is given nothing asks for chance again."""
_RESTORING = os.path.join("numpy", "random", "_pickle.py")
"""Makes the generators whose state those who unpickle or copy them set at once."""

_End = tuple[int, int]  # the line and the column at which a call ends, which no other does


def is_determined() -> bool:
    """Whether the generator that is just being made is given a seed, or a state before anybody can draw from it."""
    frame = frames.nearest()
    if frame is None:
        return False
    if frame.f_code.co_filename.endswith(_RESTORING):
        return True
    first, last, start, end = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    if first is None or last is None or start is None or end is None:
        return False
    linecache.checkcache(frame.f_code.co_filename)
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    written = [line.encode() for line in lines[first - 1 : last]]
    if not written:
        return False
    written[-1] = written[-1][:end]
    written[0] = written[0][start:]
    if _is_seeded(b"".join(written), frame):
        return True
    return (last, end) in _renewed_in(frame.f_code.co_filename, lines)


def _is_seeded(call: bytes, frame: FrameType) -> bool:
    """Whether a call, as it is written, gives a seed."""
    try:
        made = ast.parse(b"(" + call + b")", mode="eval").body
    except (SyntaxError, ValueError):
        return False
    if not isinstance(made, ast.Call) or _name(made) not in _SEEDED:
        return False
    seed = _seed(made)
    return seed is not None and not _is_none(seed, frame)


_known: dict[str, tuple[list[str], set[_End]]] = {}


def _renewed_in(name: str, lines: list[str]) -> set[_End]:
    """The calls in a file that make a generator whose state is set at once."""
    known = _known.get(name)
    if known is None or known[0] is not lines:  # which are the same as long as nobody has found the file changed
        known = _known[name] = lines, set(_calls("".join(lines)))
    return known[1]


def _calls(text: str) -> Iterator[_End]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        for block in ("body", "orelse", "finalbody"):
            if isinstance(statements := getattr(node, block, None), list):
                for one, other in itertools.pairwise(statements):
                    for call in _renewed(one, other):
                        yield call.end_lineno or 0, call.end_col_offset or 0


def _seed(call: ast.Call) -> ast.expr | None:
    """What a call is given as the seed."""
    if call.args:
        return call.args[0]
    return next((each.value for each in call.keywords if each.arg in ("seed", None)), None)


def _renewed(one: ast.stmt, other: ast.stmt) -> Iterator[ast.Call]:
    """The calls that make the generator of the first statement, if the next one does nothing but set its state."""
    match one:
        case ast.Assign([ast.Name(name)], ast.Call() as made) if _sets(other, name):
            yield made
            if _name(made) in _WRAPPING and len(made.args) == 1 and isinstance(made.args[0], ast.Call):
                yield made.args[0]


def _sets(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(of, method), args, keywords)) if method in _SETTING and (args or keywords):
            given = [*args, *(each.value for each in keywords)]
        case ast.Assign([ast.Attribute(of, "state")], value):
            given = [value]
        case _:
            return False
    of = of.value if isinstance(of, ast.Attribute) and of.attr == "bit_generator" else of
    return isinstance(of, ast.Name) and of.id == name and not any(_mentions(each, name) for each in given)


def _mentions(given: ast.expr, name: str) -> bool:
    """Whether an expression may draw from what has a name."""
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(given))


def _name(call: ast.Call) -> str:
    """The last name of what is called: `RandomState` of `np.random.RandomState(0)`."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _is_none(given: ast.expr, frame: FrameType) -> bool:
    """Whether a seed is None, as far as that can be told without running code: then it is none."""
    if isinstance(given, ast.Constant):
        return given.value is None
    return _value(given, frame) is None


def _value(given: ast.expr, frame: FrameType) -> Any:
    """What a name, or an attribute of what a name stands for, is; `_UNKNOWN` where nobody can tell."""
    match given:
        case ast.Name(name):
            return frame.f_locals.get(name, frame.f_globals.get(name, _UNKNOWN))
        case ast.Attribute(of, name):
            return inspect.getattr_static(_value(of, frame), name, _UNKNOWN)
    return _UNKNOWN


_UNKNOWN = object()
