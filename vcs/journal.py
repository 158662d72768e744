"""What has landed in a pack that is not published yet, so that a killed process loses nothing finished.

One line a checkpoint, appended after the pack's bytes were handed to the operating system: how far the pack is
good, and which refs and versions go with it. Each line carries its own checksum; a torn last line is as if it had
never been written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from . import canonical
from .errors import DamagedError
from .objects import Version
from .oid import Oid, check_oid, hash_bytes
from .records import to_json


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


class Journal:
    """The journal beside one incoming pack."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def append(self, end: int, why: str, edits: Edits) -> None:
        """Notes that the pack is good up to `end`, with these edits."""
        versions = [to_json(version) for version in edits.versions.values()]
        body = canonical.dumps({"end": end, "why": why, "refs": edits.refs, "versions": versions})
        if self._fd is None:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        os.write(self._fd, hash_bytes(body, "journal").encode() + b" " + body + b"\n")

    def remove(self) -> None:
        """Forgets everything: it was published, or is not wanted."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        self.path.unlink(missing_ok=True)

    def read(self) -> tuple[int, str, Edits]:
        """How far the pack is good, why it was written, and all edits together.

        Lines are read up to the first one that is damaged.
        """
        end, why, edits = 0, "", Edits()
        for line in self.path.read_bytes().split(b"\n") if self.path.exists() else []:
            checksum, _, body = line.partition(b" ")
            if hash_bytes(body, "journal").encode() != checksum:
                break
            try:
                item = canonical.loads(body)
                refs = {str(ref): None if oid is None else check_oid(oid) for ref, oid in item["refs"].items()}
                versions = [Version.from_json(version) for version in item["versions"]]
            except (DamagedError, KeyError, TypeError, AttributeError):
                break
            end, why = int(item["end"]), str(item["why"])
            edits.refs.update(refs)
            edits.versions.update({(version.name, version.artifact): version for version in versions})
        return end, why, edits
