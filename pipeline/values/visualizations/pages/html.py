"""Summaries as HTML. Whatever comes from a value goes through `escape`, or into a sandbox.

Colours are those of the page around it, made lighter by opacity, so that a fragment suits the light and the
dark theme of a notebook, whatever the system prefers. `page` is for where there is no page around.
"""

from __future__ import annotations

import base64
import html

from ....escaping import printable
from .. import wording
from ..summary import Bar, Block, Cell, Chart, Facts, Histogram, Line, Picture, Shares, Summary, Table, Text
from . import charts

_STYLE = """<style>
.artvcs{font:13px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:inherit;max-width:100%;
--accent:#4a8fdd;--minus:#d9744f;--line:rgba(128,128,128,.28)}
.artvcs .scroll{overflow-x:auto;max-width:100%}
.artvcs .title{font-weight:600;font-size:14px;margin:.2em 0 .4em}
.artvcs .caption{font-weight:600;margin:.9em 0 .2em}
.artvcs .graph{margin:.8em 0}.artvcs .muted,.artvcs .data th{opacity:.68}
.artvcs .data{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.2em 0;border:0}
.artvcs .data th,.artvcs .data td{text-align:left;vertical-align:middle;padding:.28em 1.1em .28em 0;border:0;
border-bottom:1px solid var(--line);background:none;max-width:28em;overflow:hidden;
text-overflow:ellipsis;white-space:nowrap}
.artvcs .data td.wide{white-space:normal;overflow-wrap:break-word;min-width:11em}
.artvcs .data th{font-weight:500;font-size:12px}
.artvcs .data .number{text-align:right}
.artvcs .data tr{background:none}
.artvcs .facts{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1.2em;margin:.3em 0}
.artvcs .facts dt{opacity:.68;font-weight:400;margin:0;padding:0;float:none;width:auto}
.artvcs .facts dd{margin:0;padding:0;float:none;width:auto;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.artvcs pre{font:12px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;
overflow-wrap:anywhere;margin:.3em 0;padding:.6em .8em;border:1px solid var(--line);border-radius:6px;
background:rgba(128,128,128,.06);color:inherit;max-height:32em;overflow-y:auto}
.artvcs code{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:none;color:inherit}
.artvcs svg{display:inline-block;vertical-align:middle;fill:var(--accent)}
.artvcs svg .minus{fill:var(--minus)}.artvcs svg .track{fill:rgba(128,128,128,.16)}
.artvcs svg path{fill:none;stroke:var(--accent);stroke-width:1.6}
.artvcs .ends{display:flex;justify-content:space-between;font-size:11px;opacity:.68;font-variant-numeric:tabular-nums}
.artvcs .share{display:block;line-height:1.35}
.artvcs .share i{display:inline-block;height:8px;border-radius:2px;background:var(--accent);margin-right:.35em}
.artvcs .card{border:1px solid var(--line);border-radius:8px;padding:.7em 1em;margin:.2em 0}
.artvcs img{max-width:100%;border-radius:4px}.artvcs img.pixels{image-rendering:pixelated}
.artvcs iframe{box-sizing:border-box;width:100%;height:420px;border:1px solid var(--line);border-radius:6px}
.artvcs iframe{background:#fff;resize:vertical}
.artvcs .pill{display:inline-block;padding:0 .6em;border-radius:1em;font-size:12px;border:1px solid var(--line)}
.artvcs .good{color:#2f9e5b}.artvcs .bad{color:#d5533c}.artvcs .reused{color:#3f88d8}
</style>"""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
:root{{color-scheme:light dark}}body{{margin:1.2em;background:#fff;color:#1c1f24}}
@media(prefers-color-scheme:dark){{body{{background:#16181c;color:#e4e6ea}}}}
</style></head><body>{body}</body></html>"""
# Scripts are off in a sandbox anyway; this keeps a picture from telling others that it is being looked at.
_QUIET = (
    '<!doctype html><meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; font-src data:; media-src data:; style-src 'unsafe-inline'\">"
)
_PIXELATED_BELOW = 256


def escape(text: object) -> str:
    """Text that means itself in HTML, in attributes too."""
    return html.escape(printable(str(text), lines=True), quote=True)


def fragment(body: str) -> str:
    """HTML made here, with its style, to be put into a page."""
    return f'{_STYLE}<div class="artvcs">{body}</div>'


def page(title: str, body: str) -> str:
    """A page of its own around fragments; light or dark as the system prefers."""
    return _PAGE.format(title=escape(title), body=body)


def sandbox(document: str) -> str:
    """Somebody's HTML where it can do nothing: no scripts, no forms, nothing loaded from elsewhere."""
    return f'<iframe sandbox="" srcdoc="{html.escape(_QUIET + document, quote=True)}"></iframe>'


def image(content: bytes, mime: str, alt: str = "", pixels: int = 0) -> str:
    """An image inside the page; scripts in an SVG do not run in it.

    Args:
        content: Its bytes.
        mime: Its type, such as `image/png`.
        alt: What to say where it cannot be seen.
        pixels: Its width, where it is small and its pixels are the point.
    """
    drawn = f' class="pixels" width="{pixels * max(1, _PIXELATED_BELOW // pixels)}"' if pixels else ""
    return f'<img{drawn} alt="{escape(alt)}" src="data:{mime};base64,{base64.b64encode(content).decode()}">'


def render(summary: Summary) -> str:
    """A summary, without style and frame."""
    title = f'<div class="title">{escape(summary.title)}</div>' if summary.title else ""
    return title + "".join(_block(block) for block in summary.blocks)


def caption(text: str) -> str:
    """A heading above a block."""
    return f'<div class="caption">{escape(text)}</div>' if text else ""


def _block(block: Block) -> str:
    match block:
        case Facts(items):
            return '<dl class="facts">' + "".join(map(_fact, items)) + "</dl>"
        case Table():
            return caption(block.caption) + table(block)
        case Chart(histogram, heading):
            return caption(heading) + f'<div style="width:360px;max-width:100%">{_histogram(histogram, 360, 90)}</div>'
        case Picture():
            pixels = block.width if block.width < _PIXELATED_BELOW else 0
            return caption(block.caption) + f"<div>{image(block.png, 'image/png', block.caption, pixels)}</div>"
        case Text(text, heading):
            return caption(heading) + f"<pre>{escape(text)}</pre>"


def _fact(item: tuple[str, str]) -> str:
    return f"<dt>{escape(item[0])}</dt><dd>{escape(item[1])}</dd>"


def table(block: Table) -> str:
    """Rows under heads."""
    heads = "".join(f"<th{_aligned(block, at)}>{escape(head)}</th>" for at, head in enumerate(block.heads))
    rows = "".join(
        "<tr>" + "".join(f"<td{_aligned(block, at)}>{_cell(cell)}</td>" for at, cell in enumerate(row)) + "</tr>"
        for row in block.rows
    )
    note = f'<div class="muted">{escape(block.note)}</div>' if block.note else ""
    return (
        '<div class="scroll"><table class="data">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _aligned(block: Table, at: int) -> str:
    if at in block.wrapped:
        return ' class="wide"'
    return ' class="number"' if at in block.numeric else ""


def _cell(cell: Cell) -> str:
    match cell:
        case str():
            return escape(cell)
        case Histogram():
            return f'<div style="width:120px">{_histogram(cell, 120, 28)}</div>'
        case Shares(items):
            return "".join(map(_share, items))
        case Bar():
            return charts.bar(cell)
        case Line():
            return charts.line(cell)


def _histogram(data: Histogram, width: int, height: int) -> str:
    ends = f'<div class="ends"><span>{escape(data.low)}</span><span>{escape(data.high)}</span></div>'
    return charts.histogram(data, width, height) + ends


def _share(item: tuple[str, float]) -> str:
    label, share = item
    return (
        f'<span class="share"><i style="width:{max(2, round(share * 48))}px"></i>{escape(wording.cut(label, 24))} '
        f'<span class="muted">{wording.percent(share)}</span></span>'
    )
