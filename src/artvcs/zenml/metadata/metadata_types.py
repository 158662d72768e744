"""The types of what can be noted: here plain values, which these are."""

from __future__ import annotations

from typing import Any

Uri = str
Path = str
DType = str
StorageSize = int
MetadataType = str | int | float | bool | dict[Any, Any] | list[Any] | set[Any] | tuple[Any, ...]

__all__ = ["DType", "MetadataType", "Path", "StorageSize", "Uri"]
