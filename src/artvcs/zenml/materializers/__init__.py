"""ZenML's base of materializers, and those that it has itself: here values have the built-in one of their type."""

from __future__ import annotations

from typing import Any

from .._names import finder
from .base_materializer import BaseMaterializer, OfTheType
from .materializer_registry import materializer_registry


class BuiltInMaterializer(OfTheType):
    """Numbers, texts and the like."""


class PydanticMaterializer(OfTheType):
    """Models of pydantic."""


__all__ = ["BaseMaterializer", "BuiltInMaterializer", "OfTheType", "PydanticMaterializer", "materializer_registry"]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
