"""What Git LFS keeps: files of which Git itself has a pointer of a few lines.

The formats: the specification in the folder docs of https://github.com/git-lfs/git-lfs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from artvcs.vcs import count
from artvcs.vcs.git import History, Revision, configured

from .tracked import Held, Made, Problem, Tracked, Unusable

_POINTER = re.compile(
    rb"\Aversion https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n",
)
_FIRST = b"version https://git-lfs.github.com/spec/v1\noid "
_MOST = 1024
"""Bytes of a pointer, as the specification says."""


class Reading:
    """Reads what the pointers say; one that several revisions have is read once."""

    name = "lfs"

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], Made | Problem | None] = {}

    def tracked(self, history: History, revision: Revision) -> Iterator[Made | Problem]:
        """What Git LFS keeps as of a revision, and what of that cannot be understood."""
        for each in history.small_files(revision, _MOST):
            if each not in self._said:
                self._said[each] = _said(each[0], history.read(each[1]))
            if (found := self._said[each]) is not None:
                yield found


class Lfs:
    """Git LFS in a Git repository.

    Args:
        top: The top of the Git repository.
    """

    name = Reading.name

    def __init__(self, top: Path) -> None:
        git = top / ".git"
        if git.is_file():  # of a worktree or submodule: `gitdir: PATH`
            git = (top / git.read_text().removeprefix("gitdir:").strip()).resolve()
            common = git / "commondir"
            git = (git / common.read_text().strip()).resolve() if common.is_file() else git
        self._objects = git / _storage(top) / "objects"
        self._verified: dict[str, str | None] = {}
        self._reading = Reading()

    def tracked(self, history: History, revision: Revision) -> Iterator[Made | Problem]:
        """See `Keeper.tracked`."""
        return self._reading.tracked(history, revision)

    def made_of(self, history: History, revision: Revision, made: Made) -> list[Held]:
        """See `Keeper.made_of`: Git LFS knows of nothing."""
        return []

    def files(self, tracked: Tracked) -> dict[str, Path]:
        """See `Keeper.files`."""
        digest = tracked.key.partition(":")[2]
        file = self._objects / digest[:2] / digest[2:4] / digest
        if not file.is_file() or file.is_symlink():
            raise Unusable(f"{tracked.path} is not here ({digest[:12]}); `git lfs fetch --all` may bring it")
        if digest not in self._verified:
            self._verified[digest] = _wrong(file, digest)
        if (wrong := self._verified[digest]) is not None:
            raise Unusable(f"{tracked.path} is not what its hash says: {wrong}")
        if tracked.size != file.stat().st_size:
            has = count(file.stat().st_size, "byte")
            raise Unusable(f"{tracked.path} is not as large as its pointer says: it has {has}")
        return {"": file}


def _said(path: str, text: bytes) -> Made | Problem | None:
    """What a file says, if it is a pointer."""
    found = _POINTER.match(text)
    if found is not None:
        tracked = Tracked(path, f"sha256:{found[1].decode()}", int(found[2]))
        return Made("git lfs", text.decode(errors="replace"), path, (tracked,))
    return Problem(path, "its pointer is not as Git LFS writes them") if text.startswith(_FIRST) else None


def _storage(top: Path) -> Path:
    """Where Git LFS keeps files, as seen from Git's own folder."""
    try:
        said = configured(top, r"^lfs\.storage$").get("lfs.storage", "")
    except OSError:  # there is no such program
        said = ""
    return Path(said or "lfs").expanduser()


def _wrong(file: Path, digest: str) -> str | None:
    """What is wrong with a stored file, if something is."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == digest else f"it has {found[:12]}"
