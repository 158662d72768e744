"""Pickles whose bytes do not differ from one process to the next.

cloudpickle gives each class of `__main__` or of a function a random id, so that unpickling in the same
process finds the same class. Here the id is a hash of the pickle, which does as well and is always the
same. A class that is found so is also left as it is: cloudpickle would set copies of its methods in it,
and its next pickle would differ.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any

from ..typenames import is_known, tell, type_name
from . import refusals

_NOWHERE = "<stored>"
"""Stands for the files that functions were written in: their paths differ from one machine to the next."""

# Classes that are complete in this process.
_known: weakref.WeakSet[type] = weakref.WeakSet()


def _as_usual(part: Any) -> Any:
    return NotImplemented


def stable_dumps(
    value: Any, reference: Callable[[Any], Any] | None = None, reduce: Callable[[Any], Any] = _as_usual
) -> bytes:
    """Pickles `value` by cloudpickle, without random ids.

    Args:
        value: What to pickle.
        reference: Called with each part; what it returns instead of None stands for the part in the pickle.
        reduce: Called with each object of a class; returns what its `__reduce__` should, or NotImplemented.
    """
    content = _dumps(value, reference, reduce)
    found = sorted(
        (content.find(text.encode()), text, cls) for cls, text in _tracked_classes().items() if text.encode() in content
    )
    blank = content
    for number, (_, text, _) in enumerate(found):
        blank = blank.replace(text.encode(), f"{number:032x}".encode())
    digest = hashlib.blake2b(blank, digest_size=12).hexdigest()
    for number, (_, text, cls) in enumerate(found):
        stable = f"{digest}{number:08x}"  # as long as the id it replaces
        content = content.replace(text.encode(), stable.encode())
        _track(stable, cls)
    return content


def stable_loads(content: bytes, resolve: Callable[[Any], Any] | None = None) -> Any:
    """Unpickles; a class that this process has already is that class, and `resolve` undoes `reference`."""
    unpickler = _Unpickler(io.BytesIO(content))
    if resolve is not None:
        unpickler.persistent_load = resolve  # type: ignore[method-assign]
    return unpickler.load()


def _without_file(reduced: Any) -> Any:
    """How cloudpickle makes a function, less the path of its module's file."""
    if isinstance(reduced, tuple) and isinstance(reduced[1], tuple) and len(reduced[1]) > 1:
        code, module, *rest = reduced[1]
        if isinstance(module, dict):
            kept = {name: value for name, value in module.items() if name != "__file__"}
            return (reduced[0], (code, kept, *rest), *reduced[2:])
    return reduced


def _dumps(value: Any, reference: Callable[[Any], Any] | None, reduce: Callable[[Any], Any]) -> bytes:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc, name-defined, unused-ignore]
        def reducer_override(self, part: Any) -> Any:
            found = reduce(part)
            if found is not NotImplemented:
                return found
            if refusals.is_replaced(part):
                raise pickle.PicklingError(f"it holds a {type_name(part)}, which would come back as something else")
            if isinstance(part, types.CodeType):
                return cloudpickle.cloudpickle._code_reduce(part.replace(co_filename=_NOWHERE))
            if isinstance(part, type | types.FunctionType) and not is_known(str(part.__module__)):
                tell(part)
            found = super().reducer_override(part)
            return _without_file(found) if isinstance(part, types.FunctionType) else found

    buffer = io.BytesIO()
    pickler = Pickler(buffer, protocol=5)
    if reference is not None:
        pickler.persistent_id = reference
    pickler.dump(value)
    return buffer.getvalue()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name == "_class_setstate" and module.startswith("cloudpickle"):
            return _set_state_once
        if name == "_make_skeleton_class" and module.startswith("cloudpickle"):
            return _skeleton
        return super().find_class(module, name)


def _set_state_once(cls: type, state: Any) -> type:
    from cloudpickle import cloudpickle

    if cls not in _known:
        cloudpickle._class_setstate(cls, state)
        _known.add(cls)
    return cls


def _skeleton(kind: Any, name: str, bases: Any, said: Any, tracked: str, extra: Any) -> type:
    """A class that was pickled as a whole: the one that its module has now, as any other class is found, or a new one.

    So a value that another process made, of a class of `__main__`, is of the class that is there.
    """
    from cloudpickle import cloudpickle

    by_id = getattr(cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_ID", None)
    here = vars(sys.modules.get(str(said.get("__module__")), types)).get(name)
    if by_id is not None and isinstance(here, type) and _is_spelt(here, kind, name, tuple(bases)):
        by_id.setdefault(tracked, here)
        _known.add(here)
    made: type = cloudpickle._make_skeleton_class(kind, name, bases, said, tracked, extra)
    return made


def _is_spelt(cls: type, kind: Any, name: str, bases: tuple[Any, ...]) -> bool:
    return (type(cls), cls.__qualname__, cls.__bases__) == (kind, name, bases)


def _tracked_classes() -> dict[type, str]:
    from cloudpickle import cloudpickle

    return dict(getattr(cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_CLASS", {}))


def _track(stable: str, cls: type) -> None:
    """Lets this process find the class again by the id in the pickle."""
    from cloudpickle import cloudpickle

    by_id = getattr(cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_ID", None)
    if by_id is not None:
        by_id[stable] = cls
        _known.add(cls)
