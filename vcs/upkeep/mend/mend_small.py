"""Making the small files of a repository anew."""

from __future__ import annotations

from collections.abc import Iterator

from ...storage.disk import durable
from ...storage.disk.registers import write_register
from ...storage.layout import FORMAT, FORMAT_VERSION, GITIGNORE_TEXT, ROOT, Layout
from ...storage.packs.pack import BEGINNING
from ..check import strangers
from ..check.problem import Problem
from .quarantine import Quarantine, begins_with


def mend(layout: Layout, quarantine: Quarantine) -> Iterator[Problem]:
    """Makes anew what is damaged, and says what was."""
    if not layout.folder.is_dir():
        return
    if not _is_format(layout) and _is_ours(layout):
        quarantine.keep(FORMAT)
        write_register(layout.format, dict.fromkeys(("read", "write", "gc"), FORMAT_VERSION), layout.tmp)
        yield Problem(FORMAT, "was damaged or missing, and is written anew")
    if not layout.format.exists():
        return
    if not strangers.is_gitignore(layout):
        quarantine.keep(layout.gitignore.name)
        durable.write_file(layout.gitignore, GITIGNORE_TEXT.encode(), staging=layout.tmp)
        yield Problem(layout.gitignore.name, "is written anew")
    if not strangers.is_hint(layout):
        quarantine.move(ROOT)
        yield Problem(ROOT, "was damaged, and was only a hint: it is gone until the next change")


def _is_format(layout: Layout) -> bool:
    return layout.format.exists() and strangers.is_register(layout.format)


def _is_ours(layout: Layout) -> bool:
    """Whether packs or ops lie here that this artvcs understands."""
    files = (path for folder in (layout.ops, layout.packs) for path in folder.rglob("*") if path.is_file())
    return any(begins_with(path, BEGINNING) for path in files)
