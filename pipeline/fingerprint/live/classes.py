"""What a live class is beside the text of its body: computed bases, classes within it, fields that libraries keep."""

from __future__ import annotations

import abc
import ast
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

_FIELDS = (
    *("__dataclass_params__", "__private_attributes__", "__pydantic_fields__", "__required_keys__"),
    "__struct_defaults__",
)
"""Where pydantic, msgspec and `typing.TypedDict` keep what a class's body says of its fields, dataclasses of all."""
_ATTRS = "__attrs_attrs__"
_DATACLASS = "__dataclass_fields__"
_OF_PLACE = frozenset({"type", "_field_type"})
"""What a dataclass's field says that its text says as well."""


def fields_of(cls: type) -> dict[str, Any]:
    """What has been taken out of a class's body, by which its objects are made: name → what is known of the field."""
    held = vars(cls)
    found: dict[str, Any] = {}
    for name, each in _mapping(held.get(_DATACLASS)).items():
        slots = dataclasses.Field.__slots__  # type: ignore[attr-defined,unused-ignore]
        found[name] = {slot: getattr(each, slot) for slot in slots if slot not in _OF_PLACE and hasattr(each, slot)}
    for key in _FIELDS:
        kept = held.get(key)
        found.update(_mapping(kept) if isinstance(kept, Mapping) or kept is None else {key: kept})
    if isinstance(kept := held.get(_ATTRS), tuple):
        found.update((each.name, [each.default, each.validator, each.converter, each.metadata]) for each in kept)
    return found


def _mapping(kept: Any) -> Mapping[str, Any]:
    return kept if isinstance(kept, Mapping) else {}


def is_inner(cls: type, key: str, member: Any) -> bool:
    """Whether a member of a class is a class that its body defines."""
    return (
        issubclass(type(member), type)
        and member.__module__ == cls.__module__
        and member.__qualname__ == f"{cls.__qualname__}.{key}"
    )


def definition_in(node: ast.ClassDef | None, name: str) -> ast.ClassDef | None:
    """The one definition of a class within another's body; None if there are several, or none."""
    found = [each for each in ast.walk(node) if isinstance(each, ast.ClassDef) and each.name == name] if node else []
    return found[0] if len(found) == 1 and found[0] is not node else None


def computes_bases(node: ast.ClassDef) -> bool:
    """Whether a class's bases or its metaclass are not named, but come of an expression."""
    given = [*node.bases, *(each.value for each in node.keywords if each.arg in (None, "metaclass"))]
    named = (each.value if isinstance(each, ast.Subscript) else each for each in given)
    return not all(isinstance(each, ast.Name | ast.Attribute) for each in named)


def is_single(node: ast.ClassDef | None, method: str) -> bool:
    """Whether a class's body defines a method once."""
    walked = ast.walk(node) if node is not None else ()
    found = [each for each in walked if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    return sum(each.name == method for each in found) == 1


def registered(cls: type) -> set[type]:
    """The classes that an abstract base class was told of by `register`."""
    dump: Any = getattr(abc, "_get_dump", None)
    if dump is None or not isinstance(cls, abc.ABCMeta):
        return set()
    return {each for reference in dump(cls)[0] if (each := reference()) is not None}


def subclasses(cls: type) -> Iterator[type]:
    """The classes below a class, however far."""
    found: list[type] = type.__subclasses__(cls)
    for each in found:
        yield each
        yield from subclasses(each)
