"""Files and folders: what a step asked of each, and what it left there."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Mapping
from typing import Any

from artvcs.vcs import worktree

from . import paths
from .hearing.opened import CAN_LISTEN
from .places import Places

_MOST_LEFT = 100_000
"""Paths that are told one by one."""

_WILD = re.compile(r"([^/]*[*?\[].*)")
"""The part of a path that stands for several."""
_MOST_FOLDERS, _MOST_FILES = 100, 1000
"""So much is read of a folder of which nobody hears what is opened in it."""


class Files:
    """The files of one execution, as it asks for them.

    `_told` holds those that a program was told of, by path; `_sought` what code was given that Python does not see;
    `_seen` the paths that Python saw being read or listed, by whatever name, also those that are none of its doing.

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
        self._sought: dict[str, tuple[str, paths.Mark]] = {}
        self._emptied: set[str] = set()
        self._changed: set[str] = set()
        self._appended: dict[str, tuple[str, str]] = {}
        self._seen: set[str] = set()

    def read(self, given: Any, *, direct: bool, rows: bool = False) -> bool:
        """A file is about to be read. Returns whether it is no plain file, whose content nobody can compare.

        Args:
            given: The file.
            direct: Whether the user's own code asks for it.
            rows: Whether SQLite reads it, to which only counts what a database says.
        """
        found = self._place(given, direct=direct)
        if found is None:
            self._read_appended(given)
            return False
        name, absolute = found
        self._seen.add(absolute)
        if "content" in self._asked.get(name, ()):
            told = self._told.get(absolute)
            if told is not None and self._states.get(told) == (absolute, paths.mark(absolute)):
                del self._told[absolute]  # and not only a program reads it
            return False
        info = paths.look(absolute)
        self._answer(name, "content", paths.content(absolute, self._file_ids))
        if isinstance(info, str):
            return False
        self._states[name] = (absolute, worktree.signature(info))
        if not rows and worktree.is_database(absolute, info):
            self._answer(name, "bytes", paths.answer(absolute, "bytes", self._file_ids))
        return not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode))

    def overlook(self, given: Any) -> None:
        """A file is about to be read, or a folder listed, that is none of the execution's doing."""
        if (found := self._places.known(given)) is not None:
            self._seen.add(found[1])

    def hear(self, absolute: str, take: Callable[..., object]) -> None:
        """A path was read or listed, as `take` notes it, and nobody says by whom: Python may have told of it."""
        if absolute not in self._seen:
            take(self._places.given(absolute), direct=False)

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
        if found is not None:
            self._sought.setdefault(found[0], (found[1], paths.mark(found[1])))

    def _find(self) -> None:
        """Notes what was sought and is now what it was then: nobody has written it."""
        for name, (absolute, before) in self._sought.copy().items():  # threads that it has started may go on
            is_known = absolute in self._seen and not os.path.isdir(absolute)
            if is_known or absolute in self.written or paths.mark(absolute) != before:
                continue
            if before == paths.ABSENT:
                self._answer(name, "kind", paths.ABSENT)
                folder, wild, _ = _WILD.split(name, maxsplit=1) if _WILD.search(name) else (name, "", "")
                if wild:
                    self.listed(self._places.resolve(folder or "./"), direct=True)
            elif not (os.path.isdir(absolute) and CAN_LISTEN and self._places.is_inside(absolute)):
                self._read_all(absolute)  # what is read in folders of the project is listened to

    def _read_all(self, given: Any) -> None:
        """Notes a file's content, or that of all files in a folder."""
        if not os.path.isdir(given):
            self.read(given, direct=True)
            return
        for number, (folder, _, files) in enumerate(os.walk(given)):
            if number == _MOST_FOLDERS or len(files) > _MOST_FILES:
                self.partly.add(os.path.abspath(given))
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
        self._seen.add(absolute)
        own = sorted(os.path.basename(path) for path in list(self.written) if os.path.dirname(path) == absolute)
        facet = "sizes" if sizes else "names"
        if absolute in self.written:
            facet = f"own {facet}"
        if own:
            facet += f" without {'/'.join(own)}"
        self._answer(name, facet, paths.answer(absolute, facet, self._file_ids))

    def probe(self, given: Any, facet: str, *, direct: bool) -> None:
        """The `kind`, `size`, `stat`, link's `target` or `access MODE` of a path is about to be asked for."""
        found = self._place(given, direct=direct)
        if found is None or (facet == "target" and self._places.is_above(found[1])):
            return
        self._answer(found[0], facet, paths.answer(found[1], facet, self._file_ids))

    def append(self, given: Any) -> None:
        """A file is about to be appended to: what it holds counts, should it be read later."""
        found = self._place(given, direct=True)
        if found is not None and "content" not in self._asked.get(found[0], ()) and found[1] not in self._appended:
            self._appended[found[1]] = (found[0], paths.content(found[1], self._file_ids))
        self.write(given)

    def appended(self) -> dict[str, str]:
        """The files that it only appended to → what they held before."""
        return dict(self._appended.values())

    def _read_appended(self, given: Any) -> None:
        found = self._places.known(given)
        if found is not None and found[1] in self._appended:
            name, before = self._appended.pop(found[1])
            self._asked.setdefault(name, {}).setdefault("content", before)

    def move(self, source: Any, target: Any, *, direct: bool) -> None:
        """A file, or a folder with all in it, is about to be moved, or linked to by another name."""
        self.read(source, direct=direct)
        if os.path.isdir(source) and not os.path.islink(source):
            if self._place(source, direct=direct) is not None:
                self._read_all(source)
            for folder, folders, files in os.walk(source):
                for each in (*folders, *files):
                    path = os.path.join(folder, each)
                    self.write(path)
                    self.write(os.path.join(target, os.path.relpath(path, source)))
        self.write(source)
        self.write(target)

    def moved(self, source: str, target: str) -> None:
        """A folder was moved where Python does not see it: what is there now was in it, if it was there before."""
        is_own = source in self.written or source in self.written_unseen
        for folder, folders, files in os.walk(target):
            was = os.path.normpath(os.path.join(source, os.path.relpath(folder, target)))
            found = None if is_own else self._place(self._places.given(was), direct=False)
            if found is not None:
                self._answer(found[0], "names", paths.names(folder))
            for each in files:
                found = None if is_own else self._place(self._places.given(os.path.join(was, each)), direct=False)
                if found is not None:
                    self._answer(found[0], "content", paths.content(os.path.join(folder, each), self._file_ids))
            self.written_unseen.update(os.path.join(was, each) for each in (*folders, *files))
        self.written_unseen.add(source)

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
        for name, (absolute, before) in self._states.copy().items():
            now = paths.look(absolute)
            if isinstance(now, str) or worktree.signature(now) != before:
                self._changed.add(name)
        self._file_ids.settle()
        return self.asked(), sorted(self._changed)

    def asked(self) -> dict[str, dict[str, str]]:
        """What was asked of each path so far."""
        return {name: facets for name, facets in self._asked.copy().items() if facets and not self._is_scratch(name)}

    def sought(self) -> dict[str, list[Any]]:
        """What code was given that Python does not see, and what was there then, as JSON data."""
        return {name: [absolute, mark] for name, (absolute, mark) in self._sought.copy().items()}

    def left(self) -> dict[str, str]:
        """The paths that it has written or removed → what is there now: a content, a folder, names in one, nothing."""
        if len(self.written | self.written_unseen) > _MOST_LEFT:
            return {}  # so many would not go into a record
        kept = (path for path in sorted(self.written | self.written_unseen) if not self._places.is_made_up(path))
        known = (self._places.known(self._places.given(path)) for path in kept)
        found = {
            name: self._left_at(absolute)
            for name, absolute in filter(None, known)
            if self._places.counts(absolute, direct=False)
        }
        self._file_ids.settle()
        return found

    def _left_at(self, absolute: str) -> str:
        if absolute in self._emptied and os.path.isdir(absolute) and not os.path.islink(absolute):
            return paths.names(absolute)
        return paths.what_is_left(absolute, self._file_ids)

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
            if any(facet == "content" or paths.is_of_names(facet) for facet in facets):
                self._seen.add(self._places.resolve(name))
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
