"""Whether code in memory is what its file says now: the key is made of the file, the result of what runs.

The file is compiled and code objects are compared without their places, so that an edited comment makes no difference.
"""

from __future__ import annotations

import types
import weakref
from importlib.machinery import SourceFileLoader
from typing import Any

from ..project.module import Module
from .functions import describe_code

_compiled: weakref.WeakKeyDictionary[Module, dict[str, list[object]]] = weakref.WeakKeyDictionary()
_verdicts: dict[int, tuple[types.CodeType, Module, bool]] = {}
_MANY = 100_000


def is_as_written(module: Module, code: types.CodeType) -> bool:
    """Whether a code object is one that the text of a module compiles to."""
    known = _verdicts.get(id(code))
    if known is not None and known[0] is code and known[1] is module:
        return known[2]
    verdict = describe_code(code) in _compile(module).get(code.co_qualname, ())
    if len(_verdicts) > _MANY:
        _verdicts.clear()
    _verdicts[id(code)] = (code, module, verdict)
    return verdict


def is_compiled_plainly(namespace: Any) -> bool:
    """Whether a module was loaded as it is written; test tools and type checkers change what they load."""
    loader = namespace.get("__loader__")
    return loader is None or type(loader) is SourceFileLoader or namespace.get("__name__") == "__main__"


def _compile(module: Module) -> dict[str, list[object]]:
    known = _compiled.get(module)
    if known is None:
        known = _compiled[module] = {}
        try:
            todo = [compile(module.text, module.path, "exec", dont_inherit=True)]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            todo = []
        while todo:
            code = todo.pop()
            known.setdefault(code.co_qualname, []).append(describe_code(code))
            todo.extend(each for each in code.co_consts if isinstance(each, types.CodeType))
    return known
