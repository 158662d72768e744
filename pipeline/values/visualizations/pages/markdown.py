"""The Markdown that reports are made of, as HTML: headings, lists, tables, code, emphasis.

All text is escaped first, so that HTML in it is shown and not obeyed. Links and images are shown as text: a
picture does not lead out of the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from . import html

# Bounded: each mark may be the first of a pair, and looking for the second must not read all of a long line.
_SPANS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\*\*(?=\S)(.{1,1000}?)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*(?=\S)([^*]{1,1000}?)\*"), r"<i>\1</i>"),
    (re.compile(r"(?<!\w)_(?=\S)([^_]{1,1000}?)_(?!\w)"), r"<i>\1</i>"),
    (re.compile(r"!?\[([^\]]{0,1000})\]\(([^)\s]{0,2000})\)"), r'\1 <span class="muted">(\2)</span>'),
)
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)")
_NUMBERED = re.compile(r"\s*\d+[.)]\s")
_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")


def render(text: str) -> str:
    """Markdown as HTML that needs no sandbox."""
    return "".join(_blocks(text.splitlines()))


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        heading = _HEADING.fullmatch(line)
        if not line.strip():
            at += 1
        elif line.startswith("```"):
            end = _end(lines, at + 1, lambda each: not each.startswith("```"))
            yield f"<pre>{html.escape(chr(10).join(lines[at + 1 : end]))}</pre>"
            at = end + 1
        elif heading:
            level = min(len(heading[1]) + 2, 6)  # below the headings of the page around
            yield f"<h{level}>{_spans(heading[2])}</h{level}>"
            at += 1
        elif "|" in line and at + 1 < len(lines) and "-" in lines[at + 1] and _RULE.fullmatch(lines[at + 1]):
            end = _end(lines, at + 2, lambda each: "|" in each)
            yield _table([line, *lines[at + 2 : end]])
            at = end
        elif _ITEM.fullmatch(line):
            end = _end(lines, at, lambda each: _ITEM.fullmatch(each) is not None)
            yield _list(lines[at:end])
            at = end
        else:
            end = _end(lines, at + 1, lambda each: bool(each.strip()) and not _begins(each))
            yield f"<p>{_spans(' '.join(lines[at:end]))}</p>"
            at = end


def _begins(line: str) -> bool:
    """Whether a line ends the paragraph before it."""
    return bool(line.startswith("```") or _HEADING.fullmatch(line) or _ITEM.fullmatch(line))


def _end(lines: Sequence[str], at: int, goes_on: Callable[[str], bool]) -> int:
    while at < len(lines) and goes_on(lines[at]):
        at += 1
    return at


def _list(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{_spans(found[1])}</li>" for line in lines if (found := _ITEM.fullmatch(line)))
    kind = "ol" if _NUMBERED.match(lines[0]) else "ul"
    return f"<{kind}>{items}</{kind}>"


def _table(lines: Sequence[str]) -> str:
    rows = [[_spans(cell.strip()) for cell in line.strip().strip("|").split("|")] for line in lines]
    head = "".join(f"<th>{cell}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return f'<div class="scroll"><table class="data"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _spans(text: str) -> str:
    """Emphasis and code within a line; what stands between backticks is left as it is."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(f"<code>{html.escape(part)}</code>" if at % 2 else _emphasis(part) for at, part in enumerate(parts))


def _emphasis(text: str) -> str:
    found = html.escape(text)
    for pattern, replacement in _SPANS:
        found = pattern.sub(replacement, found)
    return found
