"""Values of the user's own classes that are nothing but named fields: dataclasses, named tuples, enums.

The class is recorded by module and name, and checked to be of the right kind before it is used. Loading
sets the fields as they were and runs neither `__init__` nor `__post_init__`.
"""

from __future__ import annotations

import dataclasses
import enum
from functools import cached_property
from typing import Any, ClassVar

from artvcs.pipelines.errors import MaterializerError

from ..documents.materializer import DocumentMaterializer
from ..protocols import Decoding, Encoding, Json
from ..typenames import class_path

_GENERIC = "__orig_class__"  # what typing leaves in an instance made by `Box[int](…)`


class RecordMaterializer(DocumentMaterializer):
    """Dataclass instances and named tuples whose class can be imported."""

    NAME = "artvcs.record"
    INLINE = True

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for local classes, and for instances with more to them than their fields."""
        if class_path(type(data)) is None:
            return False
        return _is_dataclass_value(data) if dataclasses.is_dataclass(data) else _is_namedtuple_value(data)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The class and the fields."""
        path = encoder.class_path(type(data))
        if not dataclasses.is_dataclass(data):
            return {"$namedtuple": [path, list(data._fields), encoder.encode(list(data))]}
        fields = {field.name: encoder.encode(getattr(data, field.name)) for field in dataclasses.fields(data)}
        generic = getattr(data, "__dict__", {}).get(_GENERIC)
        arguments = [] if generic is None else [[encoder.class_path(each) for each in generic.__args__]]
        return {"$dataclass": [path, fields, *arguments]}

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The fields and what they hold."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import mapping

        fields = self.extract_metadata(data)["fields"]
        shown = mapping.of_fields(type(data).__name__, {name: getattr(data, name) for name in fields})
        return writing.write(self.uri, shown)

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The names of the fields."""
        if dataclasses.is_dataclass(data):
            return {"fields": [field.name for field in dataclasses.fields(data)]}
        return {"fields": list(data._fields)}


class EnumMaterializer(DocumentMaterializer):
    """Members of enumerations, by name; combined flags by value."""

    NAME = "artvcs.enum"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (enum.Enum,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for members of local classes."""
        return class_path(type(data)) is not None and (_is_member(data) or isinstance(data, enum.Flag))

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The class and the member's name."""
        path = encoder.class_path(type(data))
        if _is_member(data):
            return {"$enum": [path, encoder.encode(data.name)]}
        return {"$flag": [path, encoder.encode(data.value)]}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The member as text."""
        return {"member": str(data.name or data.value)}


def decode_enum(parts: Json, decoder: Decoding) -> Any:
    """The member of an enumeration, by name."""
    path, name = parts
    return _find(path, enum.Enum, decoder).__members__[decoder.decode(name)]


def decode_flag(parts: Json, decoder: Decoding) -> Any:
    """A combination of flags."""
    path, value = parts
    return _find(path, enum.Flag, decoder)(decoder.decode(value))


def decode_namedtuple(parts: Json, decoder: Decoding) -> Any:
    """A named tuple."""
    path, names, items = parts
    cls = _find(path, tuple, decoder)
    values = decoder.decode(items)
    _check_fields(path, list(getattr(cls, "_fields", ())), names)
    if len(values) != len(names):
        raise ValueError("a named tuple of the wrong length")
    return tuple.__new__(cls, values)


def decode_dataclass(parts: Json, decoder: Decoding) -> Any:
    """An instance of a dataclass."""
    path, fields, *arguments = parts
    cls = _find(path, object, decoder)
    if not hasattr(cls, "__dataclass_fields__"):
        raise ValueError(f"{path} is not a dataclass")
    _check_fields(path, sorted(field.name for field in dataclasses.fields(cls)), sorted(fields))
    instance = object.__new__(cls)
    slots = _slots(cls)
    for name, data in fields.items():
        value = decoder.decode(data)
        if name in slots:
            object.__setattr__(instance, name, value)
        else:
            instance.__dict__[name] = value  # a property of the same name must not run
    for names in arguments:
        generic: Any = cls
        instance.__dict__[_GENERIC] = generic[tuple(decoder.find_class(name) for name in names)]
    return instance


def _find(path: Json, base: type, decoder: Decoding) -> Any:
    cls = decoder.find_class(path)
    if not issubclass(cls, base):
        raise ValueError(f"{path} is not a subclass of {base.__name__}")
    return cls


def _check_fields(path: str, now: list[str], stored: list[str]) -> None:
    if now != stored:
        raise MaterializerError(
            f"{path} had the fields {', '.join(stored)} when it was stored and has {', '.join(now)} now; load it "
            "with the version of the code that stored it."
        )


def _is_member(data: enum.Enum) -> bool:
    return type(data).__members__.get(data.name) is data


def _is_namedtuple_value(data: Any) -> bool:
    return len(data) == len(data._fields) and not getattr(data, "__dict__", None)


def _is_dataclass_value(data: Any) -> bool:
    cls: type = type(data)
    try:
        object.__new__(cls)
    except TypeError:  # it is also a list, an exception, an array: more than its fields
        return False
    fields = {field.name for field in dataclasses.fields(data)}
    held = {name for name in _slots(cls) if hasattr(data, name)}
    for name, value in getattr(data, "__dict__", {}).items():
        if name == _GENERIC:
            if not all(isinstance(arg, type) and class_path(arg) for arg in value.__args__):
                return False
        elif not isinstance(getattr(cls, name, None), cached_property) or name in fields:
            held.add(name)
    return held == fields


def _slots(cls: type) -> set[str]:
    found: set[str] = set()
    for base in cls.__mro__:
        slots = base.__dict__.get("__slots__", ())
        found.update([slots] if isinstance(slots, str) else slots)
    return found - {"__dict__", "__weakref__"}
