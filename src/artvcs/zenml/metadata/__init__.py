"""What can be noted."""

from __future__ import annotations

from typing import Any

from .._names import finder


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
