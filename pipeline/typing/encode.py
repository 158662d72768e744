"""Values as plain data: what a parameter is in the record, and in the key that decides whether a step runs again.

What differs is kept apart: a `Path` and its text, a list and a tuple, an enum member and its value.
"""

from __future__ import annotations

import dataclasses
import enum
import reprlib
import sys
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

from artvcs.vcs import MAX_TEXT, canonical, values

from ..errors import ParameterError
from .fit import Misfit, capitalised, describe, fit_at, spell

_AS_ARTIFACT = "pass it as an artifact: return it from a step or wrap it in ExternalArtifact(...)"


def to_plain(value: Any, what: str, kind: str = "parameter", advice: str = _AS_ARTIFACT) -> Any:
    """Turns a parameter into data that `artvcs.vcs.objects.values.encode` accepts; it decides the cache key.

    What is not plain itself becomes a dict with one key that starts with `$`, as in
    `{"$enum": ["Color", "red"]}` and `{"$path": "data/x.csv"}`; a dict of the user's that has such a
    key is wrapped, so that the two are never confused.

    Args:
        value: The parameter.
        what: What it is called.
        kind: What it is: a parameter, or metadata.
        advice: What to do with what is none.

    Raises:
        ParameterError: The value is not data, and has to be passed as an artifact.
    """
    try:
        plain = _plain(value)
        canonical.dumps(values.encode(plain))
    except (Misfit, ValueError, RecursionError) as problem:
        reason = problem if isinstance(problem, Misfit) else f"it cannot be recorded ({problem})"
        raise ParameterError(f"{capitalised(what)} is no {kind}, for {reason}; {advice}.") from None
    return plain


def encode_metadata(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata as they are stored.

    Raises:
        ParameterError: A value is not plain, or a name too long.
    """
    return encode_all(facts, "metadata", "note what it says in numbers, text, lists or dictionaries")


def encode_all(plain: Mapping[str, Any], kind: str = "parameter", advice: str = _AS_ARTIFACT) -> dict[str, Any]:
    """Parameters, or another kind of plain data, as they are stored.

    Raises:
        ParameterError: A value is not plain, or a name too long.
    """
    for name in plain:
        if len(name) > MAX_TEXT:
            raise ParameterError(f"The name {reprlib.repr(name)} is too long; shorten it to {MAX_TEXT} characters.")
    return {name: values.encode(to_plain(value, f"{name!r}", kind, advice)) for name, value in plain.items()}


def _plain(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str, bytes):
        return value
    if kind in (list, tuple):
        return kind(_plain_at(f"item {i}", item) for i, item in enumerate(value))
    if kind in (set, frozenset):
        return _plain_set(value)
    if kind is dict:
        return _plain_dict(value)
    for family, write in _WRITERS:
        if isinstance(value, family):
            return write(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"$dataclass": [kind.__qualname__, _plain_dict(fields)]}
    if is_model(kind):
        data = constructed(kind, value, lambda: value.model_dump(mode="json"))
        return {"$model": [kind.__qualname__, _plain(data)]}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"$namedtuple": [kind.__qualname__, _plain(list(value))]}
    return _plain_numpy(value)


def _plain_at(place: str, value: Any) -> Any:
    return fit_at(place, value, None, lambda item, _: _plain(item))


def _plain_set(value: Any) -> Any:
    items = [_plain_at("an item", item) for item in value]
    try:
        return type(value)(items)
    except TypeError:  # what became a dict has no hash; sorted, for the order of a set is an accident
        return {f"${type(value).__name__}": sorted(items, key=lambda item: canonical.dumps(values.encode(item)))}


def _plain_dict(value: dict[Any, Any]) -> Any:
    plain = {}
    for key, item in value.items():
        plain_key = _plain_at(f"the key {key!r}", key)
        if plain_key is not None and type(plain_key) not in (str, int, float, bool):
            raise Misfit("text or a number", describe(key)).inside(f"the key {key!r}")
        plain[plain_key] = _plain_at(f"the value of key {key!r}", item)
    marked = any(isinstance(key, str) and key.startswith("$") for key in plain)
    return {"$dict": plain} if marked else plain


def _plain_enum(member: enum.Enum) -> Any:
    try:
        value = _plain(member.value)
    except Misfit:
        value = {"$name": member.name}
    return {"$enum": [type(member).__qualname__, value]}


_WRITERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (enum.Enum, _plain_enum),
    (PurePath, lambda path: {"$path": str(path)}),
    ((date, time), lambda moment: {f"${type(moment).__name__}": moment.isoformat()}),
    (timedelta, lambda span: {f"${type(span).__name__}": str(span)}),
    (Decimal, lambda number: {"$decimal": str(number)}),
    (UUID, lambda identity: {"$uuid": str(identity)}),
    (complex, lambda number: {"$complex": [float(number.real), float(number.imag)]}),
)


def _plain_numpy(value: Any) -> Any:
    """A scalar of numpy's; nothing else is left that could be a parameter."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        if value.dtype.kind in "mM":  # `.item()` of nanoseconds is a bare int
            return {f"${value.dtype.name}": str(value)}
        item = value.item()
        if type(item) in (bool, int, float, complex, str, bytes):
            return _plain(item)
    raise Misfit("plain data", describe(value))


def constructed(cls: Any, given: Any, make: Callable[[], Any]) -> Any:
    """What `make` returns; whatever it raises means that `given` is not fit for `cls`."""
    try:
        return make()
    except Exception as error:  # constructors and validators are the user's: they raise what they like
        raise Misfit(spell(cls), f"{describe(given)} ({' '.join(str(error).split())})") from error


def is_model(cls: type) -> bool:
    """Whether a class is a pydantic model."""
    pydantic = sys.modules.get("pydantic")  # where it was not imported, there are no models
    return pydantic is not None and issubclass(cls, pydantic.BaseModel)
