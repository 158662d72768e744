"""What has landed in a pack that is not published yet, so that a killed process loses nothing finished.

One line a checkpoint, appended after the pack's bytes were handed to the operating system: how far the pack is
good, the hash of it so far, and which refs and versions go with it. Each line carries its own checksum; a torn last
line is as if it had never been written. The bytes are described in docs/format/journal.md.

Whoever holds the lock on a journal is alive. The lock is not on the pack, because a pack moves away when it is
published, and the journal stays until the root has moved.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from ..errors import DamagedError
from ..objects.kinds import Version
from ..objects.oid import Oid, hash_bytes
from ..objects.records import Record
from ..storage import durable


@dataclass
class Edits:
    """Changes of refs, waiting to be published.

    Attributes:
        refs: Ref → new id, or None to delete it.
        versions: New artifact versions, by name and artifact. Their numbers are taken when they are published.
    """

    refs: dict[str, Oid | None] = field(default_factory=dict)
    versions: dict[tuple[str, Oid], Version] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.refs or self.versions)

    def add(self, newer: Edits) -> None:
        """Puts newer edits on top of these."""
        self.refs.update(newer.refs)
        self.versions.update(newer.versions)


@dataclass(frozen=True)
class Checkpoint(Record):
    """One line of a journal.

    Attributes:
        end: How many bytes of the pack are good.
        pack: The hash of those bytes.
        refs: What changed since the line before.
        versions: The versions added or changed since.
        op: The op that is about to be published with all lines so far, if it is.
    """

    KIND: ClassVar[str] = "journal"
    end: int
    pack: Oid
    why: str
    refs: Mapping[str, Oid | None]
    versions: tuple[Version, ...]
    op: Oid | None = None

    @property
    def edits(self) -> Edits:
        """What this line changes."""
        versions = {(version.name, version.artifact): version for version in self.versions}
        return Edits(dict(self.refs), versions)


class Journal:
    """The locked journal beside one incoming pack."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd: int | None = fd
        self._end = 0

    @classmethod
    def lock(cls, path: Path, *, wait: bool = False) -> Journal | None:
        """The journal at `path`, created where there is none; None when its owner is alive."""
        fd = durable.open_locked(path, wait=wait)
        return None if fd is None else cls(path, fd)

    def append(self, checkpoint: Checkpoint) -> None:
        """Adds a line, in place of a torn one that may stand at the end."""
        assert self._fd is not None, "the journal is open"
        line = checkpoint.oid.encode() + b" " + checkpoint.encode() + b"\n"
        if os.fstat(self._fd).st_size > self._end:
            os.ftruncate(self._fd, self._end)
        durable.write_at(self._fd, line, self._end)
        self._end += len(line)

    def read(self) -> list[Checkpoint]:
        """All lines up to the first one that is damaged."""
        found, self._end = [], 0
        for line in self.path.read_bytes().splitlines(keepends=True):
            checkpoint = parse_line(line)
            if checkpoint is None:
                break
            found.append(checkpoint)
            self._end += len(line)
        return found

    def remove(self) -> None:
        """Forgets everything: it was published, or is not wanted."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Gives up the lock. What the journal says is published by the next to open the repository."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def parse_line(line: bytes) -> Checkpoint | None:
    """What one line says, its newline included; None when it is not whole."""
    checksum, _, body = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or hash_bytes(body, Checkpoint.KIND).encode() != checksum:
        return None
    try:
        return Checkpoint.decode(body)
    except DamagedError:
        return None


def together(checkpoints: Iterable[Checkpoint]) -> Edits:
    """The edits of several lines, the later on top."""
    edits = Edits()
    for checkpoint in checkpoints:
        edits.add(checkpoint.edits)
    return edits
