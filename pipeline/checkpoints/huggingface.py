"""Hugging Face: a `TrainerCallback` that registers each checkpoint folder of a `Trainer`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .registering import Checkpoints, framework, numbers

_TrainerCallback: Any = framework("transformers").TrainerCallback


class ArtifactCallback(_TrainerCallback):  # type: ignore[misc]
    """Registers each folder `checkpoint-<step>` as a version of an artifact, as soon as it is written.

    A version's metadata hold `epoch`, `global_step` and what the trainer logged at this step: `loss`, `eval_loss`, …

    Args:
        name: The artifact's name.
        tags: Labels of each version.
        strict: Whether a checkpoint that cannot be registered ends the training.

    Raises:
        InvalidName: The name cannot be used.
    """

    def __init__(self, name: str, *, tags: Sequence[str] = (), strict: bool = False) -> None:
        self._checkpoints = Checkpoints(name, tuple(tags), strict)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Registers the checkpoint that was just written."""
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            self._checkpoints.register(folder, _metadata(state))


def _metadata(state: Any) -> dict[str, Any]:
    metrics: dict[str, float] = {}
    for entry in state.log_history:
        if entry.get("step") == state.global_step:
            metrics.update(numbers(entry))
    metrics.pop("step", None)
    return {**metrics, "epoch": state.epoch, "global_step": state.global_step}
