"""Making the small files of a repository anew."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ...storage.disk import durable
from ...storage.disk.registers import write_register
from ...storage.layout import FORMAT, FORMAT_VERSION, GITIGNORE_TEXT, ROOT, Layout
from ...storage.local import LocalFiles
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


def set_aside(layout: Layout, quarantine: Quarantine) -> Iterator[Problem]:
    """Takes away what does not belong there, and says what; a link goes, and what it leads to stays as it is.

    Raises:
        DamagedError: A folder of data is a link: who has put that elsewhere has to bring it back.
    """
    for path, what in layout.wrong_folders():
        if path not in (layout.ops, layout.packs, layout.index):
            if path == layout.quarantine:
                quarantine.make()
            else:
                quarantine.move(path.name)
            yield Problem(path.name, f"{what}: it is in quarantine")
    layout.check_folders()  # from here on names lead to what is ours
    for found in strangers.strangers(layout, LocalFiles(layout.folder, layout.tmp)):
        if os.path.lexists(layout.folder / found.where):  # else it lay in something that was moved
            quarantine.move(found.where)
            yield Problem(found.where, "was no file of an artifact repository, and lies in quarantine")


def _is_format(layout: Layout) -> bool:
    return layout.format.exists() and strangers.is_register(layout.format)


def _is_ours(layout: Layout) -> bool:
    """Whether packs or ops lie here that this artvcs understands."""
    files = (path for folder in (layout.ops, layout.packs) for path in folder.rglob("*") if path.is_file())
    return any(begins_with(path, BEGINNING) for path in files)
