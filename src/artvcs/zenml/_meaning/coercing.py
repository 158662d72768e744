"""Parameters as ZenML takes them: pydantic makes them what their annotations say, also a number of a text."""

from __future__ import annotations

from typing import Any

from artvcs.pipelines.errors import ParameterError
from artvcs.pipelines.typing import coerce


def coerced(value: Any, annotation: Any, what: str) -> Any:
    """A parameter as it is declared: as we take it, or else as pydantic does, where that is installed.

    Raises:
        ParameterError: Neither takes it.
    """
    try:
        return coerce.coerce(value, annotation, what)
    except ParameterError:
        found = _lax(value, annotation)
        if found is _NONE:
            raise
        return found


_NONE = object()


def _lax(value: Any, annotation: Any) -> Any:
    try:
        from pydantic import TypeAdapter, ValidationError
        from pydantic.errors import PydanticUserError
    except ImportError:
        return _NONE
    try:
        return TypeAdapter(annotation).validate_python(value)
    except (ValidationError, PydanticUserError):
        return _NONE
