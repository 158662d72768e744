"""`artifacts.lock`: which versions of data a revision of the project uses, in a small file for Git and reviewers.

A version is pinned by its artifact's id, which is the same everywhere; its name and number are for people.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from artvcs.vcs import (
    DamagedError,
    InvalidName,
    Oid,
    Refs,
    UnknownName,
    Version,
    check_entry_name,
    storage_errors,
    versions,
)

FILE_NAME = "artifacts.lock"

_HEAD = """\
# Which versions of data this revision uses: `art checkout --lock` brings them, `art lock` pins others.
"""

_MOST = 10 << 20
"""Bytes of the file; what is larger is none."""

_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Pin:
    """A version that is to stand at a path.

    Attributes:
        path: From the project's folder, with `/`.
        artifact: `NAME@VERSION`, for people.
        id: The artifact's id.
    """

    path: str
    artifact: str
    id: Oid

    @property
    def name(self) -> str:
        """The artifact's name."""
        return self.artifact.partition("@")[0]

    def find(self, refs: Refs) -> Version:
        """The version that is pinned.

        Raises:
            UnknownName: It is not known here.
        """
        found = versions.by_value(refs, self.name, self.id)
        if found is None:
            raise UnknownName(
                f"{self.artifact}, which {FILE_NAME} pins at {self.path}, is not known here; `art fetch` brings what "
                "others have made."
            )
        return found


def read(project: Path) -> dict[str, Pin]:
    """Path → what is pinned there, in a project; nothing where there is no such file.

    Raises:
        DamagedError: The file cannot be understood, or a path leads out of the project.
    """
    file = project / FILE_NAME
    with storage_errors(f"reading {file}"):
        try:
            if file.exists() and not file.is_file():  # one that nobody writes to is waited for without end
                raise DamagedError(f"{FILE_NAME} is no file; take away what stands in its place.")
            if file.stat().st_size > _MOST:
                raise DamagedError(f"{FILE_NAME} has more than {_MOST >> 20} MiB; that is none.")
            said = tomllib.loads(file.read_bytes().decode())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise DamagedError(
                f"{FILE_NAME} cannot be understood ({error}); mend it, or remove it and `art lock` anew."
            ) from None
    found = {path: _pin(path, each) for path, each in said.items()}
    top = project.resolve()
    for path in found:
        if not (project / path).resolve().is_relative_to(top):  # Git brings links as well as this file
            raise DamagedError(f"{FILE_NAME}: {path!r} leads out of the project by a link; mend it.")
    return found


def _pin(path: str, said: Any) -> Pin:
    if not isinstance(said, Mapping):
        raise DamagedError(
            f"{FILE_NAME}: {path!r} is no table with artifact and id; mend it, or remove it and `art lock` anew."
        )
    artifact, oid = said.get("artifact"), said.get("id")
    if not isinstance(artifact, str) or not isinstance(oid, str) or len(oid) != 64 or not _HEX.issuperset(oid):
        raise DamagedError(f"{FILE_NAME}: {path!r} needs an artifact as NAME@VERSION and its id of 64 digits; mend it.")
    pure = PurePosixPath(path)
    try:
        for part in pure.parts:
            check_entry_name(part)
        inside = bool(pure.parts) and not pure.is_absolute() and str(pure) == path
    except InvalidName:
        inside = False
    if not inside:
        raise DamagedError(f"{FILE_NAME}: {path!r} is no path in the project; mend it.")
    return Pin(path, artifact, Oid(oid))


def save(project: Path, pins: Mapping[str, Pin]) -> None:
    """Writes what is pinned, in order of the paths; removes the file where nothing is."""
    file = project / FILE_NAME
    with storage_errors(f"writing {file}"):
        if not pins:
            file.unlink(missing_ok=True)
            return
        tables = [
            f"\n[{_quoted(path)}]\nartifact = {_quoted(pin.artifact)}\nid = {_quoted(pin.id)}\n"
            for path, pin in sorted(pins.items())
        ]
        made = file.with_name(f".{FILE_NAME}.new")
        made.write_text(_HEAD + "".join(tables), encoding="utf-8")
        os.replace(made, file)


def _quoted(text: str) -> str:
    """A text as TOML writes it: as JSON does, but for one character. Source: https://toml.io/en/v1.0.0#string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
