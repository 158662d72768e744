"""Reads a piece of code once: its normalised text and the outside names it uses.

The text leaves out positions, comments, docstrings, formatting and local annotations, and has no field
that only newer Pythons know, so one function has one hash on all of them. The walk keeps its own stack:
deep expressions cannot exhaust Python's, and it is several times faster than `ast.dump`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .model import digest
from .scopes import Import, Outside, Scope, ScopeKind

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Definition = FunctionNode | ast.ClassDef

_IGNORED_FIELDS = {"ctx", "kind", "type_comment", "type_ignores"}
_ADDERS = {"add", "append", "appendleft", "extend", "extendleft", "insert", "register", "setdefault", "update"}
_REMOVERS = {"clear", "discard", "pop", "popitem", "popleft", "remove"}
_MUTATORS = frozenset(_ADDERS | _REMOVERS | {"move_to_end", "reverse", "sort"})
_DYNAMIC = frozenset({"exec", "eval", "globals", "getattr", "__import__", "import_module"})
_EMPTY: frozenset[Any] = frozenset()


@dataclass(frozen=True, slots=True)
class Summary:
    """What one piece of code says.

    Attributes:
        digest: Hash of the normalised text.
        refs: Global names it uses, each with the attributes read from it: `utils.clean`.
        imports: Modules it imports by itself, each with the attributes read from it.
        writes: Global names it rebinds or changes in place.
        dynamic: What cannot be followed, and the line.
    """

    digest: str
    refs: frozenset[str]
    imports: frozenset[tuple[Import, str]]
    writes: frozenset[str]
    dynamic: tuple[tuple[str, int], ...]


def summarise(nodes: Sequence[ast.AST], *, omit: Iterable[ast.AST] = (), bare: ast.AST | None = None) -> Summary:
    """Reads `nodes` as code at module level.

    Args:
        nodes: Statements or expressions.
        omit: Functions inside them to leave out, because they are read as parts of their own.
        bare: A definition to read without its decorators.
    """
    walk = _Walk(frozenset(id(node) for node in omit), bare)
    walk.run(nodes)
    return Summary(
        digest("\0".join(walk.out)),
        frozenset(walk.top.loads),
        frozenset(walk.outside.imports) if walk.outside.imports else _EMPTY,
        frozenset(walk.top.writes) if walk.top.writes else _EMPTY,
        tuple(walk.outside.dynamic),
    )


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


def line_of(node: ast.AST) -> int:
    """The line where a statement or expression starts, with its decorators."""
    lines: list[int] = [decorator.lineno for decorator in getattr(node, "decorator_list", ())]
    return min([getattr(node, "lineno", 0), *lines])


class _Leave:
    """Marks on the stack where the current scope ends."""


_LEAVE = _Leave()


class _Walk:
    """One reading: a stack of what is still to be read, and the text so far."""

    def __init__(self, omit: frozenset[int], bare: ast.AST | None) -> None:
        self.omit = omit
        self.bare = bare
        self.out: list[str] = []
        self.stack: list[Any] = []
        self.top = Scope("module", None)
        self.scope = self.top
        self.open: list[Scope] = []
        self.outside = Outside()

    def run(self, nodes: Sequence[ast.AST]) -> None:
        """Reads everything on the stack, in the order of the source."""
        stack, append = self.stack, self.out.append
        stack.extend(reversed(nodes))
        pop, get = stack.pop, _READERS.get
        while stack:
            item = pop()
            kind = item.__class__
            if kind is str:
                append(item)
            elif kind is ast.Name:
                append("n" + item.id)
                if item.ctx.__class__ is ast.Load:
                    self.scope.loads.add(item.id)
                else:
                    self.scope.store(item.id)
            else:
                reader = get(kind)
                if reader is not None:
                    reader(self, item)
                else:
                    self.read_fields(item, kind)

    def read_fields(self, item: ast.AST, kind: type[ast.AST]) -> None:
        """Reads a node that needs no care: its name, then each field that is not empty."""
        layout = _LAYOUTS.get(kind)
        if layout is None:
            layout = _LAYOUTS[kind] = _layout(kind)
        opening, fields = layout
        self.out.append(opening)
        if not fields:
            return
        stack = self.stack
        stack.append(")")
        for name, label in fields:
            value = getattr(item, name)
            if value.__class__ is list:
                if not value:
                    continue
                stack.extend(reversed(value))
            elif isinstance(value, ast.AST):
                stack.append(value)
            elif value is None:
                continue
            else:
                stack.append(str(value))
            stack.append(label)

    def enter(self, scope: Scope) -> None:
        self.open.append(self.scope)
        self.scope = scope

    def leave(self, _: _Leave) -> None:
        self.scope.close(self.outside)
        self.scope = self.open.pop()

    def inside(self, kind: ScopeKind, names: Iterable[str] = ()) -> Scope:
        """A new scope inside the current one; it is entered when the walk meets it on the stack."""
        scope = Scope(kind, self.scope)
        scope.stores.update(names)
        return scope

    def read_none(self, _: None) -> None:
        self.out.append("-")

    def read_constant(self, node: ast.Constant) -> None:
        value = node.value
        if value.__class__ is str:
            # With its length: only strings can hold the separator. Not repr(), whose escapes follow
            # the Unicode tables of the running Python.
            self.out.append(f"s{len(value)} {value}")
        elif value.__class__ is int:
            self.out.append(f"i{value:x}")
        else:
            self.out.append(f"c{value.__class__.__name__} {value!r}")

    def read_attribute(self, node: ast.Attribute) -> None:
        name = chain(node)
        if name is None:
            self.out.append("a" + node.attr)
            self.stack.append(node.value)
            return
        self.out.append("n" + name)
        self.scope.loads.add(name)
        if node.ctx.__class__ is not ast.Load:
            self.scope.writes.add(name.partition(".")[0])

    def read_subscript(self, node: ast.Subscript) -> None:
        if node.ctx.__class__ is not ast.Load:
            name = root(node.value)
            if name is not None:
                self.scope.writes.add(name)
        self.out.append("[")
        self.stack += ("]", node.slice, node.value)

    def read_call(self, node: ast.Call) -> None:
        function = node.func
        arguments: list[Any] = node.args
        if isinstance(function, ast.Attribute):
            if function.attr in _MUTATORS:
                name = root(function)
                if name is not None:
                    self.scope.writes.add(name)
            elif function.attr == "import_module":
                self.note_import(node, "importlib.import_module")
        elif isinstance(function, ast.Name) and function.id in _DYNAMIC:
            arguments = self.note_dynamic(node, function.id)
        stack = self.stack
        stack.append(")")
        for keyword in reversed(node.keywords):
            stack += (keyword.value, f"k{keyword.arg or '**'}")
        stack.extend(reversed(arguments))
        stack.append(function)
        self.out.append("(")

    def note_dynamic(self, node: ast.Call, name: str) -> list[Any]:
        """Notes a call that may reach code by a computed name; returns its arguments as to be read."""
        if name in ("__import__", "import_module"):
            self.note_import(node, name)
        elif name != "getattr":
            self.outside.dynamic.append((f"{name}()", node.lineno))
        elif len(node.args) >= 2:
            attribute = node.args[1]
            if not (isinstance(attribute, ast.Constant) and isinstance(attribute.value, str)):
                self.outside.dynamic.append(("getattr() with a computed name", node.lineno))
            elif (owner := chain(node.args[0])) is not None:
                # As precise as owner.attribute would be.
                self.scope.loads.add(f"{owner}.{attribute.value}")
                return ["n" + owner, *node.args[1:]]
        return node.args

    def note_import(self, node: ast.Call, name: str) -> None:
        target = node.args[0] if node.args else None
        if isinstance(target, ast.Constant) and isinstance(target.value, str) and len(node.args) == 1:
            module = target.value
            self.outside.imports.add((Import(0, module, None, module), ""))
        else:
            self.outside.dynamic.append((f"{name}() with a computed name", node.lineno))

    def read_expression(self, node: ast.Expr) -> None:
        # A constant on its own does nothing: docstrings, `...`.
        if node.value.__class__ is not ast.Constant:
            self.stack += (node.value, "e")

    def read_pass(self, node: ast.Pass) -> None:
        """A `pass` is there for the grammar alone."""

    def read_assignment(self, node: ast.Assign) -> None:
        self.out.append("=")
        self.stack += (node.value, ":")
        self.stack.extend(reversed(node.targets))

    def read_annotated(self, node: ast.AnnAssign) -> None:
        if self.scope.kind == "class":
            self.note_strings(node.annotation)
            self.read_fields(node, ast.AnnAssign)
        elif node.value is not None:
            self.out.append("=")
            self.stack += (node.value, ":", node.target)
        elif isinstance(node.target, ast.Name) and self.scope is not self.top:
            self.scope.store(node.target.id)

    def read_walrus(self, node: ast.NamedExpr) -> None:
        self.scope.store_walrus(node.target.id)
        self.out.append(f":={node.target.id}")
        self.stack.append(node.value)

    def read_declaration(self, node: ast.Global | ast.Nonlocal) -> None:
        names = self.scope.globals if isinstance(node, ast.Global) else self.scope.nonlocals
        names.update(node.names)
        self.out.append(f"{type(node).__name__} {' '.join(sorted(node.names))}")

    def read_fstring(self, node: ast.JoinedStr) -> None:
        """Reads an f-string without the empty constants that some Pythons leave in it."""
        self.out.append("f")
        self.stack.append(")")
        self.stack.extend(v for v in reversed(node.values) if not (isinstance(v, ast.Constant) and v.value == ""))

    def read_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for name, target in imported_names(node):
            self.out.append(f"import {target.level} {target.module} {target.attribute} {target.loaded} {name}")
            if self.scope is self.top:
                self.scope.loads.add(name)
            else:
                self.scope.bind_import(name, target)

    def read_named(self, node: Any) -> None:
        """Reads a handler or pattern, which binds a name that is no `Name` node."""
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            self.scope.store(name)
        self.read_fields(node, type(node))

    def read_function(self, node: FunctionNode) -> None:
        self.scope.store(node.name)
        if id(node) in self.omit:
            return
        self.out.append(f"{type(node).__name__} {node.name}")
        outer = self.open_type_parameters(node)
        inner = Scope("function", outer)
        self.stack += (")", *([_LEAVE] if outer is not self.scope else []), _LEAVE, *reversed(node.body), ":", inner)
        self.push_signature(node.args, inner, node.returns)
        if outer is not self.scope:
            self.stack += (*reversed(_type_parameters(node)), outer)
        if node is not self.bare:
            self.stack += (*reversed(node.decorator_list), "@")

    def read_lambda(self, node: ast.Lambda) -> None:
        inner = self.inside("function")
        self.out.append("lambda")
        self.stack += (")", _LEAVE, node.body, ":", inner)
        self.push_signature(node.args, inner, None)

    def push_signature(self, args: ast.arguments, inner: Scope, returns: ast.expr | None) -> None:
        """Pushes defaults and annotations, which are read outside the function's own scope."""
        stack = self.stack
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        extra = [arg for arg in (args.vararg, args.kwarg) if arg is not None]
        inner.stores.update([arg.arg for arg in every], [arg.arg for arg in extra])
        if returns is not None:
            self.note_strings(returns)
            stack += (returns, "->")
        for arg in (*every, *extra):
            if arg.annotation is not None:
                self.note_strings(arg.annotation)
                stack += (arg.annotation, arg.arg)
        stack.extend(reversed(args.kw_defaults))
        stack.append("*=")
        stack.extend(reversed(args.defaults))
        names = [",".join([a.arg for a in group]) for group in (args.posonlyargs, args.args, args.kwonlyargs)]
        variable = [arg.arg if arg is not None else "" for arg in (args.vararg, args.kwarg)]
        stack.append("/".join(names + variable))

    def open_type_parameters(self, node: Definition) -> Scope:
        """The scope around a generic definition's signature: its type parameters, on Python 3.12+."""
        parameters = _type_parameters(node)
        return self.inside("function", [p.name for p in parameters]) if parameters else self.scope

    def note_strings(self, annotation: ast.expr) -> None:
        """Takes the names out of annotations written as strings."""
        if annotation.__class__ is ast.Name or annotation.__class__ is ast.Attribute:
            return
        todo: list[ast.AST] = [annotation]
        while todo:
            node = todo.pop()
            if isinstance(node, ast.Subscript) and (chain(node.value) or "").endswith(("Annotated", "Literal")):
                first = node.slice.elts[:1] if isinstance(node.slice, ast.Tuple) else []
                todo.extend(first if (chain(node.value) or "").endswith("Annotated") else [])
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                todo.extend(self.parse_annotation(node.value))
            else:
                todo.extend(ast.iter_child_nodes(node))

    def parse_annotation(self, text: str) -> list[ast.AST]:
        try:
            parsed = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []
        for node in ast.walk(parsed):
            name = chain(node)
            if name is not None:
                self.scope.loads.add(name)
        return []

    def read_class(self, node: ast.ClassDef) -> None:
        self.scope.store(node.name)
        self.out.append(f"class {node.name}")
        outer = self.open_type_parameters(node)
        inner = Scope("class", outer)
        self.stack += (")", *([_LEAVE] if outer is not self.scope else []), _LEAVE, *reversed(node.body), ":", inner)
        self.stack += (*reversed(node.keywords), *reversed(node.bases))
        if outer is not self.scope:
            self.stack += (*reversed(_type_parameters(node)), outer)
        if node is not self.bare:
            self.stack += (*reversed(node.decorator_list), "@")

    def read_comprehension(self, node: Any) -> None:
        inner = self.inside("comprehension")
        self.out.append(type(node).__name__)
        results = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        stack = self.stack
        stack += (")", _LEAVE, *reversed(results))
        for clause in reversed(node.generators):
            stack.extend(reversed(clause.ifs))
            stack += (":", "async" if clause.is_async else "for")
            if clause is node.generators[0]:
                # The first source is read outside the comprehension's own scope.
                stack += (clause.target, inner, clause.iter)
            else:
                stack += (clause.target, clause.iter)


_Reader = Callable[[_Walk, Any], None]
_READERS: dict[type, _Reader] = {
    ast.AnnAssign: _Walk.read_annotated,
    ast.Assign: _Walk.read_assignment,
    ast.AsyncFunctionDef: _Walk.read_function,
    ast.Attribute: _Walk.read_attribute,
    ast.Call: _Walk.read_call,
    ast.ClassDef: _Walk.read_class,
    ast.Constant: _Walk.read_constant,
    ast.DictComp: _Walk.read_comprehension,
    ast.ExceptHandler: _Walk.read_named,
    ast.Expr: _Walk.read_expression,
    ast.FunctionDef: _Walk.read_function,
    ast.GeneratorExp: _Walk.read_comprehension,
    ast.Global: _Walk.read_declaration,
    ast.Import: _Walk.read_import,
    ast.ImportFrom: _Walk.read_import,
    ast.JoinedStr: _Walk.read_fstring,
    ast.Lambda: _Walk.read_lambda,
    ast.ListComp: _Walk.read_comprehension,
    ast.MatchAs: _Walk.read_named,
    ast.MatchMapping: _Walk.read_named,
    ast.MatchStar: _Walk.read_named,
    ast.NamedExpr: _Walk.read_walrus,
    ast.Nonlocal: _Walk.read_declaration,
    ast.Pass: _Walk.read_pass,
    ast.SetComp: _Walk.read_comprehension,
    ast.Subscript: _Walk.read_subscript,
    Scope: _Walk.enter,
    _Leave: _Walk.leave,
    type(None): _Walk.read_none,
}
_LAYOUTS: dict[type, tuple[str, tuple[tuple[str, str], ...]]] = {}


def _type_parameters(node: Definition) -> list[Any]:
    """The type parameters of a generic definition; Pythons before 3.12 have none."""
    return getattr(node, "type_params", [])


def _layout(kind: type[ast.AST]) -> tuple[str, tuple[tuple[str, str], ...]]:
    fields = [name for name in kind._fields if name not in _IGNORED_FIELDS]
    return kind.__name__, tuple((name, "." + name) for name in reversed(fields))
