"""Visualizations put on a page, or written to a terminal.

Of several forms of one picture a page gets the richest, a terminal the one that reads best as text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from . import terminal, wording
from .model import KINDS, Visualization
from .pages import html, markdown
from .summary import Table

_FOR_TERMINALS = ("text", "markdown", "csv", "json")
_ROWS = 200
_COLUMNS = 50
_LONGEST = 200_000
_MIMES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))


def as_html(pictures: Sequence[Visualization]) -> str:
    """All pictures, each in its richest form."""
    forms = [min(group, key=lambda each: KINDS.index(each.kind)) for group in _groups(pictures)]
    named = len(forms) > 1
    return "".join(f"<div>{html.caption(_name(each)) if named else ''}{_one(each)}</div>" for each in forms)


def first(pictures: Sequence[Visualization]) -> tuple[list[Visualization], int]:
    """The first picture in all its forms, and how many others there are."""
    groups = _groups(pictures)
    return groups[0], len(groups) - 1


def as_text(pictures: Sequence[Visualization], columns: int) -> str:
    """All pictures as text; those that have none are named."""
    parts = [_text(group, columns) for group in _groups(pictures)]
    return "\n\n".join(part for part in parts if part)


def _groups(pictures: Sequence[Visualization]) -> list[list[Visualization]]:
    found: dict[str, list[Visualization]] = {}
    for each in pictures:
        found.setdefault(each.stem, []).append(each)
    return list(found.values())


def _name(picture: Visualization) -> str:
    return "" if picture.own else picture.name  # our own have a title


def _one(picture: Visualization) -> str:
    if picture.own:
        return picture.text
    match picture.kind:
        case "html":
            note = '<div class="muted">Scripts in this page do not run here.</div>' if _has_scripts(picture) else ""
            return html.sandbox(picture.text) + note
        case "svg":
            return html.image(picture.content, "image/svg+xml", picture.name)
        case "image":
            mime = _mime(picture)
            found = f"{picture.name} is an image of an unknown format."
            return html.image(picture.content, mime, picture.name) if mime else f"<p>{html.escape(found)}</p>"
        case "markdown":
            return markdown.render(picture.text[:_LONGEST])
        case "csv":
            return html.table(_table(picture.text))
        case _:
            return f"<pre>{html.escape(_shortened(_readable(picture)))}</pre>"


def _has_scripts(picture: Visualization) -> bool:
    return b"<script" in picture.content.lower()


def _mime(picture: Visualization) -> str | None:
    """The type of an image, by its first bytes; an SVG may be called an image too."""
    found = next((mime for start, mime in _MIMES if picture.content.startswith(start)), None)
    return "image/svg+xml" if found is None and b"<svg" in picture.content[:2000] else found


def _text(group: Sequence[Visualization], columns: int) -> str:
    texts = [each for each in group if each.kind in _FOR_TERMINALS]
    if not texts:
        picture = group[0]
        what = f"[{picture.name}: {picture.kind}, {wording.size(len(picture.content))}, shown in a notebook]"
        return terminal.line(what, columns)
    best = min(texts, key=lambda each: _FOR_TERMINALS.index(each.kind))
    if best.kind == "csv":
        return terminal.table(_table(best.text), columns)
    return terminal.lines(_shortened(_readable(best)), columns)


def _readable(picture: Visualization) -> str:
    if picture.kind != "json":
        return picture.text
    try:
        return json.dumps(json.loads(picture.text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return picture.text


def _shortened(text: str) -> str:
    hidden = len(text) - _LONGEST
    return text if hidden <= 0 else f"{text[:_LONGEST]}\n… and {wording.count(hidden, 'more character')}"


def _table(text: str) -> Table:
    """The first rows of CSV, all of one width."""
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        return Table(("not readable as CSV",), tuple((line,) for line in text.splitlines()[:_ROWS]))
    if not rows:
        return Table(("empty",), ())
    width = min(max(map(len, rows[: _ROWS + 1])), _COLUMNS)
    even = [tuple([*row, *[""] * width][:width]) for row in rows[: _ROWS + 1]]
    hidden = len(rows) - len(even)
    note = f"… and {wording.count(hidden, 'more row')}" if hidden else ""
    numeric = frozenset(at for at in range(width) if len(even) > 1 and all(_is_number(row[at]) for row in even[1:]))
    return Table(even[0], tuple(even[1:]), "", numeric, note)


def _is_number(text: str) -> bool:
    try:
        float(text or "0")
    except ValueError:
        return False
    return True
