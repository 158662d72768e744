"""Artifacts without a pipeline, and what an output can say of itself."""

from __future__ import annotations

from typing import Any

from .. import _finder


def __getattr__(name: str) -> Any:
    return _finder.look_up(__name__, name)
