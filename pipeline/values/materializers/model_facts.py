"""Metadata of models that follow scikit-learn's conventions, whatever library they are of."""

from __future__ import annotations

import re
from typing import Any

from artvcs.vcs import values

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def is_model(data: Any) -> bool:
    """Whether something has parameters, as scikit-learn's estimators do."""
    return callable(getattr(type(data), "get_params", None)) and callable(getattr(type(data), "fit", None))


def model_metadata(data: Any) -> dict[str, Any]:
    """The class and the parameters of a model; those that are not plain values as text."""
    try:
        parameters = data.get_params(deep=False)
    except Exception:  # a model's own code
        parameters = {}
    return {
        "class": type(data).__name__,
        "parameters": {str(name): _plain(value) for name, value in parameters.items()},
    }


def _plain(value: Any) -> Any:
    try:
        values.encode(value)
    except (TypeError, ValueError, RecursionError):
        return _ADDRESS.sub("", repr(value))[:200]
    return value
