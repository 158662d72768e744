"""How a dataclass becomes canonical JSON and comes back, checked field by field.

The field types of a `Record` are its schema: a reader refuses missing, unknown or ill-typed fields,
since what it reads may have been written by somebody else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    dataclass_transform,
)

from ..errors import DamagedError, InvalidName, Unstorable
from . import canonical, schema
from .limits import MAX_INT, MAX_REPORT, MAX_TIME
from .oid import Oid, hash_bytes
from .schema import Schema

T = TypeVar("T")
Json = Any

# The field types of a record may be bounded: integers by a range, texts by their greatest length.
Moment = Annotated[int, range(MAX_TIME + 1)]
"""Milliseconds since 1970 UTC."""
Duration = Annotated[int, range(MAX_TIME + 1)]
"""Milliseconds."""
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
            Unstorable: No reader would take it: it is too large, or holds text that is not valid Unicode.
        """
        data = self.to_json()
        try:
            return canonical.dumps(data, checked=self.CHECKED)
        except ValueError as error:
            kind = self.KIND or type(self).__name__.lower()
            raise Unstorable(f"A {kind} cannot be stored ({error}); keep large data in artifacts.") from None

    def to_json(self) -> Json:
        """The fields as JSON data."""
        data = _schema(type(self)).write(self)
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
        known = _schema(cls)
        if not isinstance(data, dict) or not known.needed <= data.keys() <= known.names:
            raise DamagedError(f"A stored {cls.__name__.lower()} has the wrong fields; run `art fsck`.")
        found = cls._of(known.read(data))
        for name, default in cls.LATER.items():
            if name in data and getattr(found, name) == default:
                raise DamagedError(f"A stored {cls.__name__.lower()} says what is not to be said; run `art fsck`.")
        return found

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        """As `cls(**values)`, which sets a frozen field at a time: there may be many of these."""
        if hasattr(cls, "__post_init__"):
            return cls(**values)
        found = cls.__new__(cls)
        found.__dict__.update(values)
        return found


_SCHEMAS: dict[type[Record], Schema] = {}


def _schema(cls: type[Record]) -> Schema:
    if cls not in _SCHEMAS:
        _SCHEMAS[cls] = schema.of(cls, Record, cls.LATER)
    return _SCHEMAS[cls]
