"""Which distributions an imported module belongs to and needs, and their versions.

`importlib.metadata.packages_distributions()` reads the file list of everything installed, so it is asked last; most
modules carry the name of their distribution. What is installed from a folder of this machine can change under one
version, and counts by its content.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from artvcs.vcs import hash_bytes

from .locate import TOOL

if TYPE_CHECKING:
    from importlib.metadata import Distribution

UNKNOWN = "unknown"

_NEEDS = re.compile(r"^Requires-Dist: *([A-Za-z0-9][A-Za-z0-9._-]*)(.*)$", re.MULTILINE)
_SKIPPED = frozenset({".git", ".artifacts", "__pycache__", "node_modules", ".venv", "build", "dist"})


@cache
def distributions(module: str) -> Mapping[str, str]:
    """The distributions that provide a top-level module and all that these need, with their versions.

    A module that nothing installed claims stands for itself, with an unknown version.
    """
    if module == TOOL:
        own = _distribution(module)
        return {module: UNKNOWN if own is None else str(own.version)}
    found = _closure([module] if _distribution(module) is not None else sorted(set(_providers(module))))
    return found or {module: UNKNOWN}


def own_distributions(module: str) -> frozenset[str]:
    """The distribution that provides a top-level module, by the names under which it may be known."""
    if module in sys.stdlib_module_names:
        return frozenset()
    return frozenset({module, next(iter(distributions(module)))})


def versions(modules: Iterable[str]) -> dict[str, str]:
    """The distributions of several top-level modules, those that are installed."""
    return {
        name: version for module in modules for name, version in distributions(module).items() if version != UNKNOWN
    }


def version(name: str) -> str | None:
    """The version of a distribution now, with its content where that may change under one version."""
    found = _distribution(name)
    return None if found is None else _version(found)


def _closure(names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    todo = list(map(_normal, names))
    while todo:
        name = todo.pop()
        distribution = _distribution(name) if name not in found else None
        if distribution is not None:
            found[name] = _version(distribution)
            todo.extend(_needs(distribution))
    return found


@cache
def _distribution(name: str) -> Distribution | None:
    from importlib import metadata

    try:
        return metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _needs(distribution: Distribution) -> Iterator[str]:
    """The distributions that one needs, but those of its extras."""
    head = (distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or "").partition("\n\n")[0]
    for name, condition in _NEEDS.findall(head):
        if "extra" not in condition:
            yield _normal(name)


def _normal(name: str) -> str:
    """The one spelling of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(distribution: Distribution) -> str:
    stated = distribution.read_text("direct_url.json")
    try:
        url = json.loads(stated)["url"] if stated else ""
        editable = bool(stated and json.loads(stated).get("dir_info", {}).get("editable"))
    except (ValueError, KeyError, TypeError, AttributeError):
        url, editable = "", False
    plain = str(distribution.version)
    if not isinstance(url, str) or not url.startswith("file:"):
        return plain
    folder = unquote(urlsplit(url).path)
    content = _content(folder) if editable else _installed(distribution)
    return f"{plain} of {hash_bytes(content, 'package')[:16]}"


def _content(folder: str) -> bytes:
    """What a folder of code holds, told by names and hashes."""
    told = []
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each not in _SKIPPED and not each.endswith(".egg-info"))
        for name in sorted(names):
            if not name.endswith((".pyc", ".pyo")):
                path = Path(here, name)
                told.append(f"{path.relative_to(folder).as_posix()} {_hash(path)}")
    return "\n".join(told).encode("utf-8", "surrogateescape")


def _installed(distribution: Distribution) -> bytes:
    """What the files of a distribution hold, told by names and hashes."""
    files = sorted(str(each) for each in distribution.files or () if not str(each).endswith((".pyc", "/RECORD")))
    return "\n".join(f"{name} {_hash(Path(str(distribution.locate_file(name))))}" for name in files).encode()


def _hash(path: Path) -> str:
    try:
        return hash_bytes(path.read_bytes(), "blob")
    except OSError:
        return "unreadable"


def _providers(module: str) -> list[str]:
    from importlib import metadata

    names = []
    for distribution in metadata.distributions():
        listed = distribution.read_text("top_level.txt")
        if listed is not None and module in listed.split():
            names.append(distribution.metadata["Name"])
    return names or list(metadata.packages_distributions().get(module, ()))
