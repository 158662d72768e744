"""Small questions about syntax nodes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from .scopes import Import

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Definition = FunctionNode | ast.ClassDef


def chain(node: ast.AST) -> str | None:
    """`a.b.c` for a name or attributes of a name, None for any other expression."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    names.append(node.id)
    return ".".join(reversed(names))


def root(node: ast.AST) -> str | None:
    """The name that subscripts, attributes and calls start from: `x` in `x[0].y(1)`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def line_of(node: ast.AST) -> int:
    """The line where a statement or expression starts, with its decorators."""
    first: int = getattr(node, "lineno", 0)
    decorators = getattr(node, "decorator_list", None)
    return min(first, decorators[0].lineno) if decorators else first


def imported_names(node: ast.Import | ast.ImportFrom) -> list[tuple[str, Import]]:
    """The names that an import statement binds; `*` for a star import."""
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        return [(a.asname or a.name, Import(node.level, module, a.name, module)) for a in node.names]
    names = []
    for alias in node.names:
        top = alias.name.partition(".")[0]
        target = Import(0, alias.name if alias.asname else top, None, alias.name)
        names.append((alias.asname or top, target))
    return names


def type_parameters(node: Definition) -> list[Any]:
    """The type parameters of a generic definition; Pythons before 3.12 have none."""
    return getattr(node, "type_params", [])


def parameters(args: ast.arguments) -> list[ast.arg]:
    """All parameters of a signature."""
    found = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return found + [arg for arg in (args.vararg, args.kwarg) if arg is not None]


def has_plain_hints(node: FunctionNode) -> bool:
    """Whether the type hints of a function only name types: to evaluate them does nothing."""
    hints = [*(each.annotation for each in parameters(node.args)), node.returns]
    plain = all(hint is None or all(isinstance(each, _IN_HINTS) for each in ast.walk(hint)) for hint in hints)
    return plain and not type_parameters(node)


_IN_HINTS: tuple[type[ast.AST], ...] = (
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.BinOp,
    ast.BitOr,
)
_IN_HINTS += (ast.expr_context, ast.Starred, ast.UnaryOp, ast.USub)


def quoted_names(annotation: ast.expr) -> Iterator[str]:
    """The names in annotations, or parts of them, that are written as strings."""
    todo: list[ast.AST] = [annotation]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name | ast.Attribute):
            continue
        generic = (chain(node.value) or "").rpartition(".")[2] if isinstance(node, ast.Subscript) else ""
        if isinstance(node, ast.Subscript) and generic in ("Annotated", "Literal"):
            # Other strings in them are data: Annotated[Frame, "clean"] names an output.
            if generic == "Annotated" and isinstance(node.slice, ast.Tuple):
                todo += node.slice.elts[:1]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _names_in(node.value)
        else:
            todo.extend(ast.iter_child_nodes(node))


def _names_in(text: str) -> Iterator[str]:
    try:
        expression = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(expression):
        name = chain(node)
        if name is not None:
            yield name
