"""The file that runs a pipeline, on machines that are to know what it defines and not to do again what it does.

Its imports, functions and classes are executed there; its variables have the values that they have here. What it calls
for an effect is not called again, but for what sets random numbers or options of libraries.
"""

from __future__ import annotations

import ast
import contextlib
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import Any

from .....fingerprint import is_main_test
from ... import spelling
from ...spelling import Known

_MOST = 8 << 20
"""Bytes of one variable that travel; more is data, which a step takes as an input."""

_SETTING = frozenset({
    "basicConfig", "filterwarnings", "manual_seed", "register_matplotlib_converters", "seed", "setLevel", "set_option",
    "set_options", "set_printoptions", "set_seed", "set_theme", "seterr", "setlocale", "setrecursionlimit",
    "simplefilter", "use", "use_deterministic_algorithms",
})  # fmt: skip
"""What functions are called that set something which later code in the process depends on."""

_MAKING = frozenset({
    "Enum", "Flag", "IntEnum", "NamedTuple", "NewType", "ParamSpec", "StrEnum", "TypeVar", "TypedDict",
    "make_dataclass", "namedtuple", "partial",
})  # fmt: skip
"""What makes a class or the like of which a pickle holds no more than the name."""


def defined(file: str) -> frozenset[str]:
    """The names of functions and classes that a program defines, and of what it imports."""
    return frozenset(_named(_parsed(file).body))


def _named(statements: Iterable[ast.stmt]) -> Iterator[str]:
    for each in statements:
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.asname or alias.name).partition(".")[0] for alias in names)
            case ast.If(body=body, orelse=orelse) if _defines(each):
                yield from _named([*body, *orelse])
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody) if _defines(each):
                yield from _named([*body, *(one for handler in handlers for one in handler.body), *orelse, *finalbody])


def variables(module: types.ModuleType, file: str, known: Known) -> dict[str, bytes]:
    """The values of a program's variables, as far as they travel."""
    found = dict[str, bytes]()
    for name in names(module, file, known):
        found |= _spelt(name, vars(module)[name], known)
    return found


def names(module: types.ModuleType, file: str, known: Known) -> Iterator[str]:
    """The variables of a program whose values are to travel."""
    tree = _parsed(file)
    there, imported = frozenset(_named(tree.body)), _imported(tree)
    for name in sorted(_mentioned(tree) & vars(module).keys()):
        value = vars(module)[name]
        if isinstance(value, types.ModuleType) or _is_of_python(name) or name in imported:
            continue
        if name in there and (known.name(value) is not None or isinstance(value, (types.FunctionType, type))):
            continue  # it is defined there, or imported
        yield name


def _imported(tree: ast.Module) -> set[str]:
    """The names that a program imports and never binds itself: they are what is imported there."""
    imports = (each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom))
    names = {alias.asname or alias.name for each in imports for alias in each.names}
    return names - {name for statement in tree.body for name in _bound(statement)}


def typed(module: types.ModuleType, cells: Iterable[str], known: Known) -> dict[str, bytes]:
    """As `variables`, of a program that was typed, as in a notebook: what it defines and imports is a value, too."""
    found, mentioned = dict[str, bytes](), set[str]()
    for cell in cells:
        with contextlib.suppress(SyntaxError):  # as of a cell that calls a magic
            tree = ast.parse(cell)
            mentioned |= _mentioned(tree) | set(_named(tree.body))
    for name in sorted(mentioned & vars(module).keys()):
        if not _is_of_python(name):
            found |= _spelt(name, vars(module)[name], known)
    return found


def _is_of_python(name: str) -> bool:
    """Whether a variable is one that each module has, as `__file__`: it says what is so there."""
    return name.startswith("__") and name.endswith("__")


def _spelt(name: str, value: Any, known: Known) -> dict[str, bytes]:
    """A variable and its value; nothing where that does not travel."""
    if _is_large(value):
        return {}
    try:
        spelt = spelling.spell(value, known)
    except Exception:  # its own code: what uses it says that it is not there
        return {}
    return {name: spelt} if len(spelt) <= _MOST else {}


def define(module: types.ModuleType, file: str, values: Mapping[str, bytes], known: Known) -> None:
    """Executes what a program defines in a module, and gives its variables the values that they have elsewhere."""
    namespace, tree = vars(module), _parsed(file)
    tree.body = [each for statement in tree.body for each in _kept(statement, values.keys())]
    namespace[_VALUE] = value = cache(lambda name: spelling.read(values[name], known))
    try:
        # As a whole: how a call is compiled depends on whether the file has imported what it is made on.
        exec(compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True), namespace)
        for name in values:
            namespace[name] = value(name)
    finally:
        del namespace[_VALUE]


def set_variables(module: types.ModuleType, values: Mapping[str, bytes], known: Known) -> None:
    """Gives variables of a module the values that they have elsewhere, where these are others."""
    namespace = vars(module)
    for name, spelt in values.items():
        try:
            is_same = name in namespace and spelling.spell(namespace[name], known) == spelt
        except Exception:  # its own code
            is_same = False
        if not is_same:
            namespace[name] = spelling.read(spelt, known)


_VALUE = "artvcs value"
"""What gives a variable its value: a name that no program can have."""


def _kept(statement: ast.stmt, known: AbstractSet[str]) -> Iterator[ast.stmt]:
    """What is executed in the place of a statement."""
    names = list(dict.fromkeys(_bound(statement)))
    if names and known >= set(names):
        for name in names:
            value = ast.Call(ast.Name(_VALUE, ast.Load()), [ast.Constant(name)], [])
            yield ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), statement)
    elif _defines(statement):
        yield statement


def _parsed(file: str) -> ast.Module:
    return ast.parse(Path(file).read_bytes(), file)


def _defines(statement: ast.stmt) -> bool:
    """Whether a statement is executed to know what a program defines."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return True
        case ast.Expr(value=ast.Call(func=called)):
            return _last_name(called) in _SETTING or _is_search_path(called)
        case ast.Expr():
            return False
        case ast.If(test=test) if is_main_test(test):
            return False
        case ast.If(body=body, orelse=orelse):
            return all(map(_defines, [*body, *orelse]))
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            inner = [each for handler in handlers for each in handler.body]
            return all(map(_is_harmless, [*body, *inner, *orelse, *finalbody]))
        case ast.Assign(value=value) | ast.AnnAssign(value=value) if value is not None:
            return _is_made_anew(value)
    return type(statement).__name__ == "TypeAlias"  # which Python 3.11 does not know


def _is_harmless(statement: ast.stmt) -> bool:
    return _defines(statement) or isinstance(statement, ast.Pass | ast.Raise)


def _is_made_anew(value: ast.expr) -> bool:
    """Whether what a variable is given does nothing but make a value: then it can be made where none has come."""
    if isinstance(value, ast.Call):
        return _last_name(value.func) in _MAKING
    return not any(isinstance(each, ast.Call | ast.Await) for each in ast.walk(value)) or isinstance(value, ast.Lambda)


def _is_search_path(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and ast.unparse(called.value) == "sys.path"


def _last_name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds which are variables."""
    match statement:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name) and _stores(each))
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
            yield name


def _stores(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _mentioned(tree: ast.Module) -> set[str]:
    """The names that a program mentions."""
    return {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}


def _is_large(value: Any) -> bool:
    """Whether it is seen without pickling it that a value is too much."""
    try:
        return max(sys.getsizeof(value, 0), int(getattr(value, "nbytes", 0))) > _MOST
    except Exception:  # its own code
        return False
