"""What code looks at: nearly all code is blind to how code is written, but some of it reads names, places, type hints.

Where any code that is reached can see something, that counts everywhere. Each question is answered for the worse.
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from ..project.leads import Name
from ..project.locate import TOOL
from ..project.module import Module
from ..project.units import Piece
from ..syntax.expressions import CALLERS_NAMES, CLASS_OF, FRAMES, STORING
from ..syntax.nodes import chain
from ..syntax.summary import Summary
from .traversal import Node, Traversal

_CODE_MENTIONS = frozenset(
    {"__builtins__", "__closure__", "__code__", "__dict__", "__file__", "__globals__", "__loader__", "__module__"}
    | {"__package__", "__path__", "__spec__", "__traceback__", *FRAMES}
)
_CODE_BUILTINS = frozenset(
    {"NameError", "UnboundLocalError", "breakpoint", "compile", "delattr", "dir", "eval", "exec", "globals", "locals"}
    | {"setattr", "vars", "__builtins__"}
)
_CODE_MODULES = frozenset(
    {"bdb", "code", "dis", "doctest", "gc", "inspect", "linecache", "pdb", "pydoc", "runpy", "symtable", "trace"}
    | {"mock", "pytest", "traceback", "unittest"}  # those that put something in a name's place are among them
    | {"bambi", "duckdb", "executing", "fire", "formulaic", "icecream", "lifelines", "linearmodels", "numexpr"}
    | {"pandasql", "patsy", "plotnine", "sorcery", "statsmodels", "varname"}  # these look up names in their callers
)
_CODE_NAMES = {
    "builtins": set(_CODE_BUILTINS),
    "importlib": {"reload"},
    "polars": {"SQLContext", "sql"},
    "sys": {"_current_frames", "_getframe", "_getframemodulename", "exc_info", "modules", "setprofile", "settrace"},
}
_HINT_MENTIONS = frozenset({"__annotate__", "__annotations__", "__type_params__"})
_HINT_MODULES = frozenset({"annotationlib", "beartype", "jaxtyping", "typeguard", "typing_inspect"})
_HINT_NAMES = {"typing": {"get_type_hints"}, "typing_extensions": {"get_type_hints", "get_annotations"}}
_BLIND = frozenset({"keras", "lightning", "numpy", "pandas", "pytorch_lightning", "scipy", "sklearn", "torch"})
"""Packages whose classes read no docstrings of those below them."""
LOGGING = frozenset(
    {"critical", "debug", "error", "exception", "info", "isEnabledFor", "log", "setLevel", "warn", "warning"}
)
"""Methods of a logger, after which nobody knows its name but who reads the log."""
_CLASS_MENTIONS = frozenset(
    {"mro", "__base__", "__bases__", "__class__", "__mro__", "__reduce__", "__reduce_ex__", "__subclasses__"}
    | {"__thisclass__", CLASS_OF, *STORING}
)
_CLASS_MODULES = frozenset(
    {"cloudpickle", "copyreg", "dill", "joblib", "jsonpickle", "marshal", "pickle", "shelve", "torch", "yaml"}
)
_CLASS_NAMES = {"artvcs": {"log_metadata", "register_artifact", "save_artifact"}}


def at_code(traversal: Traversal) -> bool:
    """Whether code may see names of local variables, of modules or of imports, or put something else in their place."""
    return (
        not _CODE_MENTIONS.isdisjoint(traversal.mentions)
        or not _CODE_BUILTINS.isdisjoint(traversal.builtins)
        or _uses(traversal, _CODE_MODULES, _CODE_NAMES)
        or traversal.has_modules  # whoever has a module can do anything to it
        or any(target.module for module, ref in traversal.sets for target in traversal.leads.of(module, ref))
    )


def at_anything(traversal: Traversal) -> bool:
    """Whether code may see names or type hints."""
    return (
        at_code(traversal)
        or not _HINT_MENTIONS.isdisjoint(traversal.mentions)
        or _uses(traversal, _HINT_MODULES, _HINT_NAMES)
    )


def at_classes(traversal: Traversal) -> bool:
    """Whether code may tell or write down in which module a class or function is."""
    return (
        at_anything(traversal)
        or not _CLASS_MENTIONS.isdisjoint(traversal.mentions)
        or _uses(traversal, _CLASS_MODULES, _CLASS_NAMES)
    )


def at_callers(summary: Summary) -> bool:
    """Whether code calls what may look up the names of its caller's local variables, or a method that nobody knows."""
    return not CALLERS_NAMES.isdisjoint(summary.mentions) or any("getattr" in what for what, _ in summary.dynamic)


def at_docstring(traversal: Traversal, module: Module, piece: Piece) -> bool:
    """Whether a definition is handed to somebody who may read its docstring: a decorator, or a package's class."""

    def leads_to_package(name: str | None, but: Collection[str] = ()) -> bool:
        bindings = module.bindings.get((name or "").partition(".")[0], ())
        targets = [binding.imported for binding in bindings if binding.imported is not None]
        located = [traversal.resolver.locate(module, target) for target in targets]
        return any(each.kind == "package" and each.top != TOOL and each.top not in but for each in located)

    if any(leads_to_package(each.name) for each in piece.decorators):
        return True
    bases = piece.node.bases if isinstance(piece.node, ast.ClassDef) and "." not in piece.qualname else []
    return any(leads_to_package(chain(base), but=_BLIND) for base in bases)


def held(traversal: Traversal) -> set[Name]:
    """The names of what somebody gets hold of, and does not only call."""
    found = (target for module, ref in traversal.handed for target in traversal.leads.of(module, ref))
    return traversal.held | {target.own for target in found if target.own is not None and not target.said}


def placed(traversal: Traversal) -> set[Name]:
    """The names of classes, and of functions that are written down, of which somebody may see where they are."""
    classes = {name: found for name, node in traversal.nodes.items() if (found := node.module.classes.get(node.name))}
    told = at_classes(traversal)
    if not classes and not told:
        return set()
    known = held(traversal)
    if told:
        return classes.keys() | (known & traversal.nodes.keys())
    if _shows(traversal):
        known = known | {name for name, found in classes.items() if any(map(_is_shown_with_its_place, found))}
    return {
        name
        for name, found in classes.items()
        if name in known or any(_is_given(traversal, traversal.nodes[name], each) for each in found)
    }


def loggers(traversal: Traversal) -> set[Name]:
    """The names that are bound to `logging.getLogger(__name__)`, and to nothing else."""
    return {
        name
        for name, node in traversal.nodes.items()
        if (made_by := node.module.loggers.get(node.name)) is not None
        and [target.said for target in traversal.leads.of(node.module, made_by)] == ["stdlib logging.getLogger"]
    }


def _shows(traversal: Traversal) -> bool:
    """Whether code asks for the text of values, or has others ask for it."""
    handed = {ref for _, ref in traversal.handed if isinstance(ref, str)}
    return "repr" in traversal.builtins or not handed.isdisjoint({"ascii", "format", "repr", "str"})


def _is_shown_with_its_place(cls: ast.ClassDef) -> bool:
    """Whether the text of a class's values says in which module it is: it has no way to say it of its own."""
    if cls.decorator_list or any(chain(base) != "object" for base in cls.bases):
        return False
    return not any(getattr(each, "name", "") in ("__repr__", "__str__", "__format__") for each in cls.body)


def _is_given(traversal: Traversal, node: Node, cls: ast.ClassDef) -> bool:
    """Whether a class is given to the user's code as it is made: to a decorator, or a metaclass."""
    names = [chain(each.func if isinstance(each, ast.Call) else each) for each in cls.decorator_list]
    targets = (target for name in names if name is not None for target in traversal.leads.of(node.module, name))
    return bool(cls.keywords) or None in names or any(target.own is not None for target in targets)


def _uses(traversal: Traversal, modules: Collection[str], names: dict[str, set[str]]) -> bool:
    return any(_is_one(dotted, rest, modules, names) for dotted, rest in traversal.foreign)


def _is_one(dotted: str, rest: str, modules: Collection[str], names: dict[str, set[str]]) -> bool:
    top, _, inner = dotted.partition(".")
    if top in modules:
        return True
    found = names.get(top)
    return found is not None and not found.isdisjoint([*inner.split("."), *rest.split(".")])
