"""Where code lives: the project around a step, and the file that an import leads to.

Nothing is imported to find out. What Python has loaded already is asked first, then Python's own
finders for top-level names, then the folders that would be on the path if the file were run.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import os
import sys
import sysconfig
import types
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

Kind = Literal["own", "package", "stdlib", "binary", "missing"]

_INSTALLED = frozenset({"site-packages", "dist-packages"})
TOOL = "artvcs"
TOOL_FOLDER = os.path.abspath(__file__).rpartition(f"{os.sep}pipelines{os.sep}")[0] + os.sep
"""Where artvcs itself is installed."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a module is.

    Attributes:
        kind: The user's `own`, an installed `package`, `stdlib`, compiled (`binary`) or `missing`.
        dotted: The module's absolute name.
        file: Its source, when it is the user's own and not a folder without `__init__.py`.
        folder: Where its submodules are, when it has any.
    """

    kind: Kind
    dotted: str
    file: str | None = None
    folder: str | None = None

    @property
    def top(self) -> str:
        """The name of the package it belongs to."""
        return self.dotted.partition(".")[0]

    def child(self, name: str) -> Location | None:
        """The submodule of that name, if there is one."""
        dotted = f"{self.dotted}.{name}" if self.dotted else name
        if self.kind != "own":
            return replace(self, dotted=dotted)
        found = _in_folder(self.folder, name, dotted) if self.folder is not None else None
        return found or (_elsewhere(dotted) if self.file is None else None)


@cache
def project_root(folder: str) -> str:
    """The Git root around `folder`, else the nearest folder with a pyproject.toml, else itself."""
    nearest: str | None = None
    at = folder
    while True:
        if os.path.exists(os.path.join(at, ".git")):
            return at
        if nearest is None and os.path.isfile(os.path.join(at, "pyproject.toml")):
            nearest = at
        above = os.path.dirname(at)
        if above == at:
            return nearest or folder
        at = above


@cache
def import_root(folder: str) -> str:
    """The folder from which a file in `folder` is imported: above all packages it is in."""
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    return folder


@cache
def is_own(path: str) -> bool:
    """Whether a file is the user's own: neither installed, nor Python's, nor artvcs."""
    if not _INSTALLED.isdisjoint(path.split(os.sep)) or path.startswith("<"):
        return False
    real = os.path.realpath(path)
    return not (path.startswith(_foreign_folders()) or real.startswith(_foreign_folders()))


def label(root: str, path: str) -> str:
    """The name of a file that is the same in every clone: relative to the project or its import root."""
    for base, place in ((root, path), (os.path.realpath(root), os.path.realpath(path))):
        if place.startswith(base.rstrip(os.sep) + os.sep):
            return os.path.relpath(place, base).replace(os.sep, "/")
    return "../" + os.path.relpath(path, import_root(os.path.dirname(path))).replace(os.sep, "/")


def stated(module: Any, name: str) -> Any:
    """What a module says of itself, without asking its own `__getattr__`: that is the user's code."""
    if isinstance(module, types.ModuleType):
        return vars(module).get(name)
    return inspect.getattr_static(module, name, None)


def locate(importer: str, root: str, level: int, module: str) -> Location:
    """The module that an import in the file `importer` leads to."""
    if level:
        folder = os.path.dirname(importer)
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        package = os.path.relpath(folder, import_root(os.path.dirname(importer))).replace(os.sep, ".").strip(".")
        start = os.path.join(folder, "__init__.py")
        found: Location | None = Location("own", package, start if os.path.isfile(start) else None, folder)
        names = module.split(".") if module else []
    else:
        top, _, rest = module.partition(".")
        found = _locate_top(top, importer, root)
        names = rest.split(".") if rest else []
    for name in names:
        found = found.child(name) if found is not None else None
    return found if found is not None else Location("missing", "." * level + module)


def _locate_top(name: str, importer: str, root: str) -> Location:
    if name == TOOL:
        return Location("package", name)
    loaded = sys.modules.get(name)
    if loaded is not None and name != "__main__":
        origin = stated(loaded, "__file__")
        folders = list(stated(loaded, "__path__") or ())
        found = _classify(name, origin, folders)
        if found is not None:
            return found
    try:
        spec = importlib.util.find_spec(name) if loaded is None else stated(loaded, "__spec__")
    except (ImportError, ValueError, AttributeError):
        spec = None
    if spec is not None:
        found = _classify(name, spec.origin, list(spec.submodule_search_locations or ()))
        if found is not None:
            return found
    for folder in dict.fromkeys((import_root(os.path.dirname(importer)), root, os.path.join(root, "src"))):
        found = _in_folder(folder, name, name)
        if found is not None:
            return found
    return Location("missing", name)


def _elsewhere(dotted: str) -> Location | None:
    """A part of a package without `__init__.py` that is in another folder than the rest."""
    if dotted.rpartition(".")[0] not in sys.modules:
        return None
    try:
        spec = importlib.util.find_spec(dotted)
    except (ImportError, ValueError, AttributeError):
        return None
    return _classify(dotted, spec.origin, list(spec.submodule_search_locations or ())) if spec is not None else None


def _classify(name: str, origin: str | None, folders: list[str]) -> Location | None:
    if origin in ("built-in", "frozen") or (origin is None and not folders):
        return Location("stdlib", name) if name in sys.stdlib_module_names else None
    place = os.path.abspath(origin or folders[0])
    if not is_own(place):
        standard = name in sys.stdlib_module_names and os.path.realpath(place).startswith(_standard_folders())
        return Location("stdlib" if standard else "package", name)
    if origin is None:
        return Location("own", name, None, place)
    if not place.endswith(".py"):
        return Location("binary", name, place)
    if not os.path.exists(place):  # in an archive
        return Location("binary", name, _existing(place))
    return Location("own", name, place, os.path.dirname(place) if folders else None)


def _existing(place: str) -> str:
    """The nearest thing above a path that is there."""
    while not os.path.exists(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    return place


def _in_folder(folder: str | None, name: str, dotted: str) -> Location | None:
    base = os.path.join(folder or "", name)
    package = os.path.join(base, "__init__.py")
    if os.path.isfile(package):
        return Location("own", dotted, package, base)
    if os.path.isfile(base + ".py"):
        return Location("own", dotted, base + ".py")
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        if os.path.isfile(base + suffix):
            return Location("binary", dotted, base + suffix)
    return Location("own", dotted, None, base) if os.path.isdir(base) else None


@cache
def _standard_folders() -> tuple[str, ...]:
    paths = {sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib")}
    paths |= {os.path.dirname(os.__file__)}
    return tuple(os.path.realpath(path) + os.sep for path in sorted(paths))


@cache
def _foreign_folders() -> tuple[str, ...]:
    package = sys.modules[TOOL]
    own = {os.path.realpath(folder) for folder in package.__path__}
    # Subpackages may be links to folders elsewhere in a development install.
    own |= {os.path.realpath(os.path.join(folder, name)) for folder in own for name in os.listdir(folder)}
    return _standard_folders() + tuple(sorted(path + os.sep for path in own if os.path.isdir(path)))
