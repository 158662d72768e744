"""Shows pictures where the user is looking: in a notebook as a page, elsewhere as text."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence

from ...escaping import printable
from . import gallery, terminal
from .model import Visualization
from .pages import html


def show(pictures: Sequence[Visualization], title: str) -> None:
    """Displays pictures in a notebook, or prints what can be said of them."""
    columns = terminal.width()
    text = "\n".join([terminal.line(title, columns), gallery.as_text(pictures, columns)])
    if not in_notebook():
        _print(text)
        return
    heading = f'<div class="title">{html.escape(title)}</div>'
    # Both forms, so that what cannot show HTML has something to show.
    forms = {"text/html": html.fragment(heading + gallery.as_html(pictures)), "text/plain": text}
    display: Callable[..., object] = importlib.import_module("IPython.display").display
    display(forms, raw=True)


def in_notebook() -> bool:
    """Whether this is a kernel that somebody's notebook talks to."""
    ipython = sys.modules.get("IPython")  # where it was not imported, there is no kernel
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def _print(text: str) -> None:
    text = printable(text, lines=True)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    # A terminal that lacks a letter shows a question mark rather than a traceback.
    print(text.encode(encoding, "replace").decode(encoding))
