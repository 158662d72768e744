"""What DVC keeps: `.dvc` files and `dvc.lock`, with what `dvc.yaml` says beside it.

The formats: https://dvc.org/doc/user-guide/project-structure/dvc-files and …/dvcyaml-files#dvclock-file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from artvcs.vcs import UnknownName
from artvcs.vcs.git import History, Revision

from .cache import FOLDER, Cache, folder_digest
from .tracked import Held, Made, Problem, Tracked, Unusable

_OLD = "md5-dos2unix"
"""How the hashes of version 2 are called."""

_MOST = 1 << 20
"""Bytes of a file of measures."""


class Reading:
    """Reads what DVC's files say; a file that several revisions have is read once."""

    name = "dvc"

    def __init__(self) -> None:
        self._said: dict[tuple[str, ...], list[Made | Problem]] = {}

    def tracked(
        self, history: History, revision: Revision, inside: PurePosixPath | None = None
    ) -> Iterator[Made | Problem]:
        """What DVC keeps as of a revision, and what of that cannot be understood.

        Args:
            history: The Git repository's.
            revision: Which.
            inside: Only what the files in this folder say.
        """
        blobs = dict(history.files(revision, _says_something))
        for path, blob in blobs.items():
            where = PurePosixPath(path).parent
            if path.endswith("dvc.yaml") or (inside is not None and inside not in (where, *where.parents)):
                continue
            beside = blobs.get(str(where / "dvc.yaml"), "") if path.endswith("dvc.lock") else ""
            stands_for = (path, blob, beside)
            if stands_for not in self._said:
                text = history.read(blob)
                self._said[stands_for] = list(
                    _lock(path, where, text, history.read(beside) if beside else b"", history, revision)
                    if path.endswith("dvc.lock")
                    else _file(path, where, text)
                )
            yield from self._said[stands_for]


class Dvc:
    """The repository of DVC at the top of, or within, a Git repository.

    Args:
        top: The top of the Git repository.
        folder: A folder in it.

    Raises:
        UnknownName: There is none.
    """

    name = Reading.name

    def __init__(self, top: Path, folder: Path) -> None:
        whole, start = top.resolve(), folder.resolve()
        around = (each for each in (start, *start.parents) if each.is_relative_to(whole) and (each / ".dvc").is_dir())
        found = next(around, None)
        if found is None:
            raise UnknownName(f"{folder} is in no repository of DVC: there is no folder .dvc; give the path of one.")
        self._inside = PurePosixPath(found.relative_to(whole).as_posix())
        self._cache = Cache(found)
        self._reading = Reading()

    def tracked(self, history: History, revision: Revision) -> Iterator[Made | Problem]:
        """See `Keeper.tracked`."""
        return self._reading.tracked(history, revision, self._inside)

    def made_of(self, history: History, revision: Revision, made: Made) -> list[Held]:
        """See `Keeper.made_of`: where a stage names a file in a folder that is kept, that folder; and so on."""
        if not made.inputs:
            return []
        said = (each for each in self.tracked(history, revision) if isinstance(each, Made))
        here = {tracked.path: tracked for each in said for tracked in each.outputs}
        taken = (found for each in made.inputs for found in self._kept(each, here, history, revision))
        return list(dict.fromkeys(taken))

    def _kept(
        self, taken: Held, here: Mapping[str, Tracked], history: History, revision: Revision
    ) -> list[Held]:  # fmt: skip
        """What is kept, of what a stage names: that, or the folder that it lies in, or what lies in it.

        It is only what it was made of where the hashes say so.
        """
        path = PurePosixPath(taken.path)
        if taken.path in here:
            return [taken]
        around = next((here[str(each)] for each in path.parents if str(each) in here), None)
        if around is not None:
            below = str(path.relative_to(around.path))
            listed = self._listed(around)
            same = taken.digest in (listed.get(below), folder_digest(_under(listed, below)))
            return [Held(around.path, around.digest)] if same else []
        within = [each for each in here.values() if path in PurePosixPath(each.path).parents]
        if not within:
            return []
        listed = {
            str(PurePosixPath(file)): hashlib.md5(history.read(blob), usedforsecurity=False).hexdigest()
            for file, blob in history.files(revision, _is_any)
            if path in PurePosixPath(file).parents
        }
        for each in within:
            inside = self._listed(each) if each.digest.endswith(FOLDER) else {"": each.digest}
            listed |= {str(PurePosixPath(each.path, name)): digest for name, digest in inside.items()}
        same = folder_digest(_under(listed, taken.path)) == taken.digest
        return [Held(each.path, each.digest) for each in within] if same else []

    def _listed(self, tracked: Tracked) -> dict[str, str]:
        """Path below a folder → hash; nothing where that is not known."""
        try:
            return self._cache.listed(tracked.digest, tracked.path) if tracked.digest.endswith(FOLDER) else {}
        except Unusable:
            return {}

    def files(self, tracked: Tracked) -> dict[str, Path]:
        """See `Keeper.files`."""
        return self._cache.files(tracked.digest, tracked.path, old=tracked.key.startswith(f"{_OLD}:"))


def _is_any(_: str) -> bool:
    return True


def _under(listed: Mapping[str, str], folder: str) -> dict[str, str]:
    """What lies in a folder, of files with their hashes."""
    start = f"{folder}/"
    return {path.removeprefix(start): digest for path, digest in listed.items() if path.startswith(start)}


def _says_something(name: str) -> bool:
    return name.endswith(".dvc") or name in ("dvc.lock", "dvc.yaml")


def _file(path: str, where: PurePosixPath, text: bytes) -> Iterator[Made | Problem]:
    """The outputs of a `.dvc` file."""
    try:
        said = _mapping(_yaml(path, text), path)
        where = _joined(where, str(said.get("wdir") or "."), path)
        how = "dvc import" if "deps" in said else "dvc add"
        for number, out in enumerate(_list(said.get("outs"), path)):
            try:
                tracked = _tracked(where, _mapping(out, path), path)
                yield Made(how, text.decode(errors="replace"), path, (tracked,))
            except Unusable as error:
                yield Problem(f"output {number + 1} of {path}", str(error))
    except Unusable as error:
        yield Problem(path, str(error))


def _lock(
    path: str, where: PurePosixPath, text: bytes, beside: bytes, history: History, revision: Revision
) -> Iterator[Made | Problem]:
    """What the stages in a `dvc.lock` made; `beside` is the `dvc.yaml` that it was made of."""
    try:
        said = _mapping(_yaml(path, text), path)
        stages = _mapping(said.get("stages") if "stages" in said or "schema" in said else said, path)
    except Unusable as error:
        yield Problem(path, str(error))
        return
    try:
        declared = _mapping(_mapping(_yaml(str(where / "dvc.yaml"), beside), path).get("stages"), path)
    except Unusable:
        declared = {}  # that it cannot be read now says nothing of what was made
    for name, stage in stages.items():
        try:
            yield _Stage(str(name), _mapping(stage, path), where, path, declared).made(history, revision)
        except Unusable as error:
            yield Problem(f"stage {name} of {path}", str(error))


class _Stage:
    """One stage of a `dvc.lock`.

    Args:
        name: What it is called.
        said: What the file says of it.
        where: The file's folder.
        path: The file.
        declared: The stages of the `dvc.yaml` beside it.
    """

    def __init__(
        self, name: str, said: Mapping[str, Any], where: PurePosixPath, path: str, declared: Mapping[str, Any]
    ) -> None:
        self._name = name
        self._said = said
        self._path = path
        one, _, item = name.partition("@")
        of_all = declared.get(name, declared.get(one))
        of_all = of_all if isinstance(of_all, Mapping) else {}
        mine = of_all.get("do", of_all)  # of a stage for each of several items
        self._declared: Mapping[str, Any] = mine if isinstance(mine, Mapping) else {}
        folder = str(self._declared.get("wdir") or ".").replace("${item}", item).replace("${key}", item)
        if "${" in folder:
            raise Unusable(f"{path} says where its files are by {folder!r}, which only DVC knows")
        self._where = _joined(where, folder, path)

    def made(self, history: History, revision: Revision) -> Made:
        """What it made; what Git keeps of that is not DVC's, but may be a measure."""
        command = self._said.get("cmd")
        source = "\n".join(map(str, command)) if isinstance(command, list) else str(command or "")
        outputs = list[Tracked]()
        measures = dict[str, Any]()
        for out in (_mapping(each, self._path) for each in _list(self._said.get("outs"), self._path)):
            if out.get("md5") is None:
                continue
            found = _tracked(self._where, out, self._path)
            in_git = history.file(revision, found.path)
            if in_git is None:
                outputs.append(found)
            elif self._is_measure(str(out.get("path"))):
                text = history.read(in_git)
                if hashlib.md5(text, usedforsecurity=False).hexdigest() == found.digest:  # else it was edited since
                    measures |= _measures(found.path, text)
        given = self._parameters(), self._taken(), measures
        return Made(self._name, source, self._path, tuple(outputs), *given, is_stage=True)

    def _parameters(self) -> dict[str, Any]:
        """The parameters; those of other files than `params.yaml` are called as DVC calls them, `FILE:NAME`."""
        files = _mapping(self._said.get("params"), self._path)
        return {
            str(name) if file == "params.yaml" else f"{file}:{name}": value
            for file, given in files.items()
            for name, value in _mapping(given, self._path).items()
        }

    def _taken(self) -> tuple[Held, ...]:
        """What it was made of and lies in the repository; the rest is not kept here."""
        deps = [_mapping(each, self._path) for each in _list(self._said.get("deps"), self._path)]
        places = ((_inside(self._where, str(each.get("path"))), each.get("md5")) for each in deps)
        return tuple(Held(str(place), str(digest)) for place, digest in places if place is not None and digest)

    def _is_measure(self, path: str) -> bool:
        said = self._declared.get("metrics")
        entries = said if isinstance(said, list) else []
        return any(path == each or (isinstance(each, Mapping) and path in each) for each in entries)


def _measures(path: str, text: bytes) -> dict[str, Any]:
    """What a file of measures says; nothing where it cannot be understood."""
    try:
        found = json.loads(text) if path.endswith(".json") and len(text) <= _MOST else _yaml(path, text[:_MOST])
    except (ValueError, RecursionError, Unusable):
        return {}
    return {str(name): value for name, value in found.items()} if isinstance(found, Mapping) else {}


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


def _tracked(where: PurePosixPath, said: Mapping[str, Any], path: str) -> Tracked:
    kind = str(said.get("hash") or _OLD)
    if kind not in ("md5", _OLD):
        raise Unusable(f"{path} names {said.get('path')!r} by {kind}, which is not known here")
    if said.get("path") is None:
        raise Unusable(f"{path} does not say which file it is of")
    if said.get("md5") is None:
        other = next((name for name in ("etag", "checksum", "version_id", "cloud") if name in said), None)
        how = f"by its {other} elsewhere" if other else "and was not downloaded (`dvc update` may bring it)"
        raise Unusable(f"{path} names {said['path']!r} without a hash of its content, {how}")
    place = _joined(where, str(said["path"]), path)
    return Tracked(str(place), f"{kind}:{said['md5']}", is_executable=said.get("isexec") is True)


def _joined(where: PurePosixPath, path: str, said_in: str) -> PurePosixPath:
    """A path in the Git repository; raises Unusable where it leads out."""
    whole = _inside(where, path)
    if whole is None:
        raise Unusable(f"{said_in} names {path!r}, which lies outside of the repository")
    return whole


def _inside(where: PurePosixPath, path: str) -> PurePosixPath | None:
    whole = PurePosixPath(os.path.normpath(PurePosixPath(where, path)))
    return None if whole.is_absolute() or ".." in whole.parts else whole
