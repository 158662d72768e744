"""What a statement in a function is fed by: what its local names were bound to, and the defaults of parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from ..syntax.nodes import FunctionNode


def feeding(function: FunctionNode, nodes: Iterable[ast.AST]) -> list[ast.AST]:
    """The parts of a function that bind the local names which some of its statements use, however indirectly.

    Args:
        function: The function.
        nodes: The statements, or parts of them.
    """
    bindings = list(_bindings(function))
    found: dict[ast.AST, None] = {}
    used = _loaded(nodes)
    while new := [node for names, node in bindings if node not in found and not used.isdisjoint(names)]:
        found.update(dict.fromkeys(new))
        used |= _loaded(new)
    given = {*nodes}
    return [node for node in found if node not in given]


def _bindings(function: FunctionNode) -> Iterator[tuple[set[str], ast.AST]]:
    """The names that parts of a function bind, each with what they are bound to."""
    yield from _defaults(function.args)
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=targets):
                yield _stored(targets), node
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target) | ast.NamedExpr(target=target):
                yield _stored([target]), node
            case ast.For(target=target, iter=each) | ast.AsyncFor(target=target, iter=each):
                yield _stored([target]), each
            case ast.withitem(optional_vars=ast.expr() as target, context_expr=context):
                yield _stored([target]), context


def _defaults(arguments: ast.arguments) -> Iterator[tuple[set[str], ast.AST]]:
    plain = [*arguments.posonlyargs, *arguments.args]
    last = plain[len(plain) - len(arguments.defaults) :]
    for name, default in zip(
        [*last, *arguments.kwonlyargs], [*arguments.defaults, *arguments.kw_defaults], strict=True
    ):
        if default is not None:
            yield {name.arg}, default


def _stored(targets: Sequence[ast.expr]) -> set[str]:
    """The names that are bound, or changed in place."""
    return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}


def _loaded(nodes: Iterable[ast.AST]) -> set[str]:
    return {node.id for each in nodes for node in ast.walk(each) if isinstance(node, ast.Name)}
