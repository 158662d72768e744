"""How expressions are read: what they write, which names they use, and what cannot be followed."""

from __future__ import annotations

import ast
from typing import Any

from .nodes import root
from .scopes import Import
from .walk import LEAVE, Reader, Walk

_ADDERS = {"add", "append", "appendleft", "extend", "extendleft", "insert", "register", "setdefault", "update"}
_REMOVERS = {"clear", "discard", "pop", "popitem", "popleft", "remove"}
_MUTATORS = frozenset(_ADDERS | _REMOVERS | {"move_to_end", "reverse", "sort"})
ADDITION = "+"
"""Before the last attribute of a name that is only added to: `SEEN.append(x)` says nothing of what SEEN holds."""
ANY = "*"
"""In place of an attribute that is computed: any of them."""
BY_METHOD = "."
"""Behind a name that is changed by a method of it; it may also be a module that has a function of that name."""
_IMPORTERS = frozenset({"__import__", "import_module"})
_OPAQUE = frozenset({"exec", "eval", "globals"})
_ASKING = frozenset({"isinstance", "issubclass"})
CALLERS_NAMES = frozenset({"eval", "evaluate", "execute", "query", "sql"})
"""Methods that may look up local variables of their caller by name, as pandas does for `frame.query("x > @limit")`."""
FRAMES = frozenset({"ag_frame", "cr_frame", "f_back", "f_code", "f_locals", "gi_frame", "tb_frame"})
"""Attributes that lead to code as it runs."""
STORING = frozenset({"dump", "dumps", "save", "to_pickle"})
"""Methods that may write down a value with the name of its class."""
_PLAIN_STORES = frozenset({"json", "orjson"})
"""Those that write down no names of classes."""
LINES = frozenset({"co_firstlineno", "f_lineno", "lineno", "tb_lineno"})
"""Attributes that say where code stands in its file."""
_NAME_ONLY = frozenset({"__doc__", "__name__", "__qualname__"})
"""What may be asked of a class without learning where it is."""
CLASS_OF = "type()"
"""Mentioned where the class of a value is got hold of."""
_TELLING = CALLERS_NAMES | FRAMES | LINES | {"mro"}


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
        walk.outside.strings.append(value)
        _note_attribute(walk, value)
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
    for side in (node.left, *node.comparators):
        if side.__class__ is ast.Call:
            walk.compared.add(id(side))


def read_fstring(walk: Walk, node: ast.JoinedStr) -> None:
    """Reads an f-string without the empty constants that some Pythons leave in it."""
    walk.out.append("f")
    walk.stack.append(")")
    walk.stack.extend(v for v in reversed(node.values) if not (isinstance(v, ast.Constant) and v.value == ""))


def read_attribute(walk: Walk, node: ast.Attribute) -> None:
    """Reads an attribute, together with all attributes up to a name."""
    name = _read_chain(walk, node)
    if name is None:
        walk.out.append("a" + node.attr)
        walk.stack.append(node.value)
        if node.value.__class__ is ast.Call:
            walk.compared.add(id(node.value))
        return
    walk.out.append((walk.scope, name, walk.hinting))
    if node.ctx.__class__ is not ast.Load:
        walk.scope.writes.add(name.partition(".")[0])
        walk.outside.sets.append((walk.scope, name))


def _read_chain(walk: Walk, node: ast.expr, *, called: bool = False) -> str | None:
    """`a.b.c` for attributes of a name, else None; notes the attributes that may lead to how code is written."""
    names: list[str] = []
    while node.__class__ is ast.Attribute:
        attribute: str = node.attr
        if attribute != "__class__" or not (names[-1] in _NAME_ONLY if names else called):
            _note_attribute(walk, attribute)
        names.append(attribute)
        node = node.value
    owner = node.id if node.__class__ is ast.Name else None
    if names and names[0] in STORING and owner not in _PLAIN_STORES:
        walk.outside.mentions.add(names[0])
    if owner is None:
        return None
    names.append(owner)
    return ".".join(reversed(names))


def _note_attribute(walk: Walk, name: str) -> None:
    if name in _TELLING or name[:2] == "__":
        walk.outside.mentions.add(name)


def _note_method(walk: Walk, node: ast.Call, method: ast.Attribute) -> None:
    if method.attr in _MUTATORS:
        name = root(method)
        if name is not None:
            walk.scope.writes.add(name + BY_METHOD if method.value.__class__ is ast.Name else name)
    elif method.attr == "import_module":
        _note_import(walk, node, method.attr)


def asked(walk: Walk, node: ast.expr) -> list[Any]:
    """What is called, or a class that is asked for: nobody gets hold of it there."""
    if node.__class__ is ast.Tuple:
        return ["Tuple", *(item for each in node.elts for item in asked(walk, each)), ")"]
    name = _read_chain(walk, node, called=True) if node.__class__ in (ast.Name, ast.Attribute) else None
    return [node if name is None else (walk.scope, name, True)]


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
        _note_method(walk, node, function)
    elif isinstance(function, ast.Name):
        if function.id == "getattr" and len(node.args) > 1:
            arguments = _note_getattr(walk, node)
        elif function.id in _IMPORTERS:
            _note_import(walk, node, function.id)
        elif function.id in _OPAQUE:
            walk.outside.dynamic.append((f"{function.id}()", node.lineno))
        elif function.id in _ASKING and len(arguments) == 2:
            arguments = [arguments[0], *asked(walk, arguments[1])]
        elif function.id == "type" and len(arguments) == 1 and id(node) not in walk.compared:
            walk.outside.mentions.add(CLASS_OF)
    stack = walk.stack
    stack.append(")")
    for keyword in reversed(node.keywords):
        stack += (keyword.value, f"k{keyword.arg or '**'}")
    stack.extend(reversed(arguments))
    if isinstance(function, ast.Name):
        stack.append((walk.scope, function.id, True))
    else:
        stack += asked(walk, function)
    walk.out.append("(")
    if function.__class__ is ast.Call:
        walk.compared.add(id(function))


def read_addition(walk: Walk, node: ast.expr) -> ast.expr | None:
    """Reads the name in a statement such as `SEEN.append(x)`; returns the call without it, None if it is no such."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ADDERS):
        return None
    owner = _read_chain(walk, node.func.value)
    if owner is None or node.func.attr == "register":
        return None
    first, _, rest = owner.partition(".")
    walk.scope.writes.add(first if rest else first + BY_METHOD)
    walk.out.append((walk.scope, f"{owner}.{ADDITION}{node.func.attr}", True))
    return ast.Call(_NOTHING, node.args, node.keywords)


_NOTHING = ast.Constant(None)


def _note_getattr(walk: Walk, node: ast.Call) -> list[Any]:
    """Takes `getattr(owner, "name")` for `owner.name`; returns the arguments that are still to be read."""
    attribute = node.args[1]
    if not (isinstance(attribute, ast.Constant) and isinstance(attribute.value, str)):
        walk.outside.dynamic.append(("getattr() with a computed name", node.lineno))
        owner = _read_chain(walk, node.args[0])
        return node.args if owner is None else [(walk.scope, f"{owner}.{ANY}", False), *node.args[1:]]
    owner = _read_chain(walk, node.args[0])
    if owner is None:
        return node.args
    return [(walk.scope, f"{owner}.{attribute.value}", False), *node.args[1:]]


def _note_import(walk: Walk, node: ast.Call, name: str) -> None:
    target = node.args[0] if len(node.args) == 1 else None
    if isinstance(target, ast.Constant) and isinstance(target.value, str):
        walk.stack.append((Import(0, target.value, None, target.value), "", True))
    else:
        walk.outside.dynamic.append((f"{name}() with a computed name", node.lineno))


def read_walrus(walk: Walk, node: ast.NamedExpr) -> None:
    """Reads `name := value`."""
    owner = walk.scope.owner_of_walrus()
    owner.store(node.target.id)
    walk.out += (":=", f"n{node.target.id}" if owner is walk.top else (owner, node.target.id, False))
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
