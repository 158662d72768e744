"""What Git LFS keeps: files of which Git itself has a pointer of a few lines.

The formats: the specification in the folder docs of https://github.com/git-lfs/git-lfs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from artvcs.vcs.git import History, Revision

from .tracked import Problem, Tracked, Unusable

_POINTER = re.compile(
    rb"\Aversion https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n",
)
_FIRST = b"version https://git-lfs.github.com/spec/v1\noid "
_MOST = 1024
"""Bytes of a pointer, as the specification says."""


class Lfs:
    """Git LFS in a Git repository.

    Args:
        top: The top of the Git repository.
    """

    name = "lfs"

    def __init__(self, top: Path) -> None:
        git = top / ".git"
        if git.is_file():  # of a worktree or submodule: `gitdir: PATH`
            git = (top / git.read_text().removeprefix("gitdir:").strip()).resolve()
            common = git / "commondir"
            git = (git / common.read_text().strip()).resolve() if common.is_file() else git
        self._objects = git / "lfs" / "objects"
        self._verified: dict[str, str | None] = {}

    def tracked(self, history: History, revision: Revision) -> Iterator[Tracked | Problem]:
        """See `Keeper.tracked`."""
        for path, blob in history.small_files(revision, _MOST):
            text = history.read(blob)
            found = _POINTER.match(text)
            if found is None:
                if text.startswith(_FIRST):
                    yield Problem(path, "its pointer is not as Git LFS writes them")
            else:
                yield Tracked(path, f"sha256:{found[1].decode()}", "git lfs", text.decode(errors="replace"), path)

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
        said = _POINTER.match(tracked.source.encode())
        if said is not None and int(said[2]) != file.stat().st_size:
            raise Unusable(f"{tracked.path} is not as large as its pointer says: it has {file.stat().st_size} bytes")
        return {"": file}


def _wrong(file: Path, digest: str) -> str | None:
    """What is wrong with a stored file, if something is."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == digest else f"it has {found[:12]}"
