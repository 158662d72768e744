"""Metadata of models that follow scikit-learn's conventions, whatever library they are of."""

from __future__ import annotations

import inspect
import re
from contextlib import suppress
from typing import Any

from artvcs.vcs import values

from .typenames import type_name

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

_LONGEST = 200
"""Characters of a parameter that is no plain value."""


def is_model(data: Any) -> bool:
    """Whether something has parameters, as scikit-learn's estimators do."""
    return callable(getattr(type(data), "get_params", None)) and callable(getattr(type(data), "fit", None))


def strangers(model: Any) -> list[str]:
    """The names of the classes of models inside a model that are not of its own library."""
    library = type(model).__module__.partition(".")[0]
    try:
        inside = model.get_params(deep=True).values() if is_model(model) else ()
    except Exception:  # a model's own code
        return []
    return sorted({
        type_name(each) for each in inside
        if is_model(each) and not isinstance(each, type) and type(each).__module__.partition(".")[0] != library
    })  # fmt: skip


def model_metadata(data: Any) -> dict[str, Any]:
    """The class and the parameters of a model; those that are not plain values as text.

    `changed` are those that are not what the class gives by itself.
    """
    try:
        parameters = data.get_params(deep=False)
    except Exception:  # a model's own code
        parameters = {}
    defaults = _defaults(type(data))
    changed = {name: value for name, value in parameters.items() if not _is_same(value, defaults.get(name))}
    return {
        "class": type(data).__name__,
        "changed": {str(name): _plain(value) for name, value in changed.items()},
        "parameters": {str(name): _plain(value) for name, value in parameters.items()},
    }


def _defaults(cls: type) -> dict[str, Any]:
    """Parameter → what it is where nobody says it; what has no default, or an unknown one, is left out."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):  # a class may hand on what it does not name
        with suppress(TypeError, ValueError):
            parameters = inspect.signature(vars(base).get("__init__", object)).parameters
            found |= {name: each.default for name, each in parameters.items() if each.default is not each.empty}
    return found


def _is_same(value: Any, default: Any) -> bool:
    if value is default:
        return True
    try:
        return type(value) is type(default) and bool(value == default or (value != value and default != default))
    except Exception:  # arrays, and whatever else compares in its own way
        return False


def _plain(value: Any) -> Any:
    try:
        values.encode(value)
    except (TypeError, ValueError, RecursionError):
        text = " ".join(_ADDRESS.sub("", repr(value)).split())  # scikit-learn breaks its lines
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return value
