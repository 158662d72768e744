"""Text with a meaning: HTML, Markdown, CSV and JSON that a step returns to be looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from .base import Materializer
from .files import reading


class HTMLString(str):
    """Text that is an HTML page or fragment."""

    __slots__ = ()


class MarkdownString(str):
    """Text that is Markdown."""

    __slots__ = ()


class CSVString(str):
    """Text that is a CSV table."""

    __slots__ = ()


class JSONString(str):
    """Text that is JSON."""

    __slots__ = ()


class TextMaterializer(Materializer):
    """Text with a meaning, as a file that other programs open by its ending."""

    NAME = "artvcs.text"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (HTMLString, MarkdownString, CSVString, JSONString)

    KINDS: ClassVar[dict[type[str], str]] = {
        HTMLString: "html",
        MarkdownString: "markdown",
        CSVString: "csv",
        JSONString: "json",
    }

    def save(self, data: str) -> None:
        """Writes the text, as UTF-8."""
        # Byte for byte: text mode would change line ends, and surrogates must survive.
        self.folder.write(_name(self.KINDS[type(data)]), data.encode("utf-8", "surrogatepass"))

    def load(self, data_type: type[Any]) -> Any:
        """Reads the text; the file's ending says which type it has."""
        found = [cls for cls, kind in self.KINDS.items() if self.folder.has(_name(kind))]
        with reading("value"):
            [cls] = found
            return cls(self.folder.read(_name(self.KINDS[cls])).decode("utf-8", "surrogatepass"))

    def save_visualizations(self, data: str) -> dict[str, str]:
        """The text is its own picture."""
        kind = self.KINDS[type(data)]
        self.save(data)
        return {str(Path(self.uri) / _name(kind)): kind}

    def extract_metadata(self, data: str) -> dict[str, Any]:
        """The number of characters."""
        return {"length": len(data)}


def _name(kind: str) -> str:
    return f"value.{kind}"
