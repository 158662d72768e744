"""New files take the place of old ones at once, and a process killed in between leaves nothing behind.

What is new is made ready beside the target, made durable, and then exchanged with what is there: the target's name
holds all of the old or all of the new at each moment, also after a power cut. A note in the repository says where, and
how far it has come, so that somebody else can clean up.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import WouldOverwrite
from ..objects.oid import Oid
from ..storage import layout
from ..storage.disk import durable, system
from ..storage.disk.locks import Lock
from ..storage.layout import Layout
from . import snapshot
from .snapshot import Snapshot

_TOKEN = re.compile(r"[0-9a-f]{16}")
_MAX_NOTE = 1 << 16
"""Bytes of a note that are read: the path in it is shorter than a few thousand."""


class Staging:
    """A place beside `target` where its new content is made ready, and the way from there to its name.

    Use it as a context manager: write to `path`, then call `put`. Leaving the block removes what is not at `target`.
    """

    def __init__(self, repository: Layout, target: Path) -> None:
        self._token = os.urandom(8).hex()
        self._target = target
        self.path = layout.staging(target.parent, self._token)
        self._note = _Note.create(repository, self._token, target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            _settle(self._token, self._note)
            self._note.remove()
        except OSError:
            if kind is None:
                raise
        finally:
            self._note.close()

    def put(self, before: Snapshot | None) -> None:
        """Puts what is at `path` at the target, durably.

        Args:
            before: What was at the target when it was found that it may be replaced; None for nothing.

        Raises:
            WouldOverwrite: Something else is there now; it is left as it is.
            OSError: The operating system refused.
        """
        durable.sync_below(self.path)
        if before is None:
            try:
                system.rename_new(self.path, self._target)
            except FileExistsError:
                raise _changed(self._target) from None
            durable.sync_folder(self._target.parent)
            return
        self._note.add(states=[before.state, snapshot.state_of(self.path)])
        old = self._swap()
        durable.sync_folder(self._target.parent)
        if not _is(old, before.state):
            self._swap_back(old)
            raise _changed(self._target)
        self._note.add(done=True)

    def _swap(self) -> Path:
        """Brings the new content to the target; returns where the old one is then."""
        if system.exchange(self.path, self._target):
            return self.path
        old = layout.aside(self._target.parent, self._token)
        system.rename_new(self._target, old)
        system.rename_new(self.path, self._target)
        return old

    def _swap_back(self, old: Path) -> None:
        if old == self.path:
            system.exchange(old, self._target)
        else:
            system.rename_new(self._target, self.path)
            system.rename_new(old, self._target)
        durable.sync_folder(self._target.parent)


def clean_up(repository: Layout) -> list[Path]:
    """Removes what checkouts of dead processes left beside users' files, and finishes what they had begun.

    Where a file system cannot exchange two names, a target may be missing: then it gets back what it held.

    Returns:
        Where edits are now that somebody made while a process was killed; nothing else knows of them.
    """
    kept = []
    if not repository.checkouts.is_symlink() and repository.checkouts.is_dir():
        for path in sorted(repository.checkouts.iterdir()):
            # Another user's, or on a disk that is gone: whoever can will do it.
            with contextlib.suppress(OSError):
                if _TOKEN.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode):
                    kept.extend(_clean_up(path))
    return kept


def _clean_up(path: Path) -> list[Path]:
    note = _Note.dead(path)
    if note is None:
        return []
    try:
        edits = _settle(path.name, note) if note.content else None
        note.remove()
        return [edits] if edits else []
    finally:
        note.close()


def _settle(token: str, note: _Note) -> Path | None:
    """Removes what a checkout left beside its target; returns where unknown edits are, if there were any.

    Can be done at any moment, and again. Only names that a checkout made are touched, whatever the note says.
    """
    folder, states = Path(note.content["folder"]), note.content.get("states")
    target, old = folder / note.content["name"], layout.aside(folder, token)
    for place in (old, layout.staging(folder, token)):
        if not os.path.lexists(place):
            continue
        if place == old and not os.path.lexists(target):
            system.rename_new(place, target)
            continue
        if states and not note.content.get("done"):
            # Before the exchange all here is ours; afterwards it may be what somebody has edited meanwhile.
            if not any(_is(place, state) for state in states):
                system.rename_new(place, layout.kept_edits(folder, token))
                return layout.kept_edits(folder, token)
            note.add(done=True)
        _remove(place)
    return None


class _Note:
    """What is known of a checkout: lines of JSON in a file that is locked while its process lives.

    The first line says where (`folder`, `name`), the next comes before the exchange (`states`: of the old and the new
    content), the last when the old content may go (`done`).
    """

    def __init__(self, lock: Lock | None, content: dict[str, Any]) -> None:
        self._lock = lock
        self.content = content

    @classmethod
    def create(cls, repository: Layout, token: str, target: Path) -> Self:
        """Notes where something will be made; durable when this returns."""
        path, lock = repository.checkout_note(token), None
        # A repository that cannot be written can still be read: then nothing is left if nothing goes wrong.
        if os.access(repository.folder, os.W_OK):
            path.parent.mkdir(exist_ok=True)
            lock = Lock.make(path)
        note = cls(lock, {})
        try:
            note.add(folder=str(target.parent), name=target.name)
            if lock is not None:
                durable.sync_folder(path.parent)
        except BaseException:
            note.close()
            raise
        return note

    @classmethod
    def dead(cls, path: Path) -> Self | None:
        """A note that nobody works on any more; its content is empty if its process had not begun."""
        lock = Lock.take(path)
        if lock is None:
            return None
        content: dict[str, Any] = {}
        with contextlib.suppress(ValueError, TypeError, RecursionError):  # the last line may be torn
            for line in os.pread(lock.fd, _MAX_NOTE, 0).splitlines():
                content |= json.loads(line)
        valid = _is_place(content.get("folder"), content.get("name")) and isinstance(content.get("states", []), list)
        return cls(lock, content if valid else {})

    def add(self, **facts: Any) -> None:
        """Adds a line, durably."""
        self.content |= facts
        if self._lock is not None:
            line = json.dumps(facts).encode() + b"\n"
            durable.write_at(self._lock.fd, line, os.fstat(self._lock.fd).st_size)
            os.fsync(self._lock.fd)

    def remove(self) -> None:
        """Forgets the note."""
        if self._lock is not None:
            self._lock.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Gives up its lock."""
        if self._lock is not None:
            self._lock.release()


def _is_place(folder: object, name: object) -> bool:
    if not isinstance(folder, str) or not isinstance(name, str):
        return False
    return Path(folder).is_absolute() and Path(name).name == name not in ("", "..") and "\0" not in folder + name


def _is(path: Path, state: Oid) -> bool:
    try:
        return snapshot.state_of(path) == state
    except FileNotFoundError:
        return False


def _changed(target: Path) -> WouldOverwrite:
    return WouldOverwrite(f"{target} was changed by somebody else meanwhile, and is left as it is; try again.")


def _remove(path: Path) -> None:
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        # Folders that may not be written keep what they hold; these are ours to remove.
        for folder, info in durable.below(path):
            if stat.S_ISDIR(info.st_mode):
                folder.chmod(stat.S_IMODE(info.st_mode) | stat.S_IRWXU)
        shutil.rmtree(path)
