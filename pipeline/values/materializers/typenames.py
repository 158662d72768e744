"""Names of types: what an artifact records, and the way back to the class.

A name is the shortest public one, so that `pandas.core.frame.DataFrame` and `pandas.DataFrame` of two
pandas versions are one type. A class of the running script is named after the script, so that
`python train.py` and a later `import train` agree about it.

A stored name may be anybody's, and importing a module runs it. So without trust in the value only those modules
are looked into that are imported already, or that belong to Python or a library whose values are stored by name.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.trust import Trust

from .table import BUILTINS

_KNOWN = frozenset(name.partition(".")[0] for entry in BUILTINS for name in (entry.name, *entry.types))
"""Top-level packages whose modules may be imported for anybody's value."""
NO_TRUST = Trust(False)

_LONGEST, _MOST_PARTS = 1000, 40
"""Characters and parts of a name: each part may be a module, and each is looked for."""


def type_name(value_or_type: Any) -> str:
    """The stable name, `module.qualname`, of a type or of a value's type."""
    cls = value_or_type if isinstance(value_or_type, type) else type(value_or_type)
    return _public_name(cls)


def resolve_type(name: str, trust: Trust = NO_TRUST) -> type:
    """The type with that name, or `object` when there is none to import.

    Raises:
        UntrustedData: Finding it imports a module that only the name asks for, without trust.
    """
    parts = name.split(".")
    if len(parts) > _MOST_PARTS or len(name) > _LONGEST:
        return object
    cuts = [(".".join(parts[:cut]), parts[cut:]) for cut in range(len(parts) - 1, 0, -1)]
    for module_name, inside in cuts:
        found = _attribute(_loaded(module_name), inside)
        if isinstance(found, type):
            return found
    for module_name, inside in cuts:
        module = _find_module(module_name, trust)
        if module is not None:
            found = _attribute(module, inside)
            return found if isinstance(found, type) else object
    return object


def is_known(*names: str) -> bool:
    """Whether names, of types or as `class_path` gives them, lead into Python or libraries that are known here."""
    parts = [name.replace(":", ".").split(".") for name in names]
    return all(each[0] in _KNOWN and "__main__" not in each for each in parts)  # to import that is to run a program


def require_installed(library: str, trust: Trust) -> None:
    """Makes sure that importing a library runs what is installed here, or that its value is trusted.

    In an interactive Python, and beside a script, the folder itself comes first: a `torch.py` that came along with a
    stranger's repository would be taken for the library.

    Raises:
        UntrustedData: It would be imported from there, without trust.
    """
    if library in sys.modules:
        return
    try:
        spec = importlib.util.find_spec(library)
    except Exception:  # a finder may be anybody's
        spec = None
    if spec is None:
        return  # importing it fails
    here = {os.path.realpath(place) for place in (os.curdir, sys.path[0] if sys.path else os.curdir)}
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.has_location and spec.origin else [])]
    if any(os.path.realpath(os.path.dirname(place)) in here for place in places):
        trust.require(f"imports the module {library} from {places[0]}, which runs it")


def declared_path(cls: type) -> str:
    """`module:qualname` of a class, importable or not."""
    return f"{_module_name(cls)}:{cls.__qualname__}"


def class_path(cls: type) -> str | None:
    """`module:qualname` if that leads back to this very class, else None."""
    found = _attribute(_find_module(_module_name(cls), Trust(True)), cls.__qualname__.split("."))
    return declared_path(cls) if found is cls else None


def tell(named: Any) -> None:
    """Tells whoever watches the step that a value names a class or function, which is looked for when it is loaded."""
    sys.audit("artvcs.find_class", str(named.__module__), named.__qualname__)


def import_class(path: object, trust: Trust = NO_TRUST) -> type:
    """The class that `class_path` named.

    Raises:
        MaterializerError: There is no such class now.
        UntrustedData: Finding it imports a module that only the path asks for, without trust.
    """
    module, _, qualname = path.partition(":") if isinstance(path, str) else ("", "", "")
    sys.audit("artvcs.find_class", module, qualname)
    found = _attribute(_find_module(module, trust), qualname.split("."))
    if not isinstance(found, type):
        raise MaterializerError(
            f"The class {path} cannot be imported; run where its module can be imported, at the version of the "
            "code that stored the value."
        )
    return found


@lru_cache(maxsize=1024)
def _public_name(cls: type) -> str:
    module = _module_name(cls)
    parts = module.split(".")
    for cut in range(1, len(parts)):
        shorter = ".".join(parts[:cut])
        if _attribute(sys.modules.get(shorter), cls.__qualname__.split(".")) is cls:
            return f"{shorter}.{cls.__qualname__}"
    return f"{module}.{cls.__qualname__}"


def _module_name(cls: type) -> str:
    module = str(cls.__module__)
    return (_script_name() or module) if module == "__main__" else module


def _script_name() -> str | None:
    """What the running script would be called if it were imported."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    file = getattr(main, "__file__", None)
    stem = Path(file).stem if file else ""
    return stem if stem.isidentifier() else None


def _find_module(name: str, trust: Trust) -> Any:
    """The module, imported if it is there to import; raises UntrustedData where that takes trust."""
    if not name or not all(part.isidentifier() for part in name.split(".")):
        return None
    module = _loaded(name)
    if module is not None:
        return module
    if not is_known(name):
        if not _is_there(name):
            return None
        trust.require(f"imports the module {name}, which runs it")
    require_installed(name.partition(".")[0], trust)
    try:
        return importlib.import_module(name)
    except Exception:  # importing is other people's code: whatever it raises, the name leads nowhere
        return None


def _loaded(name: str) -> Any:
    return sys.modules.get("__main__" if name == _script_name() else name)


def _is_there(name: str) -> bool:
    """Whether there is such a module, or at least the first one above it that would be imported."""
    parts = name.split(".")
    prefixes = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
    first = next(prefix for prefix in prefixes if _loaded(prefix) is None)
    try:
        return importlib.util.find_spec(first) is not None  # imports nothing: what is above is loaded
    except ModuleNotFoundError:  # what is above is no package
        return False
    except Exception:  # a finder may be anybody's
        return True


def _attribute(found: Any, names: list[str]) -> Any:
    for name in names:
        found = getattr(found, name, None)
    return found
