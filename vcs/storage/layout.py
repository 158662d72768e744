"""Names every file of a repository. Nothing else in the store spells one.

What is shared, and may lie in any `Files`, is named by functions; what belongs to this machine alone is a path of
`Layout`. Described in docs/format/README.md.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NewType

from ..errors import DamagedError
from ..objects.oid import Oid, is_oid

FOLDER_NAME = ".artifacts"
FORMAT_VERSION = 2
GITIGNORE_TEXT = "# Kept by art, not by Git.\n*\n"

FORMAT, ROOT, CLEANED = "format", "root", "cleaned"
OPS, PACKS, INDEX = "ops", "packs", "index"
PROBE = "probe"
"""Where it is tried out what a place guarantees; nothing there is needed afterwards."""
EXECUTING = "executing"
"""Where runs tell each other what they execute."""
MERGED, COMING = "merged", "coming"
"""Which state of a repository elsewhere was brought together with what is here, or is being: files of `remote`."""
DELIVERED = "delivered"
"""Which packs lie there that no state there names yet, and the artifacts whose data they hold: likewise."""

PackName = NewType("PackName", str)
"""The name of a file that holds objects: a pack, or the file of an op."""

_OP = re.compile(r"ops/([0-9]{12})\Z")


LAST_OP = 10**12 - 1
"""The greatest number of an op: a thousand changes a second for thirty years."""


def op_name(seq: int) -> PackName:
    """Where the op with this sequence number lies, with what was published along with it."""
    return PackName(f"{OPS}/{seq:012d}")


def is_holding(name: str) -> bool:
    """Whether a file of this name holds objects: a pack, or the file of an op."""
    return op_seq(name) is not None or is_pack_name(name)


def op_seq(name: str) -> int | None:
    """The sequence number of an op's file; None for another file."""
    found = _OP.match(name)
    return int(found[1]) if found else None


def pack_name(pack: Oid, *, lineage: bool = False) -> PackName:
    """Where a pack lies; one of lineage apart from the others, so that who wants that alone finds it."""
    return PackName(f"{PACKS}/{'lineage' if lineage else pack[:2]}/{pack}")


def is_pack_name(name: str) -> bool:
    """Whether a pack lies under this name."""
    last = name.rpartition("/")[2]
    return is_oid(last) and name in (pack_name(Oid(last)), pack_name(Oid(last), lineage=True))


def is_lineage_name(name: str) -> bool:
    """Whether a pack of lineage lies under this name."""
    return name.startswith(f"{PACKS}/lineage/") and is_pack_name(name)


def segment_name(segment: Oid) -> str:
    """Where an index segment lies."""
    return f"{INDEX}/{segment}"


class Layout:
    """The paths of one repository on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.format = folder / FORMAT
        self.gitignore = folder / ".gitignore"
        self.ops = folder / OPS
        self.packs = folder / PACKS
        self.index = folder / INDEX
        # Of this machine alone:
        self.cache = folder / "cache.db"
        self.trust = folder / "trust"  # what was made here: see artvcs.vcs.trust.proofs
        self.queue = folder / "queue"
        self.turn = folder / "turn"
        self.reserve = folder / "reserve"
        self.incoming = folder / "incoming"
        self.leases = folder / "leases"
        self.running = folder / "running"  # where cache keys are locked while their steps are executed
        self.tmp = folder / "tmp"
        self.quarantine = folder / "quarantine"  # what was damaged and was set aside
        self.repair = folder / "repair"  # locked while one goes on
        self.checkouts = folder / "checkouts"  # which staging places beside users' files belong to a checkout
        self.placed = folder / "placed"  # which versions stand where in the project: see artvcs.vcs.worktree.placed
        self.workspace = folder / "workspace"  # for files that users make outside of steps
        self.config = folder / "config.toml"  # what this repository alone is told, such as remotes
        self.probe = folder / PROBE
        self.executing = folder / EXECUTING
        self.remotes = folder / "remotes"  # what is known here of repositories elsewhere, a folder for each

    def top_names(self) -> set[str]:
        """The names that may stand in the repository's folder."""
        names = {path.name for path in vars(self).values() if path != self.folder}
        return names | {f"{self.cache.name}-journal", ROOT, CLEANED}

    def folders(self) -> tuple[Path, ...]:
        """The folders that a repository always has."""
        return (self.folder, self.ops, self.packs, self.index, self.incoming, self.leases, self.tmp)

    def check_folders(self) -> None:
        """Refuses a repository whose folders lie elsewhere: what is deleted and overwritten there may be another's.

        Raises:
            DamagedError: One of them is a link or no folder.
        """
        for path, what in self.wrong_folders():
            data = path in (self.ops, self.packs, self.index)
            advice = "put what it leads to in its place" if data else "run `art fsck --repair`"
            raise DamagedError(f"{path} {what}; {advice}.")

    def wrong_folders(self) -> Iterator[tuple[Path, str]]:
        """What stands in the place of a folder and is none of the repository's own, and what it is."""
        local = (
            self.running, self.quarantine, self.checkouts, self.placed, self.workspace, self.trust, self.remotes,
        )  # fmt: skip
        for path in (*self.folders()[1:], *local):
            try:
                mode = os.lstat(path).st_mode
            except OSError:
                continue  # not there; or not to be looked at, as will be said when it is used
            if stat.S_ISLNK(mode):
                yield path, "is a link, and a repository's files have to lie in it"
            elif not stat.S_ISDIR(mode):
                yield path, "is no folder"

    def remote(self, name: str) -> Path:
        """What is known here of one repository elsewhere; it can be deleted at any time."""
        return self.remotes / name

    def incoming_pack(self, name: str) -> Path:
        """Where a transaction lands its objects until they are published."""
        return self.incoming / f"{name}.pack"

    def journal(self, pack: Path) -> Path:
        """The list of what has landed beside an incoming pack."""
        return pack.with_suffix(".journal")

    def scratch(self, token: str) -> Path:
        """A folder for files that belong to one process."""
        return self.tmp / f"scratch-{token}"

    def scratch_lock(self, scratch: Path) -> Path:
        """What is locked while that process lives."""
        return scratch.with_suffix(".lock")

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
