"""How statements are read, above all those that open a scope or bind names."""

from __future__ import annotations

import ast
from typing import Any

from .expressions import asked, read_addition
from .nodes import Definition, FunctionNode, chain, imported_names, parameters, quoted_names, type_parameters
from .scopes import Scope
from .walk import HINT, LEAVE, Hint, Leave, Reader, Walk


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
        walk.out.append("AnnAssign")
        walk.stack += (
            ")",
            *([] if node.value is None else [node.value]),
            ":",
            *hint(walk, node.annotation),
            node.target,
        )
    elif node.value is not None:
        walk.out.append("=")
        walk.stack += (node.value, ":", node.target)
    elif isinstance(node.target, ast.Name) and walk.scope is not walk.top:
        walk.scope.store(node.target.id)


def read_declaration(walk: Walk, node: ast.Global | ast.Nonlocal) -> None:
    """Reads `global x` and `nonlocal x`."""
    if isinstance(node, ast.Global):
        walk.scope.globals.update(node.names)
        walk.out.append(f"Global {' '.join(sorted(node.names))}")
    else:
        walk.scope.nonlocals.update(node.names)
        walk.out += ("Nonlocal", *((walk.scope, name, True) for name in node.names))


def read_import(walk: Walk, node: ast.Import | ast.ImportFrom) -> None:
    """Reads an import; inside a function it is followed from there."""
    for name, target in imported_names(node):
        if walk.scope is walk.top:
            walk.out += (f"import {target.level} {target.module} {target.attribute} {target.loaded}", "n" + name)
            walk.out.append((walk.scope, name, True))
        else:
            walk.scope.bind_import(name, target)
            walk.out.append((walk.scope, name, target))


def read_named(walk: Walk, node: Any) -> None:
    """Reads a handler or pattern, which binds a name that is no `Name` node."""
    name = node.rest if isinstance(node, ast.MatchMapping) else node.name
    walk.out.append(type(node).__name__)
    if name is not None:
        walk.store(name)
    stack = walk.stack
    stack.append(")")
    if isinstance(node, ast.ExceptHandler):
        stack += (*reversed(node.body), ":")
        if node.type is not None:
            stack += reversed(asked(walk, node.type))
    elif isinstance(node, ast.MatchMapping):
        stack += (*reversed(node.patterns), ":", *reversed(node.keys))
    elif isinstance(node, ast.MatchAs) and node.pattern is not None:
        stack.append(node.pattern)


def read_class_pattern(walk: Walk, node: ast.MatchClass) -> None:
    """Reads `case Model(rate=1)`, which only asks for a class."""
    walk.out.append("MatchClass")
    stack = walk.stack
    stack += (")", *reversed(node.kwd_patterns), ":", *(f"k{name}" for name in reversed(node.kwd_attrs)))
    stack += (":", *reversed(node.patterns), ":", *reversed(asked(walk, node.cls)))


def read_raise(walk: Walk, node: ast.Raise) -> None:
    """Reads `raise Error from cause`, which only asks for a class if it is given one."""
    walk.out.append("Raise")
    stack = walk.stack
    stack.append(")")
    for each in (node.cause, node.exc):
        stack += (*(reversed(asked(walk, each)) if each is not None else ()), ":")


def read_function(walk: Walk, node: FunctionNode) -> None:
    """Reads a function, with decorators and signature in the scope around it."""
    walk.scope.fix(node.name)
    if id(node) in walk.omit:
        return
    walk.out.append(f"{type(node).__name__} {node.name}")
    outer = _push_generic(walk, node)
    inner = walk.inside("function", outer)
    inner.classes.update(_given_classes(node))
    walk.stack += (LEAVE, *reversed(node.body), ":", inner)
    _push_signature(walk, node.args, inner, node.returns, hints=walk.hints or node is not walk.bare)
    _push_head(walk, node, outer)


_OF_CLASSES = frozenset({"__class_getitem__", "__init_subclass__", "__new__", "__prepare__"})
_CALLED_CLASSES = frozenset({"cls", "klass", "mcls", "mcs", "metacls"})


def _given_classes(node: FunctionNode) -> list[str]:
    """The parameters that are given a class: the first of a class method, and those that are called so."""
    given = [arg.arg for arg in parameters(node.args)]
    first = node.name in _OF_CLASSES or any(chain(each) == "classmethod" for each in node.decorator_list)
    return [name for at, name in enumerate(given) if name in _CALLED_CLASSES or (first and at == 0)]


def read_lambda(walk: Walk, node: ast.Lambda) -> None:
    """Reads a lambda."""
    inner = walk.inside("function")
    walk.out.append("lambda")
    walk.stack += (")", LEAVE, node.body, ":", inner)
    _push_signature(walk, node.args, inner, None)


def read_class(walk: Walk, node: ast.ClassDef) -> None:
    """Reads a class."""
    walk.scope.fix(node.name)
    walk.out.append(f"class {node.name}")
    outer = _push_generic(walk, node)
    inner = walk.inside("class", outer)
    walk.stack += (LEAVE, *reversed(node.body), ":", inner)
    walk.stack += reversed(node.keywords)
    for base in reversed(node.bases):
        walk.stack += reversed(asked(walk, base))
    _push_head(walk, node, outer)


def _push_generic(walk: Walk, node: Definition) -> Scope | None:
    """Pushes the end of a definition; returns the scope of its type parameters, if it has any."""
    walk.stack.append(")")
    generic = type_parameters(node)
    if not generic:
        return None
    walk.stack.append(LEAVE)
    return walk.inside("function", names=[parameter.name for parameter in generic])


def _push_head(walk: Walk, node: Definition, outer: Scope | None) -> None:
    """Pushes what comes before a definition's signature or bases."""
    if outer is not None:
        walk.stack += (*reversed(type_parameters(node)), outer)
    if node is not walk.bare:
        walk.stack += (*reversed(node.decorator_list), "@")


def _push_signature(
    walk: Walk, args: ast.arguments, inner: Scope, returns: ast.expr | None, *, hints: bool = True
) -> None:
    """Pushes names, defaults and type hints, which are read outside the function's own scope."""
    stack = walk.stack
    for arg in parameters(args):
        inner.fix(arg.arg)
    if hints:
        push_hints(walk, args, returns)
    stack.extend(reversed(args.kw_defaults))
    stack.append("*=")
    stack.extend(reversed(args.defaults))
    names = [",".join([arg.arg for arg in group]) for group in (args.posonlyargs, args.args, args.kwonlyargs)]
    names += [arg.arg if arg is not None else "" for arg in (args.vararg, args.kwarg)]
    stack.append("/".join(names))


def push_hints(walk: Walk, args: ast.arguments, returns: ast.expr | None) -> None:
    """Pushes the type hints of a signature."""
    if returns is not None:
        walk.stack += (*hint(walk, returns), "->")
    for arg in parameters(args):
        if arg.annotation is not None:
            walk.stack += (*hint(walk, arg.annotation), arg.arg)


def hint(walk: Walk, annotation: ast.expr) -> list[Any]:
    """What to push for a type hint, with the names in it that are written as strings."""
    return [HINT, annotation, *((walk.scope, name, True) for name in quoted_names(annotation)), HINT]


def enter_scope(walk: Walk, scope: Scope) -> None:
    """Goes into a scope on the stack."""
    walk.enter(scope)


def leave_scope(walk: Walk, _: Leave) -> None:
    """Leaves the current scope."""
    walk.leave()


def turn_hint(walk: Walk, _: Hint) -> None:
    """Begins or ends a type hint."""
    walk.hinting = not walk.hinting


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
    ast.MatchClass: read_class_pattern,
    ast.MatchMapping: read_named,
    ast.MatchStar: read_named,
    ast.Nonlocal: read_declaration,
    ast.Pass: read_pass,
    ast.Raise: read_raise,
    Scope: enter_scope,
    Leave: leave_scope,
    Hint: turn_hint,
}
