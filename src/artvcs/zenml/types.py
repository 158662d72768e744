"""Text that says what it is: shown as a page, a table, and so on."""

from __future__ import annotations

from typing import Any

from artvcs.pipelines.values.materializers import CSVString, HTMLString, JSONString, MarkdownString

from ._names import finder

__all__ = ["CSVString", "HTMLString", "JSONString", "MarkdownString"]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
