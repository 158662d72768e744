"""Names every file of a repository. Nothing else in the store builds a path inside one."""

from __future__ import annotations

from pathlib import Path

from ..objects.oid import Oid, is_oid

FOLDER_NAME = ".artifacts"
FORMAT_VERSION = 1
GITIGNORE_TEXT = "# Kept by art, not by Git: `art push` shares it.\n*\n"


class Layout:
    """The paths of one repository. Described in docs/format/README.md."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.format = folder / "format"
        self.root = folder / "root"
        self.stat_cache = folder / "stat-cache"
        self.gitignore = folder / ".gitignore"
        self.lock = folder / "lock"
        self.gc_lock = folder / "gc.lock"
        self.packs = folder / "packs"
        self.index = folder / "index"
        self.incoming = folder / "incoming"
        self.tmp = folder / "tmp"
        self.running = folder / "running"
        self.checkouts = folder / "checkouts"  # which staging places beside users' files belong to a checkout
        self.workspace = folder / "workspace"  # for files that users make outside of steps

    def folders(self) -> tuple[Path, ...]:
        """The folders that a repository always has."""
        return (self.folder, self.packs, self.index, self.incoming, self.tmp)

    def pack(self, pack: Oid) -> Path:
        """Where a finished pack lives."""
        return self.packs / pack[:2] / pack

    def pack_files(self) -> list[Path]:
        """The finished packs there are; what else lies in their folder is left out."""
        return [
            path for path in sorted(self.packs.glob("*/*")) if is_oid(path.name) and path == self.pack(Oid(path.name))
        ]

    def claim(self, key: Oid) -> Path:
        """What is locked while the step with this cache key is executed."""
        return self.running / key

    def segment(self, segment: Oid) -> Path:
        """Where an index segment lives."""
        return self.index / segment

    def incoming_pack(self, name: str) -> Path:
        """Where a transaction writes its pack until it is published."""
        return self.incoming / f"{name}.pack"

    def journal(self, pack: Path) -> Path:
        """The list of what has landed in an incoming pack."""
        return pack.with_suffix(".journal")

    def checkout_note(self, token: str) -> Path:
        """What is known of a checkout under way; locked while its process lives."""
        return self.checkouts / token


def staging(folder: Path, token: str) -> Path:
    """Where a checkout into a user's folder makes its files ready."""
    # Not the target's name with something added: that may be longer than a name can be.
    return folder / f".{token}.art-tmp"


def aside(folder: Path, token: str) -> Path:
    """Where it puts what it replaces, on a file system that cannot exchange two names."""
    return folder / f".{token}.art-old"


def kept_edits(folder: Path, token: str) -> Path:
    """Where edits stay that somebody made while a checkout replaced the file or folder."""
    return folder / f"edits-{token}"
