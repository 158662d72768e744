"""Things by the path that they are imported by."""

from __future__ import annotations

from typing import Any

from artvcs.pipelines.define.options.sources import load

from .._names import finder

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
