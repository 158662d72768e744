"""How a dataclass becomes canonical JSON and comes back, checked field by field.

The field types of a `Record` are its schema: a reader refuses missing, unknown or ill-typed fields,
since what it reads may have been written by somebody else.
"""

from __future__ import annotations

import dataclasses
import functools
import reprlib
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from ..errors import DamagedError, InvalidName, StorageError
from . import canonical
from .limits import MAX_INT, MAX_REPORT, MAX_TEXT, MAX_TIME
from .oid import Oid, check_oid, hash_bytes

T = TypeVar("T")
Json = Any

# The field types of a record may be bounded: integers by a range, texts by their greatest length.
Moment = Annotated[int, range(MAX_TIME + 1)]
"""Milliseconds since 1970 UTC."""
Size = Annotated[int, range(MAX_INT + 1)]
"""Bytes."""
Report = Annotated[str, MAX_REPORT]
"""A text longer than names and paths are, such as a traceback."""


def later(default: Any) -> Any:
    """The default of a field that came when records without it had been stored already.

    Where the field has this value it is not written, so that those records keep their ids.
    """
    return dataclasses.field(default=default, metadata={"later": True})


@dataclass_transform(frozen_default=True, eq_default=False)
def record(cls: type[T]) -> type[T]:
    """Makes a frozen dataclass of a record; what makes records equal is written once: making it takes its time."""
    made: Any = dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
    made.LATER = {field.name: field.default for field in dataclasses.fields(made) if "later" in field.metadata}
    found: type[T] = made
    return found


@record
class Record:
    """Base of what is stored as canonical JSON.

    Attributes:
        KIND: The kind of object, as in `artvcs KIND v1`; empty for parts of other records.
    """

    KIND: ClassVar[str] = ""
    CHECKED: ClassVar[bool] = False
    """Whether what is made of its fields is canonical JSON data as soon as it exists: encoding need not look."""
    LATER: ClassVar[Mapping[str, Any]] = {}
    """The fields that came later, each with the value that is not written: see `later`."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__qualname__}({fields})"

    def encode(self) -> bytes:
        """The canonical bytes.

        Raises:
            InvalidName: A text is too long for its field.
            StorageError: No reader would take it: it is too large, or holds text that is not valid Unicode.
        """
        data = self.to_json()
        try:
            return canonical.dumps(data, checked=self.CHECKED)
        except ValueError as error:
            kind = type(self).__name__.lower()
            raise StorageError(f"A {kind} cannot be stored ({error}); keep large data in artifacts.") from None

    def to_json(self) -> Json:
        """The fields as JSON data."""
        data = {name: field.write(getattr(self, name)) for name, field in _fields(type(self)).items()}
        for name, default in self.LATER.items():
            if getattr(self, name) == default:
                del data[name]
        return data

    @property
    def oid(self) -> Oid:
        """The hash of the canonical bytes under this kind's context."""
        return hash_bytes(self.encode(), self.KIND)

    def typed_values(self) -> Iterator[Any]:
        """What it holds in the encoding of `vcs.values`: parameters and metadata."""
        return iter(())

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads canonical bytes.

        Raises:
            DamagedError: They are not a canonical record of this kind.
        """
        try:
            return cls.from_json(canonical.loads(data, checked=True))
        except InvalidName as error:
            raise DamagedError(f"A stored {cls.__name__.lower()} cannot be used: {error}") from None

    @classmethod
    def from_json(cls, data: Json) -> Self:
        """Reads JSON data, checking every field against its type.

        Raises:
            DamagedError: A field is missing, unknown, too large or of another type.
        """
        fields = _fields(cls)
        if not isinstance(data, dict) or (data.keys() != fields.keys() and not cls._lacks_none(data)):
            raise DamagedError(f"A stored {cls.__name__.lower()} has the wrong fields; run `art fsck`.")
        found = cls._of({name: field.read(data[name]) for name, field in fields.items() if name in data})
        for name, default in cls.LATER.items():
            if name in data and getattr(found, name) == default:
                raise DamagedError(f"A stored {cls.__name__.lower()} says what is not to be said; run `art fsck`.")
        return found

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        """As `cls(**values)`, which sets a frozen field at a time: there may be many of these."""
        if hasattr(cls, "__post_init__") or len(values) < len(_fields(cls)):
            return cls(**values)
        found = cls.__new__(cls)
        found.__dict__.update(values)
        return found

    @classmethod
    def _lacks_none(cls, data: dict[str, Json]) -> bool:
        """Whether all fields are there but those that came later, and no others."""
        fields = _fields(cls).keys()
        return fields - cls.LATER.keys() <= data.keys() <= fields


@dataclasses.dataclass(frozen=True)
class _Field:
    """How a field is read, checked, from JSON data, and how it is written."""

    read: Callable[[Json], Any]
    write: Callable[[Any], Json]


_FIELDS: dict[type[Record], dict[str, _Field]] = {}


def _fields(cls: type[Record]) -> dict[str, _Field]:
    if cls not in _FIELDS:
        hints = get_type_hints(cls, include_extras=True)
        _FIELDS[cls] = {field.name: _field(hints[field.name]) for field in dataclasses.fields(cls)}
    return _FIELDS[cls]


def _field(hint: Any) -> _Field:
    """How a field of this type is read and written."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is str or (origin is Annotated and args[0] is str):
        longest = MAX_TEXT if hint is str else args[1]
        return _Field(functools.partial(_read_text, longest), functools.partial(_write_text, longest))
    if origin in (Union, types.UnionType):  # every union here is "something or None"
        inner = _field(next(arg for arg in args if arg is not types.NoneType))
        return _Field(functools.partial(_optional, inner.read), functools.partial(_optional, inner.write))
    if origin in (tuple, Sequence):
        inner = _field(args[0])
        return _Field(functools.partial(_read_list, inner.read), functools.partial(_write_list, inner.write))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        inner = _field(args[1])
        return _Field(functools.partial(_read_mapping, inner.read), functools.partial(_write_mapping, inner.write))
    if isinstance(hint, type) and issubclass(hint, Record):
        return _Field(hint.from_json, hint.to_json)
    return _Field(_reader(hint), _as_it_is)


def _reader(hint: Any) -> Callable[[Json], Any]:
    if hint is Any:
        return _read_any
    if hint is int:
        return functools.partial(_read_within, int, range(-MAX_INT, MAX_INT + 1))
    if hint is Oid:
        return check_oid
    if get_origin(hint) is Annotated:
        return functools.partial(_read_within, *get_args(hint))
    return functools.partial(_read_plain, hint)


def _as_it_is(value: Any) -> Any:
    return value


def _optional(convert: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else convert(value)


def _read_any(value: Json) -> Any:
    try:
        canonical.check(value)
    except (TypeError, ValueError) as error:
        raise DamagedError(f"A stored field is not canonical JSON ({error}); run `art fsck`.") from None
    return value


def _read_plain(kind: type, value: Json) -> Any:
    # `type` and not isinstance: True is not an integer here.
    if type(value) is not kind:
        raise DamagedError(f"A stored field holds {reprlib.repr(value)}, not a {kind.__name__}; run `art fsck`.")
    return value


def _read_within(kind: type, bounds: range, value: Json) -> Any:
    if _read_plain(kind, value) not in bounds:
        raise DamagedError(f"A stored field holds {reprlib.repr(value)}, which cannot be; run `art fsck`.")
    return value


def _read_text(longest: int, value: Json) -> str:
    if type(value) is not str or len(value) > longest:
        raise DamagedError(
            f"A stored field holds {reprlib.repr(value)}, not a text of at most {longest} characters; run `art fsck`."
        )
    return value


def _write_text(longest: int, value: str) -> str:
    if len(value) > longest:
        raise InvalidName(f"The text {reprlib.repr(value)} has more than {longest} characters; shorten it.")
    return value


def _read_list(read: Callable[[Json], Any], value: Json) -> tuple[Any, ...]:
    return tuple([read(item) for item in _read_plain(list, value)])


def _write_list(write: Callable[[Any], Json], value: Sequence[Any]) -> Json:
    return [write(item) for item in value]


def _read_mapping(read: Callable[[Json], Any], value: Json) -> dict[str, Any]:
    return {_read_text(MAX_TEXT, key): read(item) for key, item in _read_plain(dict, value).items()}


def _write_mapping(write: Callable[[Any], Json], value: Mapping[str, Any]) -> Json:
    return {_write_text(MAX_TEXT, key): write(item) for key, item in value.items()}
