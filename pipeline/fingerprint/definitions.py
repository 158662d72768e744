"""How statements are read, above all those that open a scope or bind names."""

from __future__ import annotations

import ast
from typing import Any

from .expressions import read_addition
from .nodes import Definition, FunctionNode, imported_names, quoted_names, type_parameters
from .scopes import Scope
from .walk import LEAVE, Leave, Reader, Walk


def read_expression(walk: Walk, node: ast.Expr) -> None:
    """Reads an expression as a statement; a constant does nothing there: docstrings, `...`."""
    if node.value.__class__ is ast.Constant:
        return
    walk.stack += (read_addition(walk, node.value) or node.value, "e")


def read_pass(walk: Walk, node: ast.Pass) -> None:
    """Reads `pass`, which is there for the grammar alone."""


def read_assignment(walk: Walk, node: ast.Assign) -> None:
    """Reads `x = y`."""
    walk.out.append("=")
    walk.stack += (node.value, ":")
    walk.stack.extend(reversed(node.targets))


def read_annotated(walk: Walk, node: ast.AnnAssign) -> None:
    """Reads `x: int = y`; only in a class does the annotation count, for fields are made of it."""
    if walk.scope.kind == "class":
        walk.scope.loads.update(quoted_names(node.annotation))
        walk.read_fields(node)
    elif node.value is not None:
        walk.out.append("=")
        walk.stack += (node.value, ":", node.target)
    elif isinstance(node.target, ast.Name) and walk.scope is not walk.top:
        walk.scope.store(node.target.id)


def read_declaration(walk: Walk, node: ast.Global | ast.Nonlocal) -> None:
    """Reads `global x` and `nonlocal x`."""
    names = walk.scope.globals if isinstance(node, ast.Global) else walk.scope.nonlocals
    names.update(node.names)
    walk.out.append(f"{type(node).__name__} {' '.join(sorted(node.names))}")


def read_import(walk: Walk, node: ast.Import | ast.ImportFrom) -> None:
    """Reads an import; inside a function it is followed from there."""
    for name, target in imported_names(node):
        walk.out.append(f"import {target.level} {target.module} {target.attribute} {target.loaded} {name}")
        if walk.scope is walk.top:
            walk.scope.loads.add(name)
        else:
            walk.scope.bind_import(name, target)


def read_named(walk: Walk, node: Any) -> None:
    """Reads a handler or pattern, which binds a name that is no `Name` node."""
    name = node.rest if isinstance(node, ast.MatchMapping) else node.name
    if name is not None:
        walk.scope.store(name)
    walk.read_fields(node)


def read_function(walk: Walk, node: FunctionNode) -> None:
    """Reads a function, with decorators and signature in the scope around it."""
    walk.scope.store(node.name)
    if id(node) in walk.omit:
        return
    walk.out.append(f"{type(node).__name__} {node.name}")
    outer = _push_generic(walk, node)
    inner = Scope("function", outer or walk.scope)
    walk.stack += (LEAVE, *reversed(node.body), ":", inner)
    _push_signature(walk, node.args, inner, node.returns)
    _push_head(walk, node, outer)


def read_lambda(walk: Walk, node: ast.Lambda) -> None:
    """Reads a lambda."""
    inner = walk.inside("function")
    walk.out.append("lambda")
    walk.stack += (")", LEAVE, node.body, ":", inner)
    _push_signature(walk, node.args, inner, None)


def read_class(walk: Walk, node: ast.ClassDef) -> None:
    """Reads a class."""
    walk.scope.store(node.name)
    walk.out.append(f"class {node.name}")
    outer = _push_generic(walk, node)
    inner = Scope("class", outer or walk.scope)
    walk.stack += (LEAVE, *reversed(node.body), ":", inner)
    walk.stack += (*reversed(node.keywords), *reversed(node.bases))
    _push_head(walk, node, outer)


def _push_generic(walk: Walk, node: Definition) -> Scope | None:
    """Pushes the end of a definition; returns the scope of its type parameters, if it has any."""
    walk.stack.append(")")
    parameters = type_parameters(node)
    if not parameters:
        return None
    walk.stack.append(LEAVE)
    return walk.inside("function", [parameter.name for parameter in parameters])


def _push_head(walk: Walk, node: Definition, outer: Scope | None) -> None:
    """Pushes what comes before a definition's signature or bases."""
    if outer is not None:
        walk.stack += (*reversed(type_parameters(node)), outer)
    if node is not walk.bare:
        walk.stack += (*reversed(node.decorator_list), "@")


def _push_signature(walk: Walk, args: ast.arguments, inner: Scope, returns: ast.expr | None) -> None:
    """Pushes names, defaults and annotations, which are read outside the function's own scope."""
    stack = walk.stack
    parameters = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    parameters += [arg for arg in (args.vararg, args.kwarg) if arg is not None]
    inner.stores.update([arg.arg for arg in parameters])
    if returns is not None:
        walk.scope.loads.update(quoted_names(returns))
        stack += (returns, "->")
    for arg in parameters:
        if arg.annotation is not None:
            walk.scope.loads.update(quoted_names(arg.annotation))
            stack += (arg.annotation, arg.arg)
    stack.extend(reversed(args.kw_defaults))
    stack.append("*=")
    stack.extend(reversed(args.defaults))
    names = [",".join([arg.arg for arg in group]) for group in (args.posonlyargs, args.args, args.kwonlyargs)]
    names += [arg.arg if arg is not None else "" for arg in (args.vararg, args.kwarg)]
    stack.append("/".join(names))


def enter_scope(walk: Walk, scope: Scope) -> None:
    """Goes into a scope on the stack."""
    walk.enter(scope)


def leave_scope(walk: Walk, _: Leave) -> None:
    """Leaves the current scope."""
    walk.leave()


READERS: dict[type, Reader] = {
    ast.AnnAssign: read_annotated,
    ast.Assign: read_assignment,
    ast.AsyncFunctionDef: read_function,
    ast.ClassDef: read_class,
    ast.ExceptHandler: read_named,
    ast.Expr: read_expression,
    ast.FunctionDef: read_function,
    ast.Global: read_declaration,
    ast.Import: read_import,
    ast.ImportFrom: read_import,
    ast.Lambda: read_lambda,
    ast.MatchAs: read_named,
    ast.MatchMapping: read_named,
    ast.MatchStar: read_named,
    ast.Nonlocal: read_declaration,
    ast.Pass: read_pass,
    Scope: enter_scope,
    Leave: leave_scope,
}
