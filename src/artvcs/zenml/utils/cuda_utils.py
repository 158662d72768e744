"""Memory of GPUs."""

from __future__ import annotations

import gc
import sys
from typing import Any

from .._names import finder


def cleanup_gpu_memory(force: bool = False) -> None:
    """Frees memory of the GPUs that torch holds and nothing uses; nothing where torch is not loaded.

    Args:
        force: Does so also where other processes use the GPU, which ZenML asks about first.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
