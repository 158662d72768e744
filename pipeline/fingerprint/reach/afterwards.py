"""What counts only because of what else has been reached: docstrings, type hints, names and lines that are told."""

from __future__ import annotations

import ast

from ..model import Part, digest
from ..syntax.expressions import LINES
from ..syntax.nodes import Definition, line_of
from . import looking
from .traversal import Traversal

_DOC_READERS = {("inspect", "getdoc"), ("pydoc", "getdoc"), ("inspect", "cleandoc")}
_LINE_READERS = {("sys", "_getframe"), ("inspect", "currentframe"), ("inspect", "stack")}
_RECORD_READERS = {"Filter", "Handler", "LogRecord", "setLogRecordFactory", "setLoggerClass"}
_RECORD_READERS |= {"handlers.BufferingHandler", "handlers.MemoryHandler", "handlers.QueueHandler"}
"""What of `logging` gets hold of records, which say where they were made."""


def finish(traversal: Traversal) -> None:
    """Adds all of it; to be called when a traversal has run."""
    _add_hints(traversal)
    _add_docstrings(traversal)
    _add_lines(traversal)
    _add_postponed(traversal)
    add_local_names(traversal)


def add_local_names(traversal: Traversal) -> None:
    """Adds the names of local variables that somebody may look up: by a frame, or by a text that holds them."""
    before, words = traversal.before, traversal.words
    everywhere = looking.at_code(traversal) or (traversal.strict if before is None else looking.at_code(before))
    told: dict[str, list[str]] = {}
    for where, summary in traversal.spoken:
        if summary.local and (everywhere or looking.at_callers(summary) or not words.isdisjoint(summary.local)):
            told.setdefault(where, []).extend(summary.local)
    for where, names in told.items():
        text = " ".join(names)
        traversal.add(Part(f"{where}.<names>", "constant", digest(text), None, 0, text))


def _add_hints(traversal: Traversal) -> None:
    """Adds the type hints that are read, or may be by whoever gets hold of a function."""
    while traversal.hints:
        if traversal.strict or looking.at_anything(traversal):
            due = list(traversal.hints)
        else:
            held = looking.held(traversal).union(traversal.roots)  # what a step says of its types, we read
            due = [name for name in traversal.hints if name in held]
        if not due:
            return
        for name in due:
            module, where, summary = traversal.hints.pop(name)
            traversal.add(Part(f"{where}.__annotations__", "constant", summary.digest, None, 0, ""))
            traversal.use(module, where, summary)
        traversal.run()


def _add_docstrings(traversal: Traversal) -> None:
    readers = "__doc__" in traversal.mentions or not _DOC_READERS.isdisjoint(traversal.foreign)
    for module, name, piece in traversal.documented:
        if (readers or looking.at_docstring(traversal, module, piece)) and isinstance(piece.node, Definition):
            text = ast.get_docstring(piece.node, clean=False)
            if text:
                file = name.partition("::")[0]
                traversal.add(Part(f"{name}.__doc__", "constant", digest(text), file, line_of(piece.node), text))


def _add_postponed(traversal: Traversal) -> None:
    """Adds that hints are texts in a module, by `from __future__ import annotations`, where somebody reads hints."""
    if looking.at_anything(traversal) or ("dataclasses", "fields") in traversal.foreign:
        for module in {module.path: module for module, _ in traversal.taken}.values():
            if module.postpones_hints:
                text = "from __future__ import annotations"
                name = traversal.name(module, "__annotations__")
                traversal.add(Part(name, "import", digest(text), traversal.resolver.label(module.path), 1, text))


def _add_lines(traversal: Traversal) -> None:
    if (
        not _LINE_READERS.isdisjoint(traversal.foreign)
        or not LINES.isdisjoint(traversal.mentions)
        or any(f"{dotted}.{rest}".removeprefix("logging.") in _RECORD_READERS for dotted, rest in traversal.foreign)
    ):
        for module in {module.path: module for module, _ in traversal.taken}.values():
            name = traversal.name(module, "<lines>")
            traversal.add(Part(name, "file", digest(f"{name}\n{module.text}"), None, 0, ""))
