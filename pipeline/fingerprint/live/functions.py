"""Looks at function objects: what they wrap, where they were read from, what they hold. Never calls them."""

from __future__ import annotations

import ast
import bisect
import inspect
import os
import types
from collections.abc import Iterator
from typing import Any

from ..project.locate import TOOL
from ..project.module import Module
from ..syntax.nodes import FunctionNode, line_of

Position = tuple[int, int]

_PLAIN = frozenset({bool, bytes, dict, float, frozenset, int, list, set, str, tuple, type(None)})


def layers(value: Any) -> Iterator[Any]:
    """A callable and what it wraps, outermost first, as far as these are functions.

    Steps are looked through by their `function`, wrappers by `__wrapped__`, bound methods by `__func__`.
    """
    seen: set[int] = set()
    while value is not None and id(value) not in seen:
        seen.add(id(value))
        if issubclass(type(value), types.FunctionType):
            yield value
        value = _wrapped(value)


def _wrapped(value: Any) -> Any:
    if type(value) in _PLAIN or (type(value) is types.FunctionType and not value.__dict__):
        return None  # as nearly all
    if issubclass(type(value), types.MethodType):
        return value.__func__
    if issubclass(type(value), type | types.ModuleType):
        return None
    if type(value).__module__.partition(".")[0] == TOOL:
        return getattr(value, "function", None)
    # Statically, for attributes of a user's object may be code of the user's.
    for name in ("__wrapped__", "function"):
        inner = inspect.getattr_static(value, name, None)
        if isinstance(inner, staticmethod):
            inner = inner.__func__
        if callable(inner) and (name == "__wrapped__" or isinstance(inner, types.FunctionType)):
            return inner
    return None


def source_path(function: types.FunctionType) -> str:
    """The file a function was read from; a script's own name may be relative to where it was started."""
    path = function.__code__.co_filename
    if path.startswith("<"):
        return path
    if os.path.isabs(path):
        return os.path.normpath(path)  # an entry of `sys.path` may hold `..`
    stated = function.__globals__.get("__file__")
    if isinstance(stated, str) and os.path.basename(stated) == os.path.basename(path):
        return os.path.abspath(stated)
    return os.path.abspath(path)


def find_node(module: Module, function: types.FunctionType) -> FunctionNode | ast.Lambda | None:
    """The definition or lambda that a function was compiled from, by its name and place."""
    code = function.__code__
    if code.co_name == "<lambda>":
        found = [n for n in _nodes_at(module, code.co_firstlineno) if isinstance(n, ast.Lambda) and _holds(n, code)]
        return found[0] if found else None
    for node in _nodes_at(module, code.co_firstlineno):
        if isinstance(node, FunctionNode) and node.name == code.co_name and line_of(node) == code.co_firstlineno:
            return node
    return None


def _nodes_at(module: Module, line: int) -> Iterator[ast.AST]:
    at = bisect.bisect_right(module.starts, line) - 1
    # Several statements may stand in a line.
    while at >= 0 and (module.tree.body[at].end_lineno or 0) >= line:
        yield from ast.walk(module.tree.body[at])
        at -= 1


def _holds(node: ast.Lambda, code: types.CodeType) -> bool:
    """Whether all of a lambda's instructions come from this lambda's body: a line may hold several."""
    start, end = _span(node.body)
    for line, end_line, column, end_column in code.co_positions():
        if line is None or end_line is None or column is None or end_column is None or column == end_column:
            continue
        if (line, column) < start or (end_line, end_column) > end:
            return False
    return node.lineno == code.co_firstlineno


def _span(node: ast.expr) -> tuple[Position, Position]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def describe_code(code: types.CodeType) -> list[object]:
    """A code object's instructions and constants, without its place; differs between Pythons."""
    constants: list[object] = []
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            constants.append(describe_code(each))
        elif isinstance(each, frozenset):
            constants.append(sorted(map(repr, each)))
        else:
            constants.append([type(each).__name__, repr(each)])
    return [code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, constants]


def global_names(code: types.CodeType) -> set[str]:
    """The names a code object may read from its globals, those of its inner functions included."""
    inner = [global_names(each) for each in code.co_consts if isinstance(each, types.CodeType)]
    return set(code.co_names).union(*inner)
