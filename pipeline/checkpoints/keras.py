"""Keras: a `ModelCheckpoint` that registers each checkpoint it writes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .registering import Checkpoints, framework, numbers

_ModelCheckpoint: Any = framework("keras").callbacks.ModelCheckpoint


class ArtifactCheckpoint(_ModelCheckpoint):  # type: ignore[misc]
    """A `ModelCheckpoint` that also registers each checkpoint as a version of an artifact, as soon as it is written.

    A version's metadata hold `epoch` (counted from 1, as in file names), `global_step` and the metrics.

    Args:
        name: The artifact's name.
        filepath: Where Keras writes; by default a temporary folder, since the versions hold all.
        tags: Labels of each version.
        strict: Whether a checkpoint that cannot be registered ends the training.
        **options: What `ModelCheckpoint` takes: `monitor`, `save_best_only`, `save_freq`, …

    Raises:
        InvalidName: The name cannot be used.
    """

    def __init__(
        self,
        name: str,
        filepath: str | os.PathLike[str] | None = None,
        *,
        tags: Sequence[str] = (),
        strict: bool = False,
        **options: Any,
    ) -> None:
        self._checkpoints = Checkpoints(name, tuple(tags), strict)
        if filepath is None:
            self._folder = tempfile.TemporaryDirectory(prefix="artvcs-")  # removed with this object
            ending = "weights.h5" if options.get("save_weights_only") else "keras"
            filepath = Path(self._folder.name, f"checkpoint.{ending}")
        super().__init__(filepath, **options)

    # Keras has no public hook after saving; this one is called at the end of epochs and batches alike.
    def _save_model(self, epoch: int, batch: int | None, logs: Mapping[str, Any] | None) -> None:
        path = Path(self._get_file_path(epoch, batch, logs))
        before = _stamp(path)
        super()._save_model(epoch, batch, logs)
        if _stamp(path) != before:  # else it was not the best so far
            facts = {"epoch": epoch + 1, **_step(self.model)}
            self._checkpoints.register(path, {**numbers(logs or {}), **facts})


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written."""
    try:
        info = path.stat()
    except FileNotFoundError:
        return None
    return info.st_mtime_ns, info.st_ino, info.st_size


def _step(model: Any) -> dict[str, int]:
    iterations = getattr(getattr(model, "optimizer", None), "iterations", None)
    return {} if iterations is None else {"global_step": int(iterations.numpy())}
