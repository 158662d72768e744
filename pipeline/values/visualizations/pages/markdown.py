"""Markdown as HTML that needs no sandbox.

markdown-it-py reads it; the HTML is made here, of a few elements whose text is escaped as all text is. HTML within the
Markdown is text. Links lead only where a browser asks somebody else for a page; images are named, for to show one would
tell others that it is being looked at.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import html

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_SCHEMES = ("http://", "https://", "mailto:")
_MOST_OF_TABLES = 100_000
"""Tokens. Rows are filled up with empty cells, so that a short text may be a large table."""

_KEPT = ("p", "ul", "ol", "li", "blockquote", "s", "thead", "tbody", "tr", "th", "td")
_HEADINGS = {f"h{level}": f"h{min(level + 2, 6)}" for level in range(1, 7)}  # below those of the page around
_ELEMENTS = {**dict(zip(_KEPT, _KEPT, strict=True)), **_HEADINGS, "strong": "b", "em": "i"}


def render(text: str) -> str:
    """Markdown as HTML."""
    return _all(_reader().parse(text))


@functools.cache
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # One reference may be long and used often, and would make much of little.
    reader.disable(["reference", "html_block", "html_inline"])
    reader.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    reader.validateLink = _leads_to_a_page  # type: ignore[method-assign]
    return reader


def _leads_to_a_page(url: str) -> bool:
    return url.strip().lower().startswith(_SCHEMES)


def _table(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Reads a table, unless there were very large ones before."""
    from markdown_it.rules_block import table

    used = state.env.get("used by tables", 0)
    if used > _MOST_OF_TABLES:
        return False
    before = len(state.tokens)
    found = table(state, first, last, silent)
    state.env["used by tables"] = used + len(state.tokens) - before
    return found


def _all(tokens: Iterable[Token]) -> str:
    return "".join(map(_one, tokens))


def _one(token: Token) -> str:
    """A token as HTML; of elements that are not known here only the text stays."""
    match token.type:
        case "inline":
            return _all(token.children or ())
        case "softbreak":
            return " "
        case "hardbreak":
            return "<br>"
        case "hr":
            return "<hr>"
        case "code_inline":
            return f"<code>{html.escape(token.content)}</code>"
        case "fence" | "code_block":
            return f"<pre>{html.escape(token.content.removesuffix(chr(10)))}</pre>"
        case "image":
            return f'{html.escape(token.content)} <span class="muted">({html.escape(token.attrs["src"])})</span>'
        case "link_open":
            return _link(str(token.attrs["href"]))
        case "link_close":
            return "</a>"
        case "table_open":
            return '<div class="scroll"><table class="data">'
        case "table_close":
            return "</table></div>"
    return _tag(token) if token.nesting else html.escape(token.content)


def _link(url: str) -> str:
    leads = f' href="{html.escape(url)}" target="_blank" rel="noopener noreferrer nofollow"'
    return f"<a{leads if _leads_to_a_page(url) else ''}>"  # `[text]()` leads nowhere


def _tag(token: Token) -> str:
    element = _ELEMENTS.get(token.tag)
    if element is None or token.hidden:  # as the paragraphs of a list without empty lines
        return ""
    if token.nesting < 0:
        return f"</{element}>"
    if token.attrs.get("style") == "text-align:right":
        return f'<{element} class="number">'
    return f'<{element} start="{html.escape(token.attrs["start"])}">' if "start" in token.attrs else f"<{element}>"
