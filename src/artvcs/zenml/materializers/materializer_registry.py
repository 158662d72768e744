"""Saying which materializer a type has."""

from __future__ import annotations

from typing import Any

from artvcs.pipelines.values.materializers import Materializer, find_for_type, register

from .._names import finder


class MaterializerRegistry:
    """Which materializer each type has; declaring one has said so already."""

    def register_materializer_type(self, key: type, type_: type[Materializer]) -> None:
        """Gives a type a materializer."""
        self.register_and_overwrite_type(key, type_)

    def register_and_overwrite_type(self, key: type, type_: type[Materializer]) -> None:
        """Gives a type a materializer, whatever it had."""
        if key not in type_.ASSOCIATED_TYPES:
            type_.ASSOCIATED_TYPES = (*type_.ASSOCIATED_TYPES, key)
        register(type_)

    def __getitem__(self, key: type) -> Any:
        return find_for_type(key)

    def is_registered(self, key: type) -> bool:
        """Whether values of a type are stored without pickling them."""
        return find_for_type(key) is not None


materializer_registry = MaterializerRegistry()


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
