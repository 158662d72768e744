"""What DVC keeps: `.dvc` files and `dvc.lock`, and the cache that they name.

The formats: https://dvc.org/doc/user-guide/project-structure/dvc-files and …/dvcyaml-files#dvclock-file; the cache's:
https://dvc.org/doc/user-guide/project-structure/internal-files. Version 2 hashed text as if its lines ended as
Unix has it, and had no `files/md5` in its cache.
"""

from __future__ import annotations

import configparser
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from artvcs.vcs import UnknownName
from artvcs.vcs.git import History, Revision

from .tracked import Problem, Tracked, Unusable

_FOLDER = ".dir"
"""How the hash of a folder ends, whose content lists what is in it."""

_MOST = 256 << 20
"""Bytes of such a list."""

_HEX = frozenset("0123456789abcdef")


class Dvc:
    """The repository of DVC at the top of, or within, a Git repository.

    Args:
        top: The top of the Git repository.
        folder: Where DVC's own folder `.dvc` is.

    Raises:
        UnknownName: There is none.
    """

    name = "dvc"

    def __init__(self, top: Path, folder: Path) -> None:
        if not (folder / ".dvc").is_dir():
            raise UnknownName(f"{folder} is no repository of DVC: it has no folder .dvc; give the path of one.")
        self._inside = PurePosixPath(folder.resolve().relative_to(top.resolve()).as_posix())
        self._cache = _cache(folder)
        self._verified: dict[str, str | None] = {}

    def tracked(self, history: History, revision: Revision) -> Iterator[Tracked | Problem]:
        """See `Keeper.tracked`."""
        for path, blob in history.files(revision, _says_something):
            where = PurePosixPath(path).parent
            if self._inside not in (where, *where.parents):
                continue
            text = history.read(blob)
            try:
                yield from self._lock(path, where, text) if path.endswith("dvc.lock") else self._file(path, where, text)
            except Unusable as error:
                yield Problem(path, str(error))

    def _file(self, path: str, where: PurePosixPath, text: bytes) -> Iterator[Tracked | Problem]:
        """The outputs of a `.dvc` file."""
        said = _mapping(_yaml(path, text), path)
        where = _joined(where, str(said.get("wdir") or "."), path)
        how = "dvc import" if "deps" in said else "dvc add"
        for number, out in enumerate(_list(said.get("outs"), path)):
            try:
                yield _tracked(where, out, path, how, text)
            except Unusable as error:
                yield Problem(f"output {number + 1} of {path}", str(error))

    def _lock(self, path: str, where: PurePosixPath, text: bytes) -> Iterator[Tracked | Problem]:
        """The outputs of the stages in a `dvc.lock`."""
        said = _mapping(_yaml(path, text), path)
        stages = said.get("stages") if "stages" in said or "schema" in said else said
        for name, stage in _mapping(stages, path).items():
            try:
                yield from _stage(str(name), _mapping(stage, path), where, path)
            except Unusable as error:
                yield Problem(f"stage {name} of {path}", str(error))

    def files(self, tracked: Tracked) -> dict[str, Path]:
        """See `Keeper.files`."""
        kind, _, digest = tracked.key.partition(":")
        if not digest.endswith(_FOLDER):
            return {"": self._whole(digest, tracked.path, old=kind == "md5-dos2unix")}
        listed = self._whole(digest, tracked.path, old=False)
        if listed.stat().st_size > _MOST:
            raise Unusable(f"the list of {tracked.path} is too large")
        try:
            said = json.loads(listed.read_bytes())
            found = {str(each["relpath"]): str(each["md5"]) for each in said}
        except (ValueError, TypeError, KeyError, OSError, RecursionError) as error:
            raise Unusable(f"the list of {tracked.path} cannot be understood ({error})") from None
        if not isinstance(said, list) or len(found) < len(said):
            raise Unusable(f"the list of {tracked.path} is none, or names a file twice")
        if "" in found:
            raise Unusable(f"{tracked.path} holds '', which cannot be stored")
        old = kind == "md5-dos2unix"
        return {name: self._whole(each, f"{tracked.path}/{name}", old=old) for name, each in sorted(found.items())}

    def _whole(self, digest: str, path: str, *, old: bool) -> Path:
        """The file in the cache that has this hash, verified."""
        plain = digest.removesuffix(_FOLDER)
        if len(plain) != 32 or not _HEX.issuperset(plain):
            raise Unusable(f"{path} has a hash that is none, {digest[:40]!r}")
        inside = Path(digest[:2], digest[2:])
        places = (self._cache / "files" / "md5" / inside, self._cache / inside)
        file = next((place for place in places if place.is_file() and not place.is_symlink()), None)
        if file is None:
            raise Unusable(f"{path} is not in the cache ({digest}); `dvc fetch --all-commits` may bring it")
        if digest not in self._verified:
            self._verified[digest] = _wrong(file, plain, old=old)
        if (wrong := self._verified[digest]) is not None:
            raise Unusable(f"{path} is not what its hash says: {wrong}")
        return file


def _says_something(name: str) -> bool:
    return name.endswith(".dvc") or name == "dvc.lock"


def _cache(folder: Path) -> Path:
    """Where the cache is: `.dvc/cache`, or as the configuration says."""
    config = configparser.ConfigParser(interpolation=None, strict=False)
    for name in ("config", "config.local"):
        try:
            config.read(folder / ".dvc" / name)
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
    said = config.get("cache", "dir", fallback="")
    return (folder / ".dvc" / said).resolve() if said else folder / ".dvc" / "cache"


def _yaml(path: str, text: bytes) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, loader)  # safe: plain data only
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unusable(f"{path} cannot be understood ({str(error).splitlines()[0]})") from None


def _mapping(said: Any, path: str) -> Mapping[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        raise Unusable(f"{path} cannot be understood: {str(said)[:40]!r} stands where names and values should")
    return said


def _list(said: Any, path: str) -> Sequence[Any]:
    if said is None:
        return ()
    if not isinstance(said, list):
        raise Unusable(f"{path} cannot be understood: {str(said)[:40]!r} stands where a list should")
    return said


def _tracked(where: PurePosixPath, out: Any, path: str, step: str, text: bytes) -> Tracked:
    said = _mapping(out, path)
    kind = str(said.get("hash") or "md5-dos2unix")
    if kind not in ("md5", "md5-dos2unix"):
        raise Unusable(f"{path} names {said.get('path')!r} by {kind}, which is not known here")
    place = _joined(where, str(said.get("path")), path)
    return Tracked(str(place), f"{kind}:{said.get('md5')}", step, text.decode(errors="replace"), path)


def _stage(name: str, stage: Mapping[str, Any], where: PurePosixPath, path: str) -> Iterator[Tracked]:
    """The outputs of one stage."""
    command = stage.get("cmd")
    source = "\n".join(map(str, command)) if isinstance(command, list) else str(command or "")
    deps = [str(_mapping(dep, path).get("path")) for dep in _list(stage.get("deps"), path)]
    taken = tuple(str(found) for dep in deps if (found := _inside(where, dep)) is not None)  # others are not kept here
    given = [_mapping(each, path) for each in _mapping(stage.get("params"), path).values()]
    parameters = {str(key): value for each in given for key, value in each.items()}
    for out in _list(stage.get("outs"), path):
        if _mapping(out, path).get("md5") is not None:
            made = _tracked(where, out, path, name, source.encode())
            yield Tracked(made.path, made.key, made.step, made.source, path, parameters, taken)


def _joined(where: PurePosixPath, path: str, said_in: str) -> PurePosixPath:
    """A path in the Git repository; raises Unusable where it leads out."""
    whole = _inside(where, path)
    if whole is None:
        raise Unusable(f"{said_in} names {path!r}, which lies outside of the repository")
    return whole


def _inside(where: PurePosixPath, path: str) -> PurePosixPath | None:
    whole = PurePosixPath(os.path.normpath(PurePosixPath(where, path)))
    return None if whole.is_absolute() or ".." in whole.parts else whole


def _wrong(file: Path, digest: str, *, old: bool) -> str | None:
    """What is wrong with a file in the cache, if something is."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, functools.partial(hashlib.md5, usedforsecurity=False)).hexdigest()
        if found == digest or (old and _as_unix(file) == digest):
            return None
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return f"it has {found}"


def _as_unix(file: Path) -> str:
    """The hash that DVC 2 gave a text: as if its lines ended as Unix has it."""
    return hashlib.md5(file.read_bytes().replace(b"\r\n", b"\n"), usedforsecurity=False).hexdigest()
