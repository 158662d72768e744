"""One file of code as a table: which statements bind each of its names.

A name bound several times has several bindings, and all of them count: branches of an `if` with its
test, a `try` with what it tries, rebinding, and changes in place such as `CONFIG["x"] = 1`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ..syntax.nodes import Definition, chain, imported_names, line_of, root
from ..syntax.scopes import Import
from ..syntax.summary import Summary, summarise

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.Match)
_Assignment = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete
_CLOSED = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(eq=False)
class Condition:
    """What decides at module level whether a statement runs."""

    label: str
    nodes: list[ast.AST]

    @cached_property
    def summary(self) -> Summary:
        """The condition's code."""
        return summarise(self.nodes)


@dataclass(eq=False, slots=True)
class Binding:
    """One statement that binds or changes a name at module level.

    Attributes:
        node: The statement.
        conditions: What it runs under, outermost first.
        imported: What it imports, when it is an import.
        called: Whether it only calls a method of the name or passes the name on: a change, maybe.
        header: What counts of a statement that others are nested in.
    """

    node: ast.stmt
    conditions: tuple[Condition, ...]
    imported: Import | None = None
    called: bool = False
    header: list[ast.AST] | None = None

    @property
    def changes(self) -> bool:
        """Whether it binds nothing, and may change what the name stands for: a call, or something set in it."""
        return self.called or _sets(self.node)

    @property
    def decorators(self) -> list[str]:
        """The names of the decorators that a definition is under."""
        found = getattr(self.node, "decorator_list", [])
        return [chain(each.func if isinstance(each, ast.Call) else each) or "" for each in found]


@dataclass(eq=False)
class Module:
    """A parsed file.

    Attributes:
        path: Where it is; for a notebook cell the name its code carries.
        bindings: By name, in the order of the file.
        stars: What it star-imports.
        loose: Statements that bind nothing.
        inside: Where names lead, as far as this file alone says that (see `leads`).
    """

    path: str
    text: str
    tree: ast.Module
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[Import] = field(default_factory=list)
    loose: list[Binding] = field(default_factory=list)
    inside: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def lines(self) -> list[str]:
        """The text by lines, as the parser counts them."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @cached_property
    def starts(self) -> list[int]:
        """Where each statement of the top level starts."""
        return [line_of(statement) for statement in self.tree.body]

    @cached_property
    def acting(self) -> dict[str | None, None]:
        """What the import of it does something to, beside defining names: of what is called or set, the first name."""
        found = (name for each in self.loose for name in _called(each.node))
        setting = (name for name, bindings in self.bindings.items() if any(_sets(each.node) for each in bindings))
        return dict.fromkeys([*found, *setting])

    @cached_property
    def classes(self) -> dict[str, list[ast.ClassDef]]:
        """The definitions of classes, by name."""
        found: dict[str, list[ast.ClassDef]] = {}
        for name, bindings in self.bindings.items():
            for binding in bindings:
                if isinstance(binding.node, ast.ClassDef):
                    found.setdefault(name, []).append(binding.node)
        return found

    @cached_property
    def loggers(self) -> dict[str, str | None]:
        """The names that are bound to a call with `__name__`, as loggers are, and to nothing else: what is called."""
        found = {}
        for name, bindings in self.bindings.items():
            match [binding.node for binding in bindings if not binding.called]:
                case [ast.Assign(targets=[ast.Name()], value=ast.Call(made_by, [ast.Name("__name__")], []))]:
                    found[name] = chain(made_by)
        return found

    def made_by(self, name: str, *, of: Literal["constants", "values"] = "constants") -> str | None:
        """The first name of what is called for a name's value; None if there is more to it.

        Args:
            name: The name.
            of: What the call may be given: constants, or anything that is there without another call.
        """
        match [binding.node for binding in self.bindings.get(name, ()) if not binding.changes]:
            case [ast.Assign(targets=[ast.Name()], value=ast.Call(made_by) as call)]:
                given = [*call.args, *(each.value for each in call.keywords)]
                if of == "constants":
                    simple = all(isinstance(each, ast.Constant) or chain(each) == "__name__" for each in given)
                else:
                    simple = not any(isinstance(part, ast.Call) for each in given for part in ast.walk(each))
                # What an import by name gives is a module, perhaps the user's.
                return root(made_by) if simple and "import" not in (chain(made_by) or "") else None
        return None

    @cached_property
    def postpones_hints(self) -> bool:
        """Whether type hints are texts in it."""
        return any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(each.name == "annotations" for each in node.names)
            for node in self.tree.body
        )

    @cached_property
    def exports(self) -> frozenset[str] | None:
        """What `__all__` lists, None when there is none."""
        found = self.bindings.get("__all__")
        if found is None:
            return None
        constants = (node for binding in found for node in ast.walk(binding.node) if isinstance(node, ast.Constant))
        return frozenset(node.value for node in constants if isinstance(node.value, str))

    def source(self, node: ast.AST) -> str:
        """The text of a statement or expression with its decorators, without its indentation."""
        first = line_of(node)
        last = getattr(node, "end_lineno", None) or first
        lines = self.lines[first - 1 : last]
        indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
        if indent:
            lines = [line[indent:] if line[:indent].isspace() else line for line in lines]
        return "\n".join(lines)


def parse(path: str, text: str) -> Module:
    """Reads a file's top level.

    Raises:
        SyntaxError: It is not Python.
        ValueError: It holds a null byte.
    """
    tree = ast.parse(text, path)
    module = Module(path, text, tree)
    _Collector(module).collect(tree.body, ())
    # A call says nothing of a name that is bound elsewhere: a builtin, or from a star import.
    for name in [name for name, found in module.bindings.items() if all(binding.called for binding in found)]:
        del module.bindings[name]
    return module


def is_main_test(test: ast.expr) -> bool:
    """Whether an `if` asks for `__name__ == "__main__"`."""
    return isinstance(test, ast.Compare) and any(
        isinstance(side, ast.Name) and side.id == "__name__" for side in (test.left, *test.comparators)
    )


class _Collector:
    """Sorts a module's statements by the names they bind."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.in_main = False
        self.walrus = ":=" in module.text

    def bind(self, name: str, binding: Binding) -> None:
        self.module.bindings.setdefault(name, []).append(binding)

    def collect(self, body: Sequence[ast.stmt], conditions: tuple[Condition, ...]) -> None:
        for node in body:
            if isinstance(node, DEFINITIONS):
                self.bind(node.name, Binding(node, conditions))
            elif isinstance(node, ast.Import | ast.ImportFrom):
                self.collect_import(node, conditions)
            elif isinstance(node, _Assignment):
                self.collect_assignment(node, conditions)
            elif isinstance(node, ast.Expr):
                self.collect_call(node, conditions)
            elif not self.collect_block(node, conditions):
                self.collect_whole(node, conditions)

    def collect_import(self, node: ast.Import | ast.ImportFrom, conditions: tuple[Condition, ...]) -> None:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            return
        for name, target in imported_names(node):
            if name == "*":
                self.module.stars.append(target)
            else:
                self.bind(name, Binding(node, conditions, target))

    def collect_assignment(self, node: _Assignment, conditions: tuple[Condition, ...]) -> None:
        if isinstance(node, ast.AnnAssign) and node.value is None:
            return
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
        changed: list[ast.AST] = [node] if self.walrus else [*targets]
        for name in dict.fromkeys(name for each in changed for name in _stored(each)):
            self.bind(name, Binding(node, conditions))

    def collect_call(self, node: ast.Expr, conditions: tuple[Condition, ...]) -> None:
        """Takes `CONFIG.update(...)` and `fill(CONFIG)` for changes of CONFIG, except in a main block."""
        binding = Binding(node, conditions, called=True)
        for name in dict.fromkeys(_stored(node)) if self.walrus else ():
            self.bind(name, Binding(node, conditions))
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if self.in_main or not isinstance(call, ast.Call):
            return
        self.module.loose.append(binding)
        passed = [root(argument) for argument in call.args] if root(call.func) != "print" else []
        for touched in dict.fromkeys([root(call.func), *passed]):
            if touched is not None:
                self.bind(touched, binding)

    def collect_block(self, node: ast.stmt, conditions: tuple[Condition, ...]) -> bool:
        """Looks into `if`, `try` and `with`; says whether `node` is one."""
        if isinstance(node, ast.If):
            was_in_main, self.in_main = self.in_main, self.in_main or is_main_test(node.test)
            self.collect(node.body, (*conditions, Condition("if", [node.test])))
            self.in_main = was_in_main
            self.collect(node.orelse, (*conditions, Condition("else", [node.test])))
        elif isinstance(node, ast.Try | ast.TryStar):
            tried: list[ast.AST] = [each for each in node.body if not isinstance(each, DEFINITIONS)]
            self.collect(node.body, (*conditions, Condition("try", tried)))
            for handler in node.handlers:
                caught = [*tried, handler.type] if handler.type is not None else tried
                self.collect(handler.body, (*conditions, Condition("except", caught)))
            self.collect(node.orelse, (*conditions, Condition("else", tried)))
            self.collect(node.finalbody, conditions)
        elif isinstance(node, ast.With | ast.AsyncWith):
            targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
            header: list[ast.AST] = list(node.items)
            for name in dict.fromkeys(name for target in targets for name in _stored(target)):
                self.bind(name, Binding(node, conditions, header=header))
            self.collect(node.body, (*conditions, Condition("with", header)))
        else:
            return False
        if isinstance(node, ast.If) and self.walrus:
            for name in _stored(node.test):
                self.bind(name, Binding(node, conditions, header=[node.test]))
        return True

    def collect_whole(self, node: ast.stmt, conditions: tuple[Condition, ...]) -> None:
        """Takes a loop as one statement for every name bound in it."""
        names = dict.fromkeys(_stored(node))
        for inner in ast.walk(node) if isinstance(node, _LOOPS) else ():
            if isinstance(inner, ast.Import | ast.ImportFrom):
                self.collect_import(inner, conditions)
        for name in names:
            self.bind(name, Binding(node, conditions))
        if not names and not self.in_main:
            self.module.loose.append(Binding(node, conditions))


def _called(node: ast.stmt) -> Iterator[str | None]:
    """The first names of what a statement calls; None where it has none, or the statement may do more than call."""
    if not isinstance(node, ast.Expr | ast.Assert | ast.Raise):
        yield None
        return
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            owner = each.func
            while isinstance(owner, ast.Attribute | ast.Subscript):
                owner = owner.value
            if not isinstance(owner, ast.Call | ast.Constant | ast.JoinedStr):  # a call is told by itself
                yield owner.id if isinstance(owner, ast.Name) else None


def _sets(node: ast.stmt) -> bool:
    """Whether a statement sets an attribute or an item of something."""
    if isinstance(node, Definition | ast.Import | ast.ImportFrom):
        return False
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return any(isinstance(each, ast.Attribute | ast.Subscript) for each in targets)


def _stored(node: ast.AST) -> Iterator[str]:
    """The module-level names that a statement binds, deletes or changes through `[]` and `.`."""
    todo: list[ast.AST] = [node]
    while todo:
        each = todo.pop()
        if isinstance(each, Definition):
            yield each.name
        elif isinstance(each, _CLOSED):
            continue
        elif isinstance(each, ast.Name | ast.Attribute | ast.Subscript) and not isinstance(each.ctx, ast.Load):
            name = root(each)
            if name is not None:
                yield name
        elif isinstance(each, ast.MatchAs | ast.MatchStar | ast.MatchMapping):
            name = each.rest if isinstance(each, ast.MatchMapping) else each.name
            if name is not None:
                yield name
            todo.extend(ast.iter_child_nodes(each))
        else:
            # Type aliases (3.12+) keep their name in a Name node that is stored to, like any other.
            todo.extend(ast.iter_child_nodes(each))
