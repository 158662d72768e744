"""What lies at a path: hashed once, and afterwards compared by what the file system says of it."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from ..maps.trees import FolderWriter
from ..objects.names import is_reserved
from ..objects.nodes import FOLDER, SYMLINK, Entry
from ..objects.oid import Oid, hasher
from ..storage.disk import durable
from ..storage.store import ObjectStore, blob_id
from .files.reading import hash_file, mode_of, read_steady, signature

_TICK = 0.02
"""Seconds within which a file system may give two changes the same time."""


@dataclass(frozen=True)
class Found:
    """One path.

    Attributes:
        mode: As in a tree; None for what cannot be stored.
        id: Its blob's; None for a folder.
        size: Bytes of that.
    """

    mode: str | None
    id: Oid | None
    size: int = 0


@dataclass(frozen=True)
class Snapshot:
    """What lay at a path.

    Attributes:
        found: Path from it (`""` for itself, else parts each with a `/` before) → what is there.
        state: As `state_of` gave it then.
    """

    found: dict[str, Found]
    state: Oid

    def entry(self, store: ObjectStore, name: str) -> Entry | None:
        """What storing all of it would give, under a name; None where something of it cannot be stored."""
        members: dict[str, list[Entry]] = {}
        for path, found in sorted(self.found.items(), reverse=True):  # what is in a folder before the folder
            above, _, last = path.rpartition("/")
            if found.mode is None:
                return None
            if found.id is None:
                writer = FolderWriter(store, lambda tree: tree.oid)
                for member in reversed(members.pop(path, [])):
                    writer.add(member)
                entry = writer.finish(last if path else name)
            else:
                entry = Entry(last if path else name, found.mode, found.id, found.size)
            if not path:
                return entry
            members.setdefault(above, []).append(entry)
        return None


def take(top: Path) -> Snapshot | None:
    """Reads all that lies at a path; None when there is nothing.

    Raises:
        ChangedWhileRead: A file changed all the time.
        OSError: The operating system refused.
    """
    if not os.path.lexists(top):
        return None
    found, states = {}, []
    for path, info in durable.below(top):
        found[_inside(top, path)], info = _look(path, info)
        states.append((_inside(top, path), info))
    return Snapshot(found, _digest(states))


def state_of(top: Path) -> Oid:
    """A digest of what the file system says of a path and all below: it is the same if nothing was changed there.

    Raises:
        OSError: The operating system refused, or something went away.
    """
    return _digest([(_inside(top, path), info) for path, info in durable.below(top)])


def _look(path: Path, info: os.stat_result) -> tuple[Found, os.stat_result]:
    if stat.S_ISLNK(info.st_mode):
        link = os.fsencode(os.readlink(path))
        return Found(SYMLINK, blob_id(link), len(link)), info
    if stat.S_ISDIR(info.st_mode):
        return Found(None if is_reserved(path.name) else FOLDER, None), info
    if not stat.S_ISREG(info.st_mode) or is_reserved(path.name):
        return Found(None, None), info
    _wait_for_rest(info)
    oid, info = read_steady(path, hash_file, follow=False)
    return Found(mode_of(info), oid, info.st_size), info


def _wait_for_rest(info: os.stat_result) -> None:
    """Makes sure that a change after this moment changes the file's times."""
    age = time.time() - max(info.st_mtime, info.st_ctime)
    if 0 <= age < _TICK:
        time.sleep(_TICK - age)


def _digest(states: list[tuple[str, os.stat_result]]) -> Oid:
    check = hasher()
    for path, info in states:
        mode, size, changed, noted, inode = signature(info)
        if stat.S_ISDIR(mode):
            size = changed = noted = 0  # what it holds is listed
        elif not path:
            noted = 0  # a rename may change it
        check.update(os.fsencode(path) + f"\0{mode} {size} {changed} {noted} {inode}\n".encode())
    return Oid(check.hexdigest())


def _inside(top: Path, path: Path) -> str:
    return os.fspath(path)[len(os.fspath(top)) :]
