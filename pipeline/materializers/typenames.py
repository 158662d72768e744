"""Names of types: what an artifact records, and the way back to the class.

A name is the shortest public one, so that `pandas.core.frame.DataFrame` and `pandas.DataFrame` of two
pandas versions are one type. A class of the running script is named after the script, so that
`python train.py` and a later `import train` agree about it.
"""

from __future__ import annotations

import importlib
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from artvcs.pipelines.errors import MaterializerError


def type_name(value_or_type: Any) -> str:
    """The stable name, `module.qualname`, of a type or of a value's type."""
    cls = value_or_type if isinstance(value_or_type, type) else type(value_or_type)
    return _public_name(cls)


def resolve_type(name: str) -> type:
    """The type with that name, or `object` when there is none to import."""
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = _find_module(".".join(parts[:cut]))
        if module is not None:
            found = _attribute(module, parts[cut:])
            return found if isinstance(found, type) else object
    return object


def declared_path(cls: type) -> str:
    """`module:qualname` of a class, importable or not."""
    return f"{_module_name(cls)}:{cls.__qualname__}"


def class_path(cls: type) -> str | None:
    """`module:qualname` if that leads back to this very class, else None."""
    found = _attribute(_find_module(_module_name(cls)), cls.__qualname__.split("."))
    return declared_path(cls) if found is cls else None


def import_class(path: object) -> type:
    """The class that `class_path` named.

    Raises:
        MaterializerError: There is no such class now.
    """
    module, _, qualname = path.partition(":") if isinstance(path, str) else ("", "", "")
    found = _attribute(_find_module(module), qualname.split("."))
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


def _find_module(name: str) -> Any:
    if not name or not all(part.isidentifier() for part in name.split(".")):
        return None
    if name == _script_name():
        return sys.modules["__main__"]
    try:
        return importlib.import_module(name)
    except Exception:  # importing is other people's code: whatever it raises, the name leads nowhere
        return None


def _attribute(found: Any, names: list[str]) -> Any:
    for name in names:
        found = getattr(found, name, None)
    return found
