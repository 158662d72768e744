"""What code looks at: nearly all code is blind to how code is written, but some of it reads names, places, type hints.

Where any code that is reached can see something, that counts everywhere. Each question is answered for the worse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .expressions import CALLERS_NAMES, CLASS_OF, FRAMES, STORING

_CODE_MENTIONS = FRAMES | {
    *("__builtins__", "__closure__", "__code__", "__dict__", "__file__", "__globals__", "__loader__", "__module__"),
    *("__package__", "__path__", "__spec__"),
}
_CODE_BUILTINS = frozenset(
    {"NameError", "UnboundLocalError", "breakpoint", "compile", "delattr", "dir", "eval", "exec", "globals", "locals"}
    | {"setattr", "vars", "__builtins__"}
)
_CODE_MODULES = frozenset(
    {"bdb", "code", "dis", "gc", "inspect", "linecache", "pdb", "runpy", "symtable", "trace", "traceback"}
    | {"unittest", "mock", "pytest"}  # Python's, and those that put something in a name's place
    | {"bambi", "duckdb", "executing", "formulaic", "icecream", "lifelines", "linearmodels", "numexpr", "pandasql"}
    | {"patsy", "plotnine", "sorcery", "statsmodels", "varname"}  # those that look up names in their callers
)
_CODE_NAMES = {
    "importlib": {"reload"},
    "polars": {"SQLContext", "sql"},
    "sys": {"_current_frames", "_getframe", "_getframemodulename", "exc_info", "modules", "setprofile", "settrace"},
}
_HINT_MENTIONS = frozenset({"__annotate__", "__annotations__", "__type_params__"})
_HINT_MODULES = frozenset({"annotationlib", "beartype", "jaxtyping", "typeguard", "typing_inspect"})
_HINT_NAMES = {"typing": {"get_type_hints"}, "typing_extensions": {"get_type_hints", "get_annotations"}}
_CLASS_MENTIONS = STORING | {CLASS_OF, "__class__"}
_CLASS_MODULES = frozenset(
    {"cloudpickle", "copyreg", "dill", "joblib", "jsonpickle", "marshal", "pickle", "shelve", "torch", "yaml"}
)
_CLASS_NAMES = {"artvcs": {"log_metadata", "register_artifact", "save_artifact"}}

Foreign = Iterable[tuple[str, str]]
"""Names that are used of packages: a module, and the attributes read from it."""


def at_code(mentions: Collection[str], foreign: Foreign, builtins: Collection[str]) -> bool:
    """Whether code may see the names of local variables, of modules or of imports, or put others in their place."""
    return (
        not _CODE_MENTIONS.isdisjoint(mentions)
        or not _CODE_BUILTINS.isdisjoint(builtins)
        or any(
            _is_one(dotted, rest, _CODE_MODULES, _CODE_NAMES) or (dotted == "builtins" and rest in _CODE_BUILTINS)
            for dotted, rest in foreign
        )
    )


def at_hints(mentions: Collection[str], foreign: Foreign) -> bool:
    """Whether code may read type hints."""
    return not _HINT_MENTIONS.isdisjoint(mentions) or any(
        _is_one(dotted, rest, _HINT_MODULES, _HINT_NAMES) for dotted, rest in foreign
    )


def at_classes(mentions: Collection[str], foreign: Foreign) -> bool:
    """Whether code may tell or write down in which module a class is."""
    return not _CLASS_MENTIONS.isdisjoint(mentions) or any(
        _is_one(dotted, rest, _CLASS_MODULES, _CLASS_NAMES) for dotted, rest in foreign
    )


def at_callers(mentions: Collection[str]) -> bool:
    """Whether code calls what may look up the names of its caller's local variables."""
    return not CALLERS_NAMES.isdisjoint(mentions)


def _is_one(dotted: str, rest: str, modules: Collection[str], names: dict[str, set[str]]) -> bool:
    top, _, inner = dotted.partition(".")
    if top in modules:
        return True
    found = names.get(top)
    return found is not None and not found.isdisjoint([*inner.split("."), *rest.split(".")])
