"""How expressions are read: what they write, which names they use, and what cannot be followed."""

from __future__ import annotations

import ast
from typing import Any

from .nodes import chain, root
from .scopes import Import
from .walk import LEAVE, Reader, Walk

_ADDERS = {"add", "append", "appendleft", "extend", "extendleft", "insert", "register", "setdefault", "update"}
_REMOVERS = {"clear", "discard", "pop", "popitem", "popleft", "remove"}
_MUTATORS = frozenset(_ADDERS | _REMOVERS | {"move_to_end", "reverse", "sort"})
ADDITION = "+"
"""Before the last attribute of a name that is only added to: `SEEN.append(x)` says nothing of what SEEN holds."""
_IMPORTERS = frozenset({"__import__", "import_module"})
_OPAQUE = frozenset({"exec", "eval", "globals"})


def read_none(walk: Walk, _: None) -> None:
    """Reads an absent item of a list, such as the key of `**` in a dictionary."""
    walk.out.append("-")


def read_constant(walk: Walk, node: ast.Constant) -> None:
    """Reads a constant, with its type."""
    value = node.value
    if value.__class__ is str:
        # With its length, as only strings can hold the separator; not by repr(), whose escapes follow
        # the Unicode tables of the running Python.
        walk.out.append(f"s{len(value)} {value}")
    elif value.__class__ is int:
        walk.out.append(f"i{value:x}")
    else:
        walk.out.append(f"c{value.__class__.__name__} {value!r}")


def read_binary(walk: Walk, node: ast.BinOp) -> None:
    """Reads `x + y`."""
    walk.out.append(node.op.__class__.__name__)
    walk.stack += (node.right, node.left)


def read_comparison(walk: Walk, node: ast.Compare) -> None:
    """Reads `x < y < z`."""
    walk.out.append(" ".join([operator.__class__.__name__ for operator in node.ops]))
    walk.stack.extend(reversed(node.comparators))
    walk.stack.append(node.left)


def read_fstring(walk: Walk, node: ast.JoinedStr) -> None:
    """Reads an f-string without the empty constants that some Pythons leave in it."""
    walk.out.append("f")
    walk.stack.append(")")
    walk.stack.extend(v for v in reversed(node.values) if not (isinstance(v, ast.Constant) and v.value == ""))


def read_attribute(walk: Walk, node: ast.Attribute) -> None:
    """Reads an attribute, together with all attributes up to a name."""
    if node.attr.startswith("__"):
        walk.outside.mentions.add(node.attr)
    name = chain(node)
    if name is None:
        walk.out.append("a" + node.attr)
        walk.stack.append(node.value)
        return
    walk.out.append("n" + name)
    walk.scope.loads.add(name)
    if node.ctx.__class__ is not ast.Load:
        walk.scope.writes.add(name.partition(".")[0])


def read_subscript(walk: Walk, node: ast.Subscript) -> None:
    """Reads `x[y]`; storing to it changes `x` in place."""
    if node.ctx.__class__ is not ast.Load:
        name = root(node.value)
        if name is not None:
            walk.scope.writes.add(name)
    walk.out.append("[")
    walk.stack += ("]", node.slice, node.value)


def read_call(walk: Walk, node: ast.Call) -> None:
    """Reads a call, minding those that change things in place or reach code by a computed name."""
    function = node.func
    arguments: list[Any] = node.args
    if isinstance(function, ast.Attribute):
        if function.attr in _MUTATORS:
            name = root(function)
            if name is not None:
                walk.scope.writes.add(name)
        elif function.attr == "import_module":
            _note_import(walk, node, function.attr)
    elif isinstance(function, ast.Name):
        if function.id == "getattr" and len(node.args) > 1:
            arguments = _note_getattr(walk, node)
        elif function.id in _IMPORTERS:
            _note_import(walk, node, function.id)
        elif function.id in _OPAQUE:
            walk.outside.dynamic.append((f"{function.id}()", node.lineno))
    stack = walk.stack
    stack.append(")")
    for keyword in reversed(node.keywords):
        stack += (keyword.value, f"k{keyword.arg or '**'}")
    stack.extend(reversed(arguments))
    stack.append(function)
    walk.out.append("(")


def read_addition(walk: Walk, node: ast.expr) -> ast.expr | None:
    """Reads the name in a statement such as `SEEN.append(x)`; returns the call without it, None if it is no such."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ADDERS):
        return None
    owner = chain(node.func.value)
    if owner is None or node.func.attr == "register":
        return None
    walk.scope.loads.add(f"{owner}.{ADDITION}{node.func.attr}")
    walk.scope.writes.add(owner.partition(".")[0])
    walk.out.append(f"n{owner}.{node.func.attr}")
    return ast.Call(_NOTHING, node.args, node.keywords)


_NOTHING = ast.Constant(None)


def _note_getattr(walk: Walk, node: ast.Call) -> list[Any]:
    """Takes `getattr(owner, "name")` for `owner.name`; returns the arguments that are still to be read."""
    attribute = node.args[1]
    if not (isinstance(attribute, ast.Constant) and isinstance(attribute.value, str)):
        walk.outside.dynamic.append(("getattr() with a computed name", node.lineno))
        return node.args
    if attribute.value.startswith("__"):
        walk.outside.mentions.add(attribute.value)
    owner = chain(node.args[0])
    if owner is None:
        return node.args
    walk.scope.loads.add(f"{owner}.{attribute.value}")
    return ["n" + owner, *node.args[1:]]


def _note_import(walk: Walk, node: ast.Call, name: str) -> None:
    target = node.args[0] if len(node.args) == 1 else None
    if isinstance(target, ast.Constant) and isinstance(target.value, str):
        walk.outside.imports.add((Import(0, target.value, None, target.value), ""))
    else:
        walk.outside.dynamic.append((f"{name}() with a computed name", node.lineno))


def read_walrus(walk: Walk, node: ast.NamedExpr) -> None:
    """Reads `name := value`."""
    walk.scope.store_walrus(node.target.id)
    walk.out.append(f":={node.target.id}")
    walk.stack.append(node.value)


def read_comprehension(walk: Walk, node: Any) -> None:
    """Reads a comprehension or generator expression, which has a scope of its own."""
    inner = walk.inside("comprehension")
    walk.out.append(type(node).__name__)
    results = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
    stack = walk.stack
    stack += (")", LEAVE, *reversed(results))
    for clause in reversed(node.generators):
        stack.extend(reversed(clause.ifs))
        stack += (":", "async" if clause.is_async else "for", clause.target)
        if clause is node.generators[0]:
            # Its first source is read in the scope around it.
            stack.append(inner)
        stack.append(clause.iter)


READERS: dict[type, Reader] = {
    ast.Attribute: read_attribute,
    ast.BinOp: read_binary,
    ast.Call: read_call,
    ast.Compare: read_comparison,
    ast.Constant: read_constant,
    ast.DictComp: read_comprehension,
    ast.GeneratorExp: read_comprehension,
    ast.JoinedStr: read_fstring,
    ast.ListComp: read_comprehension,
    ast.NamedExpr: read_walrus,
    ast.SetComp: read_comprehension,
    ast.Subscript: read_subscript,
    type(None): read_none,
}
