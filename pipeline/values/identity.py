"""The identity of any live value: one hash, the same in every process that holds an equal value.

What a materializer stores is hashed as it is stored; everything else as pickle would take it apart, but without what
a pickle depends on by chance: the order of sets, what is shared, what was interned. Code is not hashed here: whoever
asks is told which functions and classes a value holds, and says by what name they are known.
"""

from __future__ import annotations

import contextlib
import copyreg
import os
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from blake3 import blake3

from ..errors import MaterializerError
from . import materializers
from .calls import calls_of
from .folder import Folder
from .parts import Unhashable, attributes_of, is_made_by_hand, parts_of

Refer = Callable[[Any], str]
"""Told a function or class that a value holds; says by what name it is known."""

_SCALARS = frozenset({int, str, float, bool, type(None), complex, bytes})
_PATHS = frozenset({type(Path()), type(PurePath())})
_PRINTED: tuple[type, ...] = (int, float, bool, type(None), complex, bytes, bytearray, range)
_PRINTED += (types.EllipsisType, types.NotImplementedType)
_ROUTINES: tuple[type, ...] = (types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)
_ROUTINES += (types.MethodWrapperType, types.ClassMethodDescriptorType, types.GetSetDescriptorType)
_ROUTINES += (types.MemberDescriptorType,)
_TAKEN_APART = frozenset({"artvcs.pickle", "artvcs.record", "artvcs.enum", "artvcs.pydantic", "artvcs.sklearn"})
"""Materializers of values that are better taken apart: what they hold may be code, or anything."""

_MOST_CALLS = 1000
"""So many results of a cached function are looked at."""


class Identifier:
    """Hashes values, each as a whole.

    Args:
        refer: Told each function and class that is met.
        is_own: Whether a class is the user's.
        project: The project's folder: a path in it, as text or not, is known by where it is in it.
    """

    def __init__(self, refer: Refer, is_own: Callable[[type], bool], project: str) -> None:
        self._refer = refer
        self._is_own = is_own
        self._roots = tuple(
            dict.fromkeys(path.rstrip(os.sep) + os.sep for path in (project, os.path.realpath(project)))
        )

    def identify(self, value: Any) -> str:
        """The identity of a value, in hex.

        Raises:
            Unhashable: It holds something that has none, as an open socket.
        """
        walk = _Walk(self._refer, self._is_own, self._roots)
        try:
            walk.value(value)
        except RecursionError:
            raise Unhashable("a value that is nested too deeply") from None
        except Unhashable:
            raise
        except Exception:  # the value's own code
            raise Unhashable(_named(type(value))) from None
        return walk.digest()

    def remembered(self, function: Any) -> dict[str, str]:
        """What a function under `functools.lru_cache` remembers: identities of arguments → of what it returned.

        Raises:
            Unhashable: It remembers too much, or something that has no identity.
        """
        found: dict[str, str] = {}
        info, calls = function.cache_info(), calls_of(function)
        if info.currsize > _MOST_CALLS or len(calls) != info.currsize:
            raise Unhashable("a cached function that remembers too much to compare")
        for arguments, keywords in calls:
            # What is remembered is returned without a call.
            found[self.identify((arguments, keywords))] = self.identify(function(*arguments, **keywords))
        return found


class _Walk:
    """One value taken apart. `_seen` numbers the objects met, for those that hold themselves."""

    def __init__(
        self,
        refer: Refer,
        is_own: Callable[[type], bool],
        roots: tuple[str, ...],
        seen: dict[int, tuple[int, Any]] | None = None,
    ) -> None:
        self._refer = refer
        self._is_own = is_own
        self._roots = roots
        self._hasher = blake3()
        self._seen: dict[int, tuple[int, Any]] = {} if seen is None else seen
        self._open: set[int] = set()

    def digest(self) -> str:
        return self._hasher.hexdigest()

    def token(self, kind: str, text: str | bytes = b"") -> None:
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        self._hasher.update(f"{kind} {len(data)}\n".encode())
        self._hasher.update(data)

    def value(self, value: Any) -> None:
        cls = type(value)
        if cls is str or cls in _PATHS:
            self._text(cls.__name__, str(value))
        elif cls in _PRINTED:
            self.token(cls.__name__, repr(value))
        elif issubclass(cls, types.ModuleType) and not is_made_by_hand(value):
            self.token("module", str(vars(value).get("__name__")))
        elif issubclass(cls, type):
            self.token("code", self._refer(value))
        elif issubclass(cls, _ROUTINES):
            self._routine(value)
        else:
            self._once(value)

    def _text(self, kind: str, text: str) -> None:
        if self._is_placed(text):
            root = next(each for each in self._roots if f"{text}{os.sep}".startswith(each))
            self.token(f"{kind} in the project", text[len(root) :])
        else:
            self.token(kind, text)

    def _is_placed(self, value: Any) -> bool:
        """Whether this is a text that tells the path of the project, or of something in it."""
        return type(value) is str and (value.startswith(self._roots) or f"{value}{os.sep}" in self._roots)

    def _once(self, value: Any) -> None:
        """An object that may hold others, and so itself."""
        if id(value) in self._open:
            self.token("again", str(self._seen[id(value)][0]))
            return
        self._seen[id(value)] = (len(self._seen), value)
        self._open.add(id(value))
        self._parts(value)
        self._open.discard(id(value))

    def _parts(self, value: Any) -> None:
        cls = type(value)
        if cls is types.FunctionType:
            self._function(value)
        elif cls in (list, tuple):
            self._items(cls.__name__, value)
        elif cls is dict or cls is types.MappingProxyType:
            held = value.copy()  # at once: other threads may change it
            self._items("dict", held)
            self._items("values", held.values())
        elif cls in (set, frozenset):
            self._unordered(cls.__name__, value)
        elif issubclass(cls, threading.local):
            self.value(cls)
            self._as_far_as_known(vars(value).copy())  # where threads keep what they have open, each for itself
        elif (parts := parts_of(value)) is not None:
            self._all(*parts)
        elif not self._array(value) and not self._stored(value):
            self._reduced(value)

    # Containers

    def _items(self, kind: str, items: Iterable[Any]) -> None:
        try:
            listed = list(items)
        except RecursionError:
            raise
        except RuntimeError:  # of what is not copied at once: a deque, or a subclass of dict
            raise Unhashable("a value that another thread changed while it was looked at") from None
        kinds = set(map(type, listed))
        if kinds <= _SCALARS and not (str in kinds and any(map(self._is_placed, listed))):
            self.token(f"plain {kind}", repr(listed))
            return
        self.token(kind, str(len(listed)))
        for item in listed:
            self.value(item)

    def _unordered(self, kind: str, items: Iterable[Any]) -> None:
        digests = []
        for item in list(items):
            inner = self._inner()
            inner.value(item)
            digests.append(inner.digest())
        self.token(kind, " ".join(sorted(digests)))

    def _inner(self) -> _Walk:
        """A walk within this one, with a hash of its own."""
        inner = _Walk(self._refer, self._is_own, self._roots, self._seen)
        inner._open = self._open
        return inner

    def _all(self, kind: str, *parts: Any) -> None:
        self.token(kind)
        for part in parts:
            self.value(part)

    # Code

    def _function(self, function: types.FunctionType) -> None:
        self.token("code", self._refer(function))
        held = held_by(function)
        self._items("names", held)
        self._items("held", held.values())

    def _routine(self, value: Any) -> None:
        owner = getattr(value, "__self__", None)
        name = getattr(value, "__qualname__", None) or value.__name__
        self.token("routine", f"{getattr(value, '__module__', None) or ''} {name}")
        if owner is not None and not isinstance(owner, types.ModuleType):
            self.value(owner)  # a method of a list, or of another object

    # Anything else

    def _array(self, value: Any) -> bool:
        """A numpy array of numbers, at the speed of its bytes."""
        numpy = sys.modules.get("numpy")
        if numpy is None or type(value) is not numpy.ndarray or value.dtype.hasobject:
            return False
        flags = value.flags
        order = "C" if flags.c_contiguous else "F" if flags.f_contiguous else value.strides
        self.token("array", f"{value.dtype.descr} {value.shape} {order} {flags.writeable}")
        self._hasher.update(
            memoryview(numpy.ascontiguousarray(value).reshape(-1).view(numpy.uint8)) if value.size else b""
        )
        return True

    def _stored(self, value: Any) -> bool:
        """A value of another library as its materializer stores it: equal ones are equal there, as frames are."""
        cls = type(value)
        if cls.__module__.partition(".")[0] in sys.stdlib_module_names:
            return False
        found = materializers.find_for_value(value)
        if not materializers.is_builtin(found) or found.NAME in _TAKEN_APART:
            return False
        self.value(cls)
        with contextlib.ExitStack() as stack:
            writer = found(Folder(lambda: Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="artvcs-")))))
            try:
                writer.save(value)
            except (MaterializerError, OSError):
                return False
            self.token("stored", f"{found.NAME}/{found.VERSION}")
            for name, content in _files_of(writer.folder):
                self.token("file", name)
                self.token("content", content)
        self._left_out(value, None)
        return True

    def _reduced(self, value: Any) -> None:
        """An object as pickle takes it apart: what makes it, from what, and what it holds then."""
        cls = type(value)
        try:
            reduce = copyreg.dispatch_table.get(cls)
            taken = reduce(value) if reduce is not None else value.__reduce_ex__(4)
        except Exception:  # the object's own code, or that of a library that cannot
            raise Unhashable(_named(cls)) from None
        if isinstance(taken, str):
            self.token("global", f"{cls.__module__}.{taken}")
            return
        maker, arguments, *rest = taken
        state, listed, mapped = (*rest[:3], None, None, None)[:3]
        self._all("object", cls, maker, arguments, state)
        for kind, items in (("listed", listed), ("mapped", mapped)):
            if items is not None:
                self._items(kind, items)
        self._left_out(value, state)

    def _left_out(self, value: Any, state: Any) -> None:
        """Attributes of an object of the user's that its own way of being stored leaves out.

        Those that have no identity do not count: they are left out because nobody can store them.
        """
        if self._is_own(type(value)):
            self._as_far_as_known(attributes_of(value, state, self._is_own))

    def _as_far_as_known(self, held: Mapping[str, Any]) -> None:
        """What is held by name, without what has no identity."""
        for name, each in sorted(held.items()):
            inner = self._inner()
            with contextlib.suppress(Unhashable):
                inner.value(each)
                self.token(f"held {name}", inner.digest())


def _files_of(folder: Folder) -> Iterator[tuple[str, bytes]]:
    """The files below a folder, each with the hash of its content."""
    if (held := folder.held) is not None:
        yield from ((name, blake3(held[name]).digest()) for name in sorted(held))
        return
    for file in sorted(path for path in folder.path.rglob("*") if path.is_file()):
        yield file.relative_to(folder.path).as_posix(), blake3().update_mmap(file).digest()


def held_by(function: types.FunctionType) -> dict[str, Any]:
    """What a function holds beside its code: its closure, its defaults and its attributes, by name."""
    held: dict[str, Any] = {}
    if "dispatch" in vars(function) and isinstance(vars(function).get("registry"), types.MappingProxyType):
        # As functools.singledispatch makes them: the rest is a cache.
        return {"registry": vars(function)["registry"], "wrapped": vars(function).get("__wrapped__")}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            held[f"[{name}]"] = cell.cell_contents
        except ValueError:  # not bound yet, as while the function around it still runs
            continue
    code, given = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    held.update((f"[{name}=]", value) for name, value in zip(names[len(names) - len(given) :], given, strict=True))
    held.update((f"[{name}=]", value) for name, value in (function.__kwdefaults__ or {}).items())
    held.update((f".{name}", value) for name, value in vars(function).copy().items() if name != "__wrapped__")
    return held


def _named(cls: type) -> str:
    return f"a value of type {cls.__module__}.{cls.__qualname__}"
