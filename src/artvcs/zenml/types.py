"""Text that says what it is: shown as a page, a table, and so on."""

from artvcs.pipelines.values.materializers import CSVString, HTMLString, JSONString, MarkdownString

__all__ = ["CSVString", "HTMLString", "JSONString", "MarkdownString"]
