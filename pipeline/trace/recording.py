"""What one execution is seen to use, noted while it runs; forked children write what they see to a file."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

from artvcs.vcs import Repository

from ..fingerprint import stated
from .chance import Chance
from .environment import Environment
from .files import Files
from .hearing.opened import Opened, Seen, listener
from .left import kinds
from .left.whereabouts import Whereabouts
from .places import Places

_GATHERED = ("modules", "classes", "packages", "missing", "unverified", "refused")
"""What is taken over from children as it is."""


class Recording:
    """Notes what one execution uses.

    Attributes:
        files: The files it asks for.
        environment: The variables it asks for.
        chance: The random numbers it draws.
        entered: The user's code that it entered.
        modules: Files of the user's code that were run as modules, or as programs.
        answers: Questions to the Client → hash of the answer.
        context: What it asked of its own run.
        unverified: What cannot be compared, in words.
        refused: Why the result cannot be used again, in words.
        classes: Classes that were looked up for values that were loaded or stored, as `module:name`.
        packages: Top-level modules of packages that were imported, or whose files were asked for.
        missing: Distributions and modules that it asked for and that are not installed.
        places: Which paths count.
        beside_others: Whether something else was recorded at the same time, in another thread.
    """

    def __init__(self, repository: Repository) -> None:
        places = Places(str(repository.project), str(repository.layout.folder))
        self.files = Files(places, repository.file_ids)
        self.environment = Environment()
        self.chance = Chance()
        self._whereabouts = Whereabouts.now()
        self._loaded = list(sys.modules)
        self.entered: set[CodeType] = set()
        self.modules: set[str] = set()
        self.answers: dict[str, str] = {}
        self.context: dict[str, str] = {}
        self.unverified: set[str] = set()
        self.refused: set[str] = set()
        self.classes: set[str] = set()
        self.packages: set[str] = set()
        self.missing: set[str] = set()
        self.places = places
        self.beside_others = False
        self._listener: Opened | None = None
        self._heard: Seen | None = None
        self._process = os.getpid()
        self._spool: Path | None = None
        self._spooled: set[tuple[str, str]] = set()

    def left(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """What the execution, which has just ended, leaves of variables, files and whereabouts: kind → name → state."""
        yield kinds.VARIABLES, self.environment.left()
        yield kinds.FILES, self.files.left()
        yield kinds.APPENDED, self.files.appended()
        yield from self._whereabouts.left(self.places).items()

    def loaded(self) -> Iterator[tuple[str, str]]:
        """The modules that were loaded since it began, each with its file."""
        now = list(sys.modules)
        for name in sorted({*now}.difference(self._loaded)) if now != self._loaded else ():
            path = stated(sys.modules.get(name), "__file__")
            if isinstance(path, str):
                yield name, os.path.abspath(path)

    def come_back(self) -> None:
        """The execution has just ended: if it left the process in a folder that is gone, goes back."""
        self._whereabouts.come_back()

    def listen(self) -> None:
        """From now on, also takes what is opened by code that Python does not see."""
        if self._heard is None and (found := listener(self.places.project)) is not None:
            self._listener, self._heard = found, found.subscribe()

    def used(self) -> set[str]:
        """Of which files something was read until now, as far as it is listened to."""
        self.listen()
        if self._listener is None or self._heard is None:
            return set()
        self._listener.settle()
        return set(self._heard.used)

    def tell(self, files: Collection[Any], used: Collection[str]) -> None:
        """A program is about to be told of files: it may read or write them; from now on it is heard which.

        Args:
            files: The files.
            used: What `used` said before they were looked at, for that is heard, too.
        """
        for each in files:
            self.files.tell(each)
        if self._listener is not None and self._heard is not None:
            self._listener.listen_closely(self._heard, used)

    def hear(self) -> None:
        """Takes what has been opened since it began to listen."""
        if self._listener is None or self._heard is None or not self._listener.is_of_this_process:
            return
        seen = self._listener.leave(self._heard)
        for source, target in seen.moved.items():
            self.files.moved(source, target)
        self.files.written_unseen |= seen.written
        for path in sorted(seen.written):
            self.files.rewritten(path, read=path in seen.used)
        for path in sorted(seen.read):
            if not path.endswith((".py", ".pyc")):
                self.files.hear(path, self.files.read)
        searched = {os.path.abspath(folder or ".") for folder in sys.path}  # by the import system, for modules
        for path in sorted(seen.listed - searched - {self.places.project}):
            self.files.hear(path, self.files.listed)
        if seen.failure:
            self.refused.add(f"it could not be seen what other programs and C code open ({seen.failure})")
        if not seen.whole:
            self.unverified.add("which files of the project other programs open: there are too many folders to watch")

    def prepare_fork(self) -> None:
        """Makes sure that a child has a file to write to."""
        self.chance.fork()
        if self._spool is None:
            handle, name = tempfile.mkstemp(prefix="artvcs-trace-")
            os.close(handle)
            self._spool = Path(name)

    def spool(self) -> None:
        """In a child: writes what it has seen since it last did, for the parent to read; it may end at any time."""
        if self._spool is None or os.getpid() == self._process:
            return
        seen: dict[str, Any] = {
            "files": self.files.asked(), "sought": self.files.sought(), "env": self.environment.asked,
            **{name: dict.fromkeys(getattr(self, name)) for name in _GATHERED},
            "written": dict.fromkeys(self.files.written),
        }  # fmt: skip
        new = {kind: {key: value for key, value in told.items() if (kind, key) not in self._spooled}
               for kind, told in seen.items()}  # fmt: skip
        self._spooled.update((kind, key) for kind, told in new.items() for key in told)
        if not any(new.values()):
            return
        handle = os.open(self._spool, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, (json.dumps(new) + "\n").encode("utf-8", "surrogateescape"))
        finally:
            os.close(handle)

    def gather(self) -> None:
        """Adds what forked children have seen."""
        if self._spool is None:
            return
        for line in self._spool.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                seen = json.loads(line.decode("utf-8", "surrogateescape"))
                self.files.merge(seen["files"], seen["written"], seen["sought"])
                self.environment.merge(seen["env"])
                for name in _GATHERED:
                    getattr(self, name).update(seen[name])
        with contextlib.suppress(OSError):
            self._spool.unlink()
