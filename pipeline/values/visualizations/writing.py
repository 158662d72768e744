"""What materializers call: a value in, files written, their kinds out."""

from __future__ import annotations

from pathlib import Path

from . import terminal
from .model import FRAGMENT
from .pages import html
from .summary import Summary


def write(folder: str, summary: Summary, name: str = "summary") -> dict[str, str]:
    """Writes a summary for a page and for the terminal; returns the files and their kinds."""
    page, text = Path(folder, f"{name}.html"), Path(folder, f"{name}.txt")
    page.write_text(html.fragment(html.render(summary)), encoding="utf-8", errors="replace")
    text.write_text(terminal.render(summary, terminal.width()), encoding="utf-8", errors="replace")
    return {str(page): FRAGMENT, str(text): "text"}
