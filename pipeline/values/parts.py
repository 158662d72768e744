"""What live objects are made of that pickle refuses, or takes apart into something that code does not read of them."""

from __future__ import annotations

import contextvars
import functools
import gc
import io
import logging
import queue
import random
import struct
import sys
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

_PASSING: tuple[type, ...] = (threading.Thread, threading.Condition)
_PASSING += (type(threading.Lock()), type(threading.RLock()), logging.Logger, logging.Handler)
_PASSING += (type(contextvars.copy_context()), random.SystemRandom)
"""What organises a process and says nothing of what a step computes."""
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_HEAP_TYPE = 1 << 9
"""The flag of a class that was made by a `class` statement. Source: CPython, `Include/object.h`."""


class Unhashable(Exception):
    """A value that has no identity; the text says what it is, in words."""


def parts_of(value: Any) -> tuple[Any, ...] | None:
    """What kind of object this is, and what it says by; None for those that pickle takes apart.

    Raises:
        Unhashable: Something is in it that cannot be looked at.
    """
    cls: Any = type(value)
    if issubclass(cls, threading.Semaphore):
        return cls.__name__, value._value
    if issubclass(cls, threading.Barrier):
        return cls.__name__, value.parties
    if issubclass(cls, _PASSING):
        return "passing", cls.__name__
    return _code_of(value) or _organising(value) or _closed(value)


def _code_of(value: Any) -> tuple[Any, ...] | None:
    """Objects that stand for code: methods, modules, what artvcs makes of functions and holds for them."""
    cls: Any = type(value)
    if issubclass(cls, types.MethodType):
        return "method", value.__func__, value.__self__
    if issubclass(cls, staticmethod | classmethod):
        return cls.__name__, value.__func__
    if issubclass(cls, property):
        return "property", value.fget, value.fset, value.fdel
    if issubclass(cls, functools._lru_cache_wrapper):
        return "cached", value.__wrapped__  # what it remembers is what the function would return
    if cls.__name__ == "ufunc":  # one of `numpy.frompyfunc` holds the function, and tells nobody
        return "ufunc", value.__name__, [each for each in gc.get_referents(value) if callable(each)]
    if issubclass(cls, types.CodeType):
        return "code object", value.co_code, value.co_consts, value.co_names, value.co_varnames, value.co_qualname
    if issubclass(cls, types.ModuleType):
        return "module", value.__name__, {name: each for name, each in vars(value).copy().items() if name[:2] != "__"}
    if issubclass(cls, types.CellType):
        return "cell", *gc.get_referents(value)
    known = getattr(cls, "__cache_identity__", None) if cls.__module__.startswith("artvcs.") else None
    return None if known is None else (cls.__qualname__, known(value))


def _organising(value: Any) -> tuple[Any, ...] | None:
    """What threads and callers share: references, queues, variables."""
    cls: Any = type(value)
    if issubclass(cls, contextvars.ContextVar):
        return "variable", value.name, value.get(None)
    if issubclass(cls, weakref.ref):
        return "weak", value()
    if issubclass(cls, weakref.WeakSet):
        return "weak set", set(value)
    if issubclass(cls, weakref.WeakKeyDictionary | weakref.WeakValueDictionary):
        return cls.__qualname__, dict(value)
    if issubclass(cls, threading.Event):
        return "event", value.is_set()
    if issubclass(cls, queue.Queue):
        return "queue", cls, value.maxsize, list(value.queue)
    if issubclass(cls, queue.SimpleQueue):
        if not value.empty():
            raise Unhashable(f"a value of type {cls.__module__}.{cls.__qualname__} with something in it")
        return ("empty queue",)
    return None


def _closed(value: Any) -> tuple[Any, ...] | None:
    """Objects of the interpreter and its library that say what they hold, and not to pickle."""
    cls: Any = type(value)
    if issubclass(cls, _VIEWS):
        return cls.__name__, list(value)
    if issubclass(cls, slice):
        return "slice", value.start, value.stop, value.step
    if issubclass(cls, memoryview):
        return "memory", value.format, value.shape, value.tobytes()
    if issubclass(cls, struct.Struct):
        return "struct", value.format
    if cls.__module__ in ("_hashlib", "_blake2", "_md5", "_sha1", "_sha2", "_sha3") and hasattr(value, "hexdigest"):
        return cls.__name__, value.name, value.copy().digest()
    if (cls.__module__, cls.__name__) == ("_json", "Scanner"):
        parsing = value.parse_float, value.parse_int, value.parse_constant
        return "scanner", value.strict, value.object_hook, value.object_pairs_hook, *parsing
    if any(value is each for each in (sys.stdin, sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)):
        return ("stream",)
    if issubclass(cls, io.IOBase) and cls.__module__ == "_io" and value.closed:
        return ("closed",)  # nothing can be read from it any more
    return None


def is_made_by_hand(module: types.ModuleType) -> bool:
    """Whether a module was made or loaded by code, and not imported by its name: what is in it nobody else tells."""
    told = vars(module)
    if told.get("__name__") == "__main__":
        return False
    return (told.get("__spec__") is None and told.get("__file__") is None) or (
        sys.modules.get(str(told.get("__name__"))) is not module
    )


def attributes_of(value: Any, state: Any, is_own: Callable[[type], bool]) -> dict[str, Any]:
    """What an object holds by name and does not tell when it is stored.

    Args:
        value: The object.
        state: What it tells, as `__reduce_ex__` returns it.
        is_own: Whether a class is the user's; what classes of others call private is their business.
    """
    dictionary = getattr(value, "__dict__", None)
    held = dict(dictionary) if type(dictionary) is dict else {}
    for base in filter(is_own, type(value).__mro__):
        slots = [name for name, each in vars(base).copy().items() if type(each) is types.MemberDescriptorType]
        held.update((name, getattr(value, name)) for name in slots if hasattr(value, name))
    told = set[str]()
    for each in state if type(state) is tuple else (state,):
        told.update(each if type(each) is dict else ())
    private = any(base.__flags__ & _HEAP_TYPE and not is_own(base) for base in type(value).__mro__)
    return {
        name: each for name, each in sorted(held.items()) if name not in told and not (private and name.startswith("_"))
    }
