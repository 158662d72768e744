"""Materializers: how values become files and come back exactly, or are refused.

`find_for_value` picks one. The values that JSON can carry, with their types, are one `value.json`;
arrays, frames and models get the open format of their library; what nothing knows is pickled, with a
warning. Described in docs/materializers.md.
"""

from __future__ import annotations

from artvcs.pipelines.errors import PickleFallbackWarning

from .base import Materializer
from .python.strings import CSVString, HTMLString, JSONString, MarkdownString
from .registry import by_name, find_builtin, find_for_type, find_for_value, is_builtin, register
from .typenames import is_known, resolve_type, tell, type_name

__all__ = [
    "CSVString",
    "HTMLString",
    "JSONString",
    "MarkdownString",
    "Materializer",
    "PickleFallbackWarning",
    "by_name",
    "find_builtin",
    "find_for_type",
    "find_for_value",
    "is_builtin",
    "is_known",
    "register",
    "resolve_type",
    "tell",
    "type_name",
]
