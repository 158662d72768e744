"""The types of what can be noted: here plain values, which these are."""

from __future__ import annotations

from typing import Any

from .._names import finder
from ..enums import StrEnum

Uri = str
Path = str
DType = str
StorageSize = int
MetadataType = str | int | float | bool | dict[Any, Any] | list[Any] | set[Any] | tuple[Any, ...]


class MetadataTypeEnum(StrEnum):
    """The types, by name."""

    STRING = "str"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    LIST = "list"
    DICT = "dict"
    TUPLE = "tuple"
    SET = "set"
    URI = "Uri"
    PATH = "Path"
    DTYPE = "DType"
    STORAGE_SIZE = "StorageSize"


__all__ = ["DType", "MetadataType", "MetadataTypeEnum", "Path", "StorageSize", "Uri"]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
