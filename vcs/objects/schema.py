"""How the fields of a record are read from JSON data and written as it: functions made from the fields' types.

A function for each class is written in Python and compiled when it is first needed, as `dataclasses` does it for
`__init__`: records are read by the ten thousand, and calling a function for each field takes most of the time.
"""

from __future__ import annotations

import dataclasses
import reprlib
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from ..errors import DamagedError, InvalidName
from . import canonical
from .limits import MAX_INT, MAX_TEXT
from .oid import Oid, check_oid, is_oid

Json = Any


class Schema(NamedTuple):
    """What is known of a class's fields.

    Attributes:
        names: How they are called.
        needed: Those of them that JSON data must have.
        read: JSON data that has these → the values of all, checked against their types. Raises DamagedError.
        write: A record → JSON data. Raises InvalidName.
    """

    names: frozenset[str]
    needed: frozenset[str]
    read: Callable[[Mapping[str, Json]], dict[str, Any]]
    write: Callable[[Any], dict[str, Json]]


def of(cls: type[Any], part: type[Any], later: Mapping[str, Any]) -> Schema:
    """The schema of a class.

    Args:
        cls: A dataclass; its fields' types are those that records may have.
        part: What records in records are: they have `from_json` and `to_json`.
        later: The fields that JSON data may lack → their values then.
    """
    hints = get_type_hints(cls, include_extras=True)
    fields = {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    known = dict[str, Any](_KNOWN)
    known["later"] = later
    reading = ["found = {}"]
    for name, hint in fields.items():
        if name in later:
            reading.append(f"found[{name!r}] = later[{name!r}]")
            reading.append(f"if {name!r} in data:")
        indent = "    " * (name in later)
        reading.append(f"{indent}x = data[{name!r}]")
        reading.append(f"{indent}found[{name!r}] = {_reading(hint, 'x', part, known)}")
    writing = ", ".join(f"{name!r}: {_writing(hint, f'it.{name}', part)}" for name, hint in fields.items())
    exec("\n    ".join(["def read(data):", *reading, "return found"]), known)
    exec(f"def write(it):\n    return {{{writing}}}", known)
    return Schema(frozenset(fields), frozenset(fields.keys() - later.keys()), known["read"], known["write"])


def _reading(hint: Any, of: str, part: type[Any], known: dict[str, Any]) -> str:
    """An expression that is the value of a field.

    Args:
        hint: The field's type.
        of: The name of the JSON data.
        part: See `of`.
        known: Takes what the expression names.
    """
    origin, args = get_origin(hint), get_args(hint)
    within = f"x{len(of)}"
    if hint is Any:
        return f"{of} if type({of}) in plain else read_any({of})"
    if hint is Oid:
        return f"{of} if type({of}) is str and is_oid({of}) else check_oid({of})"
    if hint is str or (origin is Annotated and args[0] is str):
        longest = MAX_TEXT if hint is str else args[1]
        return f"{of} if type({of}) is str and len({of}) <= {longest} else no_text({of}, {longest})"
    if hint is int or origin is Annotated:
        bounds = range(-MAX_INT, MAX_INT + 1) if hint is int else args[1]
        return f"{of} if type({of}) is int and {bounds[0]} <= {of} <= {bounds[-1]} else no_integer({of})"
    if origin in (Union, types.UnionType):  # every union here is "something or None"
        inner = next(arg for arg in args if arg is not types.NoneType)
        return f"None if {of} is None else ({_reading(inner, of, part, known)})"
    if origin in (tuple, Sequence):
        return f"tuple([{_reading(args[0], within, part, known)} for {within} in plain_list({of})])"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key = f"(k if len(k) <= {MAX_TEXT} else no_text(k, {MAX_TEXT}))"
        return f"{{{key}: {_reading(args[1], within, part, known)} for k, {within} in plain_dict({of}).items()}}"
    if isinstance(hint, type) and issubclass(hint, part):
        known[hint.__name__] = hint
        return f"{hint.__name__}.from_json({of})"
    known[hint.__name__] = hint
    return f"{of} if type({of}) is {hint.__name__} else no_such({of}, {hint.__name__})"


def _writing(hint: Any, of: str, part: type[Any]) -> str:
    """An expression that is the JSON data of a field; `of` names its value."""
    origin, args = get_origin(hint), get_args(hint)
    within = f"x{len(of)}"
    if hint is str or (origin is Annotated and args[0] is str):
        longest = MAX_TEXT if hint is str else args[1]
        return f"{of} if len({of}) <= {longest} else too_long({of}, {longest})"
    if origin in (Union, types.UnionType):
        inner = next(arg for arg in args if arg is not types.NoneType)
        return f"None if {of} is None else ({_writing(inner, of, part)})"
    if origin in (tuple, Sequence):
        return f"[{_writing(args[0], within, part)} for {within} in {of}]"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key = f"(k if len(k) <= {MAX_TEXT} else too_long(k, {MAX_TEXT}))"
        return f"{{{key}: {_writing(args[1], within, part)} for k, {within} in {of}.items()}}"
    if isinstance(hint, type) and issubclass(hint, part):
        return f"{of}.to_json()"
    return of


# What the functions call.


def _read_any(value: Json) -> Any:
    try:
        canonical.check(value)
    except (TypeError, ValueError) as error:
        raise DamagedError(f"A stored field is not canonical JSON ({error}); run `art fsck`.") from None
    return value


def _plain_list(value: Json) -> list[Json]:
    return value if type(value) is list else _no_such(value, list)


def _plain_dict(value: Json) -> dict[str, Json]:
    return value if type(value) is dict else _no_such(value, dict)


# `type` and not isinstance: True is not an integer here.


def _no_such(value: Json, kind: type) -> Any:
    raise DamagedError(f"A stored field holds {reprlib.repr(value)}, not a {kind.__name__}; run `art fsck`.")


def _no_integer(value: Json) -> Any:
    if type(value) is not int:
        _no_such(value, int)
    raise DamagedError(f"A stored field holds {reprlib.repr(value)}, which cannot be; run `art fsck`.")


def _no_text(value: Json, longest: int) -> Any:
    raise DamagedError(
        f"A stored field holds {reprlib.repr(value)}, not a text of at most {longest} characters; run `art fsck`."
    )


def _too_long(value: str, longest: int) -> Any:
    raise InvalidName(f"The text {reprlib.repr(value)} has more than {longest} characters; shorten it.")


_KNOWN: Mapping[str, Any] = {
    "plain": frozenset({str, bool, types.NoneType}),
    "read_any": _read_any,
    "plain_list": _plain_list,
    "plain_dict": _plain_dict,
    "no_such": _no_such,
    "no_integer": _no_integer,
    "no_text": _no_text,
    "too_long": _too_long,
    "is_oid": is_oid,
    "check_oid": check_oid,
}
