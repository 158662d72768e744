"""The small files of a repository, those that are being written, and files that do not belong there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...changes.journal import leftovers, lines_of, parse_line
from ...errors import ArtError, DamagedError
from ...objects.oid import is_oid
from ...repository import is_shared
from ...storage.disk.plain import is_something_else, read_plain
from ...storage.disk.registers import read_register
from ...storage.files import Files
from ...storage.layout import FORMAT, GITIGNORE_TEXT, INDEX, OPS, PACKS, ROOT, Layout, is_pack_name, op_seq
from .problem import Problem

_LANDS = (".pack", ".journal")
_SMALL = 4096


def small_files(layout: Layout) -> Iterator[Problem]:
    """What is wrong with the files that stand alone."""
    try:
        read_register(layout.format)
    except ArtError as error:
        yield Problem(FORMAT, str(error))
    if not is_gitignore(layout):
        yield Problem(layout.gitignore.name, "is not as artvcs wrote it")
    if not is_hint(layout):
        yield Problem(ROOT, "names no op that there is: the op was lost, or this file is damaged")
    for journal in leftovers(layout):
        if not is_journal(journal):
            yield Problem(f"{layout.incoming.name}/{journal.name}", "holds a line that is not what was written")


def is_register(path: Path) -> bool:
    """Whether a register is what was written."""
    try:
        read_register(path)
    except DamagedError:
        return False
    return True


def is_gitignore(layout: Layout) -> bool:
    """Whether Git is told to leave the repository alone; zeros are what a power cut may leave, and harm nobody."""
    if is_shared(layout):
        return True
    try:
        return read_plain(layout.gitignore, _SMALL).strip(b"\0") in (GITIGNORE_TEXT.encode(), b"")
    except (OSError, DamagedError):
        return False


def is_hint(layout: Layout) -> bool:
    """Whether `root` is missing, or may have been written by somebody: it may name any op that there was."""
    try:
        text = read_plain(layout.folder / ROOT, _SMALL)
    except FileNotFoundError:
        return True
    except DamagedError:
        return False
    if not text.strip(b"\0"):
        return True  # as a power cut may leave it
    if not text.endswith(b"\n") or not text[:-1].isdigit() or len(text) > 13 or int(text) == 0:
        return False
    return any((seq := op_seq(f"{OPS}/{path.name}")) is not None and seq >= int(text) for path in layout.ops.glob("*"))


def is_journal(path: Path) -> bool:
    """Whether all lines of a journal are whole but for a last one without an end, which a kill may have torn."""
    try:
        return all(parse_line(line) is not None for line in lines_of(path) if line.endswith(b"\n"))
    except FileNotFoundError:
        return True  # published since


def strangers(layout: Layout, files: Files) -> Iterator[Problem]:
    """Files that are not ours; packs that no state names are garbage, and no problem."""
    folder = layout.folder
    ours = layout.top_names()
    found = [path.name for path in folder.iterdir() if path.name not in ours]
    found += [name for name in files.list(OPS) if op_seq(name) is None]
    found += [name for name in files.list(PACKS) if not is_pack_name(name)]
    found += [name for name in files.list(INDEX) if not is_oid(name.rpartition("/")[2])]
    found += [str(path.relative_to(folder)) for path in layout.incoming.glob("*") if path.suffix not in _LANDS]
    locks = (layout.turn, layout.queue, layout.repair, *layout.leases.glob("*"), *layout.running.glob("*"))
    files_of_ours = (*locks, *layout.incoming.glob("*"))
    found += [str(path.relative_to(folder)) for path in files_of_ours if is_something_else(path)]
    found += [str(path.relative_to(folder)) for path in layout.packs.rglob("*") if path.is_symlink()]
    for path in layout.trust.glob("*"):
        if path.is_symlink() or not path.is_file():  # any bytes will do: those that are no proof trust nothing
            found.append(str(path.relative_to(folder)))
    for name in sorted(set(found)):
        yield Problem(name, "is not a file of an artifact repository")
