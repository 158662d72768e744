"""What code uses of ZenML that has no meaning here, and where files name it that are no code."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from importlib import import_module
from typing import Any, TypeGuard

from .. import client
from .._names.absent import NoComponent, Said, is_absent
from . import rewriting
from .rewriting import is_old

_NAMED = re.compile(r"(?<![\w.-])zenml(?![\w-])")
"""ZenML itself, and neither our name for it nor that of a project around it."""

_LONGEST = 100
"""Characters of a line that are told."""

_THERE = frozenset(("artifact_store", "orchestrator", "experiment_tracker", "name", "id"))
"""What a stack has here; the tracker where MLflow is installed."""


class Kind(Enum):
    """What becomes of something of ZenML's."""

    PASSED_OVER = "passed_over"
    MISSING = "missing"
    UNKNOWN = "unknown"
    NAMED = "named"


Use = tuple[Kind, str, str]
"""What becomes of it, what it is, and where in the file it stands."""


def in_script(code: str) -> Iterator[Use]:
    """What a script uses, by its lines.

    Raises:
        SyntaxError: It is no Python.
    """
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and is_old(node.module):
            for alias in node.names:
                found = what_is(f"artvcs.{node.module}", alias.name)
                if found is not None:
                    yield found, f"{node.module}.{alias.name}", str(node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_path(node.value):
            yield Kind.NAMED, repr(node.value), str(node.lineno)
    yield from _of_clients(tree)


def in_notebook(text: str) -> Iterator[Use]:
    """What a notebook uses, by its cells, and the names of ZenML in commands there."""
    for number, _, code in rewriting.cells(json.loads(text)):
        masked = rewriting.plain(code)
        for line, mask in zip(code.splitlines(), masked.splitlines(), strict=True):
            if _NAMED.search(line.lstrip().removeprefix(mask.strip())):
                yield Kind.NAMED, line.strip()[:_LONGEST], f"cell {number}"
        try:
            yield from ((kind, what, f"cell {number}") for kind, what, _ in in_script(masked))
        except SyntaxError as error:
            if _NAMED.search(code):
                yield Kind.NAMED, f"a cell that is no Python ({error.msg})", f"cell {number}"


def in_text(text: str) -> Iterator[Use]:
    """Where a file that is no code names ZenML, but for remarks."""
    for number, line in enumerate(text.splitlines(), 1):
        if _NAMED.search(line) and not line.lstrip().startswith("#"):
            yield Kind.NAMED, line.strip()[:_LONGEST], str(number)


def _is_path(text: str) -> bool:
    """Whether a text names ZenML where something is imported or installed by it."""
    return re.fullmatch(r"zenml(\.\w+)+|zenml(\[[\w, -]*\])?\s*([=<>!~].*)?", text) is not None


def _of_clients(tree: ast.Module) -> Iterator[Use]:
    """What is asked of a client, or of the stack that it has, and is not there."""
    nodes = list(ast.walk(tree))
    classes = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and is_old((node.module or "").removeprefix("artvcs."))
        for alias in node.names
        if alias.name == "Client"
    }
    clients = {
        target.id
        for node in nodes
        if isinstance(node, ast.Assign) and _is_client(node.value, classes, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    components = {
        target.id: node.value.attr
        for node in nodes
        if isinstance(node, ast.Assign) and _is_component(node.value, classes, clients)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in nodes:
        if isinstance(node, ast.If) and any(isinstance(each, ast.Raise) for each in node.body):
            yield from _guarded(node, classes, clients, components)
        if not isinstance(node, ast.Attribute):
            continue
        above = node.value
        if _is_client(above, classes, clients):
            if not hasattr(client.Client, node.attr):
                yield Kind.MISSING, f"Client().{node.attr}", str(node.lineno)
        elif _is_component(above, classes, clients) and node.attr not in dir(NoComponent):
            yield Kind.MISSING, f"Client().active_stack.{above.attr}.{node.attr}", str(node.lineno)


def _is_component(node: ast.AST, classes: set[str], clients: set[str]) -> TypeGuard[ast.Attribute]:
    """Whether a component of a stack is asked for that there is none of here."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr not in _THERE
        and isinstance(stack := node.value, ast.Attribute)
        and stack.attr == "active_stack"
        and _is_client(stack.value, classes, clients)
    )


def _guarded(guard: ast.If, classes: set[str], clients: set[str], components: Mapping[str, str]) -> Iterator[Use]:
    """The components without which a project stops, as it itself says."""
    found = set[str]()
    for node in ast.walk(guard.test):
        if _is_component(node, classes, clients):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and node.id in components:
            found.add(components[node.id])
    for name in sorted(found):
        yield Kind.MISSING, f"a check that stops without Client().active_stack.{name}", str(guard.lineno)


def _is_client(node: ast.AST, classes: set[str], clients: set[str]) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in classes
    return isinstance(node, ast.Name) and node.id in clients


def what_is(module: str, name: str) -> Kind | None:
    """What becomes of a name of ZenML's; None where it has its meaning."""
    try:
        found: Any = import_module(module)
        found = found if name == "*" else getattr(found, name)
    except (ImportError, AttributeError):
        return Kind.UNKNOWN
    if is_absent(found):
        return Kind.MISSING
    if isinstance(found, type) and issubclass(found, Said):
        return Kind.PASSED_OVER
    return Kind.PASSED_OVER if getattr(found, "__name__", "") == name and _is_stand_in(found) else None


def _is_stand_in(found: Any) -> bool:
    code: Mapping[str, Any] | Any = getattr(found, "__code__", None)
    return code is not None and getattr(code, "co_name", "") == "skipped"
