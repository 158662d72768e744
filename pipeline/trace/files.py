"""Files and folders: what a step asked of each, and whether the answer would be the same now."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from artvcs.vcs import ArtError, hash_bytes, worktree

from .opened import CAN_LISTEN
from .places import Places, is_ignored

ABSENT, UNREADABLE, SPECIAL, FOLDER = "absent", "unreadable", "no plain file", "a folder"

LINK = "a link to "
NO_NAMES = "an empty folder"
_HERE = "./"
_LONGEST = 2000
"""Characters of the names in a folder that are kept as they are."""

_MOST_LEFT = 100_000
"""Paths that are told one by one."""

_WILD = re.compile(r"([^/]*[*?\[].*)")
"""The part of a path that stands for several."""
_MOST_FOLDERS, _MOST_FILES = 100, 1000
"""So much is read of a folder of which nobody hears what is opened in it."""

LARGE = 1 << 30
"""Bytes: a larger file is told apart by what the file system says of it, as reading it takes long."""


class Files:
    """The files of one execution, as it asks for them.

    Args:
        places: Which paths count.
        file_ids: What is known of files' contents.

    Attributes:
        written: The paths that it has written itself.
        written_unseen: Those that were written meanwhile where Python does not see by whom.
        partly: Folders of whose files not all could be read.
    """

    def __init__(self, places: Places, file_ids: worktree.FileIds) -> None:
        self._places = places
        self._file_ids = file_ids
        self._asked: dict[str, dict[str, str]] = {}
        self._states: dict[str, tuple[str, tuple[int, ...]]] = {}
        self.written: set[str] = set()
        self.written_unseen: set[str] = set()
        self.partly: set[str] = set()
        self._told: dict[str, str] = {}
        self._sought: dict[str, tuple[str, _Mark]] = {}
        self._emptied: set[str] = set()
        self._changed: set[str] = set()
        self._appended: dict[str, tuple[str, str]] = {}

    def read(self, given: Any, *, direct: bool) -> bool:
        """A file is about to be read. Returns whether it is no plain file, whose content nobody can compare."""
        found = self._place(given, direct=direct)
        if found is None:
            self._read_appended(given)
            return False
        name, absolute = found
        if "content" in self._asked.get(name, ()):
            told = self._told.get(absolute)
            if told is not None and self._states.get(told) == (absolute, _mark(absolute)):
                del self._told[absolute]  # and not only a program reads it
            return False
        info = _look(absolute)
        self._answer(name, "content", content(absolute, self._file_ids))
        if isinstance(info, str):
            return False
        self._states[name] = (absolute, worktree.signature(info))
        return not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode))

    def tell(self, given: Any) -> None:
        """A program is told of a file: it may read it, or write it, or both."""
        found = self._place(given, direct=False)
        if found is not None and "content" not in self._asked.get(found[0], ()):
            self.read(given, direct=False)
            self._told[found[1]] = found[0]

    def rewritten(self, absolute: str, *, read: bool) -> None:
        """A file was written where Python does not see it; `read` if something was read of it before."""
        if (name := self._told.get(absolute)) is not None:
            self._states.pop(name, None)  # by the step's own doing
            if not read:
                self._asked[name].pop("content", None)

    def seek(self, given: Any) -> None:
        """A path is handed to code that Python does not see: what it found there is noted at the end.

        Only then it is known whether it was read or written, or was not there at all.
        """
        found = self._place(given, direct=True)
        if found is not None and "://" not in os.fsdecode(given):
            self._sought.setdefault(found[0], (found[1], _mark(found[1])))

    def _find(self) -> None:
        """Notes what was sought and is now what it was then: nobody has written it."""
        for name, (absolute, before) in self._sought.items():
            if name in self._asked or absolute in self.written or _mark(absolute) != before:
                continue
            if before == ABSENT:
                self._answer(name, "kind", ABSENT)
                folder, wild, _ = _WILD.split(name, maxsplit=1) if _WILD.search(name) else (name, "", "")
                if wild:
                    self.listed(self._places.resolve(folder or "./"), direct=True)
            elif not (os.path.isdir(absolute) and CAN_LISTEN and self._places.is_inside(absolute)):
                self._read_all(absolute)  # what is read in folders of the project is listened to

    def _read_all(self, absolute: str) -> None:
        """Notes a file's content, or that of all files in a folder."""
        if not os.path.isdir(absolute):
            self.read(absolute, direct=True)
            return
        for number, (folder, _, files) in enumerate(os.walk(absolute)):
            if number == _MOST_FOLDERS or len(files) > _MOST_FILES:
                self.partly.add(absolute)
            if number == _MOST_FOLDERS:
                return
            self.listed(folder, direct=True, sizes=True)
            for each in files[:_MOST_FILES]:
                self.read(os.path.join(folder, each), direct=True)

    def listed(self, given: Any, *, direct: bool, sizes: bool = False) -> None:
        """The names in a folder are about to be read, perhaps with the `sizes` of what they name."""
        found = self._places.known(given)
        if found is None or not self._places.counts(found[1], direct=direct):
            return
        name, absolute = found
        own = sorted(os.path.basename(path) for path in self.written if os.path.dirname(path) == absolute)
        facet = "sizes" if sizes else "names"
        if absolute in self.written:
            facet = f"own {facet}"
        if own:
            facet += f" without {'/'.join(own)}"
        self._answer(name, facet, answer(absolute, facet, self._file_ids))

    def probe(self, given: Any, facet: str, *, direct: bool) -> None:
        """The `kind`, `size`, `stat`, link's `target` or `access MODE` of a path is about to be asked for."""
        found = self._place(given, direct=direct)
        if found is None or (facet == "target" and self._places.is_above(found[1])):
            return
        self._answer(found[0], facet, answer(found[1], facet, self._file_ids))

    def append(self, given: Any) -> None:
        """A file is about to be appended to: what it holds counts, should it be read later."""
        found = self._place(given, direct=True)
        if found is not None and found[0] not in self._asked and found[1] not in self._appended:
            self._appended[found[1]] = (found[0], content(found[1], self._file_ids))
        self.write(given)

    def _read_appended(self, given: Any) -> None:
        found = self._places.known(given)
        if found is not None and found[1] in self._appended:
            name, before = self._appended.pop(found[1])
            self._asked.setdefault(name, {}).setdefault("content", before)

    def empty(self, given: Any) -> None:
        """A folder is about to be removed with all in it: if it is made again, it is to hold nothing else."""
        for folder, folders, files in os.walk(given):
            for each in (*folders, *files):
                self.write(os.path.join(folder, each))
        self.write(given)
        if (found := self._places.known(given)) is not None:
            self._emptied.add(found[1])

    def write(self, given: Any, *, reads: bool = False) -> None:
        """A path is about to be written, made or removed; from then on, what it holds is the step's own."""
        if reads:
            self.read(given, direct=True)
        found = self._places.known(given)
        if found is not None:
            self._states.pop(found[0], None)
            self.written.add(found[1])

    def finish(self) -> tuple[dict[str, dict[str, str]], list[str]]:
        """What was asked of each path, and which files changed meanwhile by somebody else's doing."""
        self._find()
        for name, (absolute, before) in self._states.items():
            now = _look(absolute)
            if isinstance(now, str) or worktree.signature(now) != before:
                self._changed.add(name)
        self._file_ids.settle()
        return self.asked(), sorted(self._changed)

    def asked(self) -> dict[str, dict[str, str]]:
        """What was asked of each path so far."""
        return {name: facets for name, facets in self._asked.items() if facets and not self._is_scratch(name)}

    def sought(self) -> dict[str, list[Any]]:
        """What code was given that Python does not see, and what was there then, as JSON data."""
        return {name: [absolute, mark] for name, (absolute, mark) in self._sought.items()}

    def left(self) -> dict[str, str]:
        """The paths that it has written or removed → what is there now: a content, a folder, names in one, nothing."""
        if len(self.written | self.written_unseen) > _MOST_LEFT:
            return {}  # so many would not go into a record
        paths = (path for path in sorted(self.written | self.written_unseen) if not self._places.is_made_up(path))
        known = (self._places.known(self._places.given(path)) for path in paths)
        found = {
            name: names(absolute) if absolute in self._emptied else what_is_left(absolute, self._file_ids)
            for name, absolute in filter(None, known)
            if self._places.counts(absolute, direct=False)
        }
        self._file_ids.settle()
        return found

    def _is_scratch(self, name: str) -> bool:
        """Whether a path was made up, written and removed by the execution: the next one makes up another."""
        absolute = self._places.resolve(name)
        return self._places.is_made_up(absolute) and absolute in self.written and not os.path.lexists(absolute)

    def merge(
        self, asked: dict[str, dict[str, str]], written: Collection[str], sought: Mapping[str, list[Any]]
    ) -> None:
        """Adds what a child process asked for, wrote and gave to code that Python does not see."""
        for name, (absolute, mark) in sought.items():
            self._sought.setdefault(name, (absolute, mark if isinstance(mark, str) else tuple(mark)))
        for name, facets in asked.items():
            if self._places.resolve(name) not in self.written:
                for facet, answer in facets.items():
                    self._asked.setdefault(name, {}).setdefault(facet, answer)
        self.written.update(written)

    def _place(self, given: Any, *, direct: bool) -> tuple[str, str] | None:
        found = self._places.known(given)
        if found is None or found[1] in self.written or not self._places.counts(found[1], direct=direct):
            return None
        return found

    def _answer(self, name: str, facet: str, answer: str) -> None:
        if self._asked.setdefault(name, {}).setdefault(facet, answer) != answer:
            self._changed.add(name)  # both answers made the result, and only one can be asked for again


def content(path: str, file_ids: worktree.FileIds) -> str:
    """What a file holds: the id of its content, or in words what is there instead."""
    info = _look(path)
    if isinstance(info, str):
        return info
    if stat.S_ISDIR(info.st_mode):
        return FOLDER
    if not stat.S_ISREG(info.st_mode):
        return SPECIAL
    if info.st_size > LARGE:
        return f"{info.st_size} bytes of {info.st_mtime_ns} {info.st_ctime_ns} {info.st_ino}"
    try:
        return file_ids.id_of(path, info)
    except (ArtError, OSError):
        return UNREADABLE


def what_is_left(path: str, file_ids: worktree.FileIds) -> str:
    """What is at a path: as `content`, and of a link where it leads."""
    return f"{LINK}{target(path)}" if os.path.islink(path) else content(path, file_ids)


def names(path: str, without: Collection[str] = (), *, sizes: bool = False, absent: bool = True) -> str:
    """Which names a folder has: one to a line as a path, folders with a slash behind; of many, one hash.

    Args:
        path: The folder.
        without: Names that do not count.
        sizes: Whether the sizes of what they name count.
        absent: Whether it makes a difference that there is no folder.
    """
    found = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not is_ignored(entry.name) and entry.name not in without:
                    size = f" {entry.stat().st_size}" if sizes and entry.is_file() else ""
                    found.append(f"{_HERE}{os.fsdecode(entry.name)}{'/' if entry.is_dir() else ''}{size}")
    except FileNotFoundError:
        if absent:
            return ABSENT
    except OSError:
        return UNREADABLE
    listing = "\n".join(sorted(found))
    if len(listing) <= _LONGEST and all(map(str.isprintable, found)):
        return listing or NO_NAMES
    return hash_bytes("\0".join(sorted(found)).encode("utf-8", "surrogateescape"), "names")


def target(path: str) -> str:
    """Where a symbolic link leads."""
    try:
        return os.readlink(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return ABSENT
    except OSError:
        return "no link"


def kind(path: str) -> str:
    """What is at a path."""
    info = _look(path)
    if isinstance(info, str):
        return info
    return FOLDER if stat.S_ISDIR(info.st_mode) else "a file" if stat.S_ISREG(info.st_mode) else SPECIAL


def access(path: str, mode: int) -> str:
    """Whether a path may be used so, as `os.access` says."""
    return "may" if os.access(path, mode) else "may not"


def size(path: str) -> str:
    """How large a file is."""
    info = _look(path)
    return info if isinstance(info, str) else str(info.st_size)


def state(path: str) -> str:
    """What the file system says of a path that a copy of it may have in common."""
    info = _look(path)
    return info if isinstance(info, str) else f"{info.st_mode:o} {info.st_size} {info.st_mtime_ns}"


_PROBES: dict[str, Callable[[str], str]] = {"kind": kind, "size": size, "stat": state, "target": target}


def answer(path: str, facet: str, file_ids: worktree.FileIds) -> str:
    """What a path answers now."""
    if facet == "content":
        return content(path, file_ids)
    if facet in _PROBES:
        return _PROBES[facet](path)
    if facet.startswith("access "):
        mode = facet.removeprefix("access ")
        return access(path, int(mode)) if mode.isdecimal() and len(mode) < 4 else UNREADABLE
    what, _, without = facet.partition(" without ")
    return names(path, without.split("/"), sizes=what.endswith("sizes"), absent=not what.startswith("own "))


def kind_of(facet: str, then: str, now: str) -> str:
    """What two answers tell of: a folder where both name what is in it, else a file."""
    return "folder" if facet != "stat" and _is_listing(then) and _is_listing(now) else "file"


def told(facet: str, then: str, now: str) -> tuple[str | None, str | None]:
    """Two answers that differ, in words: of names, those that are gone and those that are new."""
    if facet == "stat":
        return _state_in_words(then), _state_in_words(now)
    if not (_is_listing(then) and _is_listing(now)):
        return then, now
    before, after = ([] if each == NO_NAMES else each.split("\n") for each in (then, now))
    gone, new = sorted({*before} - {*after}), sorted({*after} - {*before})
    return _names_in_words(gone), _names_in_words(new)


def listed_in(answer: str) -> set[str] | None:
    """The names that `names` told of a folder; None where it told none, or there were too many."""
    if answer == NO_NAMES:
        return set()
    return {name.removeprefix(_HERE).rstrip("/") for name in answer.split("\n")} if answer.startswith(_HERE) else None


def _is_listing(answer: str) -> bool:
    return answer.startswith(_HERE) or answer == NO_NAMES


def _names_in_words(found: list[str]) -> str | None:
    return ", ".join(name.removeprefix(_HERE) for name in found) or None


def _state_in_words(answer: str) -> str:
    match answer.split():
        case [_, size, time] if time.isdigit():
            changed = datetime.fromtimestamp(int(time) // 1_000_000_000, UTC)
            return f"{size} bytes of {changed:%Y-%m-%d %H:%M:%S} UTC"
    return answer


_Mark = str | tuple[int, ...]


def _mark(path: str) -> _Mark:
    """What is at a path, as far as that says whether it was written."""
    info = _look(path)
    return info if isinstance(info, str) else worktree.signature(info)


def _look(path: str) -> os.stat_result | str:
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except (OSError, ValueError):
        return UNREADABLE
