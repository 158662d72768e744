"""How a dataclass becomes canonical JSON and comes back, checked field by field.

The field types of a `Record` are its schema: a reader refuses missing, unknown or ill-typed fields,
since what it reads may have been written by somebody else.
"""

from __future__ import annotations

import dataclasses
import functools
import reprlib
import types
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

from ..errors import DamagedError
from . import canonical
from .oid import Oid, check_oid, hash_bytes

Json = Any
_Reader = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Record:
    """Base of what is stored as canonical JSON.

    Attributes:
        KIND: The kind of object, as in `artvcs KIND v1`; empty for parts of other records.
    """

    KIND: ClassVar[str] = ""

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.dumps(to_json(self))

    @property
    def oid(self) -> Oid:
        """The hash of the canonical bytes under this kind's context."""
        return hash_bytes(self.encode(), self.KIND)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads canonical bytes.

        Raises:
            DamagedError: They are not a canonical record of this kind.
        """
        return cls.from_json(canonical.loads(data))

    @classmethod
    def from_json(cls, data: Json) -> Self:
        """Reads JSON data, checking every field against its type.

        Raises:
            DamagedError: A field is missing, unknown or of another type.
        """
        readers = _field_readers(cls)
        if not isinstance(data, dict) or data.keys() != readers.keys():
            raise DamagedError(f"A stored {cls.__name__.lower()} has the wrong fields; run `art fsck`.")
        return cls(**{name: read(data[name]) for name, read in readers.items()})


def to_json(value: Any) -> Json:
    """Records, mappings and sequences as plain JSON data."""
    if isinstance(value, Record):
        return {name: to_json(getattr(value, name)) for name in _field_readers(type(value))}
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return value


_READERS: dict[type[Record], dict[str, _Reader]] = {}


def _field_readers(cls: type[Record]) -> dict[str, _Reader]:
    if cls not in _READERS:
        hints = get_type_hints(cls)
        _READERS[cls] = {field.name: _reader(hints[field.name]) for field in dataclasses.fields(cls)}
    return _READERS[cls]


def _reader(hint: Any) -> _Reader:
    """A function that checks one JSON value against a type and converts it."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda value: value
    if hint is Oid:
        return check_oid
    if origin in (Union, types.UnionType):
        return functools.partial(_read_union, [_reader(arg) for arg in args if arg is not type(None)])
    if origin is tuple:
        return functools.partial(_read_list, _reader(args[0]))
    if origin is not None and issubclass(origin, Mapping):
        return functools.partial(_read_mapping, _reader(args[1]))
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json
    return functools.partial(_read_plain, hint)


def _read_plain(kind: type, value: Any) -> Any:
    # `type` and not isinstance: True is not an integer here.
    if type(value) is not kind:
        raise DamagedError(f"A stored field holds {reprlib.repr(value)}, not a {kind.__name__}; run `art fsck`.")
    return value


def _read_list(read: _Reader, value: Any) -> tuple[Any, ...]:
    return tuple(read(item) for item in _read_plain(list, value))


def _read_mapping(read: _Reader, value: Any) -> dict[str, Any]:
    return {key: read(item) for key, item in _read_plain(dict, value).items()}


def _read_union(readers: list[_Reader], value: Any) -> Any:
    """Every union here is "something or None"; a JSON field may be anything."""
    return None if value is None else readers[0](value)
