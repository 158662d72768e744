"""DVC's cache: files by the hash of what they hold, and lists of what is in folders.

The format: https://dvc.org/doc/user-guide/project-structure/internal-files. Version 2 of DVC hashed text as if its
lines ended as Unix has it, and had no `files/md5` in its cache.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from .tracked import Unusable

FOLDER = ".dir"
"""How the hash of a folder ends, whose content lists what is in it."""

_MOST = 256 << 20
"""Bytes of such a list."""

_PIECE = 1 << 20
"""Bytes that DVC reads at once; a line that ends across two of these was hashed as it is."""

_HEX = frozenset("0123456789abcdef")


class Cache:
    """The cache of a repository of DVC.

    Args:
        folder: Where DVC's own folder `.dvc` is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = _place(folder)
        self._verified: dict[str, str | None] = {}

    def files(self, digest: str, path: str, *, old: bool) -> dict[str, Path]:
        """Path below → the file that holds it, verified; of a file by itself the only one is `""`.

        Args:
            digest: The hash.
            path: What it is of, for the report.
            old: Whether version 2 of DVC made it.

        Raises:
            Unusable: Something is missing, or is not what its hash says.
        """
        if not digest.endswith(FOLDER):
            return {"": self._whole(digest, path, old=old)}
        found = self.listed(digest, path)
        return {name: self._whole(each, f"{path}/{name}", old=old) for name, each in sorted(found.items())}

    def listed(self, digest: str, path: str) -> dict[str, str]:
        """Path below a folder → the hash of the file. Raises Unusable as `files`."""
        file = self._whole(digest, path, old=False)
        if file.stat().st_size > _MOST:
            raise Unusable(f"the list of {path} is too large")
        try:
            said = json.loads(file.read_bytes())
            found = {str(each["relpath"]): str(each["md5"]) for each in said}
        except (ValueError, TypeError, KeyError, OSError, RecursionError) as error:
            raise Unusable(f"the list of {path} cannot be understood ({error})") from None
        if not isinstance(said, list) or len(found) < len(said):
            raise Unusable(f"the list of {path} is none, or names a file twice")
        if "" in found:
            raise Unusable(f"{path} holds '', which cannot be stored")
        return found

    def _whole(self, digest: str, path: str, *, old: bool) -> Path:
        """The file in the cache that has this hash, verified."""
        plain = digest.removesuffix(FOLDER)
        if len(plain) != 32 or not _HEX.issuperset(plain):
            raise Unusable(f"{path} has a hash that is none, {digest[:40]!r}")
        inside = Path(digest[:2], digest[2:])
        places = (self._folder / "files" / "md5" / inside, self._folder / inside)
        file = next((place for place in places if place.is_file() and not place.is_symlink()), None)
        if file is None:
            raise Unusable(f"{path} is not in the cache ({digest}); `dvc fetch --all-commits` may bring it")
        if digest not in self._verified:
            self._verified[digest] = _wrong(file, plain, old=old)
        if (wrong := self._verified[digest]) is not None:
            raise Unusable(f"{path} is not what its hash says: {wrong}")
        return file


def folder_digest(listed: Mapping[str, str]) -> str:
    """The hash that DVC gives a folder with these files."""
    entries = [{"md5": digest, "relpath": path} for path, digest in sorted(listed.items())]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + FOLDER


def _place(folder: Path) -> Path:
    """Where the cache is: `.dvc/cache`, or as DVC's configuration says for the system, the user or the repository."""
    home = Path.home()
    system = [Path(each) for each in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":") if each]
    user = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [*(each / "dvc" / "config" for each in (*reversed(system), user))]
    found = folder / ".dvc" / "cache"
    for file in (*files, folder / ".dvc" / "config", folder / ".dvc" / "config.local"):
        config = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            config.read(file)
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        if said := config.get("cache", "dir", fallback=""):
            found = (file.parent / Path(said).expanduser()).resolve()
    return found


def _wrong(file: Path, digest: str, *, old: bool) -> str | None:
    """What is wrong with a file in the cache, if something is."""
    try:
        with file.open("rb") as opened:
            found = _hashed(opened, lambda piece: piece)
            if found == digest:
                return None
            if old and any(_hashed(opened, ends) == digest for ends in (_as_unix, _Ends())):
                return None
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return f"it has {found}"


def _hashed(opened: BinaryIO, made_of: Callable[[bytes], bytes]) -> str:
    hasher = hashlib.md5(usedforsecurity=False)
    for piece in _pieces(opened):
        hasher.update(made_of(piece))
    return hasher.hexdigest()


def _pieces(opened: BinaryIO) -> Iterator[bytes]:
    """What a file holds, and at last nothing."""
    opened.seek(0)
    while piece := opened.read(_PIECE):
        yield piece
    yield b""


def _as_unix(piece: bytes) -> bytes:
    return piece.replace(b"\r\n", b"\n")


class _Ends:
    """Ends lines as Unix has it, also those that end across two pieces."""

    def __init__(self) -> None:
        self._held = b""

    def __call__(self, piece: bytes) -> bytes:
        whole = self._held + piece
        self._held = b"\r" if piece and whole.endswith(b"\r") else b""
        return _as_unix(whole.removesuffix(self._held) if self._held else whole)
