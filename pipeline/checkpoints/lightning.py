"""Lightning: a `ModelCheckpoint` that registers each checkpoint it writes.

`lightning` and `pytorch_lightning` are the same framework under two names, with classes that do not know each other.
Which of them is meant shows only when a callback is made, so its base class is chosen then.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from types import new_class
from typing import Any, Self

from artvcs.pipelines.errors import DefinitionError

from .registering import Checkpoints, framework, numbers

_PACKAGES = {"lightning": "lightning.pytorch", "pytorch_lightning": "pytorch_lightning"}


class ArtifactCheckpoint:
    """A `ModelCheckpoint` that also registers each checkpoint as a version of an artifact, as soon as it is written.

    It is an instance of the `ModelCheckpoint` of `lightning` or of `pytorch_lightning`, whichever is imported, else
    whichever is installed. Where a program imports both, derive a class from this one and the right `ModelCheckpoint`.

    A version's metadata hold `epoch`, `global_step` and all metrics logged so far, the monitored one among them.

    Args:
        name: The artifact's name.
        tags: Labels of each version.
        strict: Whether a checkpoint that cannot be registered ends the training.
        **options: What `ModelCheckpoint` takes: `monitor`, `save_top_k`, `every_n_epochs`, …

    Raises:
        InvalidName: The name cannot be used.
        PipelineError: Lightning is not installed.
    """

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """An object that is a `ModelCheckpoint` of Lightning too."""
        made: Self = object.__new__(_on_base(cls))
        return made

    def __init__(self, name: str, *, tags: Sequence[str] = (), strict: bool = False, **options: Any) -> None:
        self._checkpoints = Checkpoints(name, tuple(tags), strict)
        self._registered_step: int | None = None
        super().__init__(**options)

    def __reduce__(self) -> tuple[Any, ...]:
        # The class may be one that `_on_base` made, which nobody can import.
        cls = type(self)
        return _blank, (cls.__bases__[0] if "_made_by_artvcs" in vars(cls) else cls,), self.__dict__

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Looks whether this can work with the trainer, before anything is trained.

        Raises:
            DefinitionError: It cannot.
        """
        _check(self, trainer)
        self._registered_step = None
        upper: Any = super()
        upper.setup(trainer, pl_module, stage)

    # Each way to a checkpoint (by epoch, steps, time, on an exception) ends here; no public hook is called after it.
    def _save_checkpoint(self, trainer: Any, filepath: str) -> None:
        upper: Any = super()
        upper._save_checkpoint(trainer, filepath)
        # `last.ckpt` often follows a checkpoint of the same step: one version is enough.
        if not trainer.is_global_zero or trainer.global_step == self._registered_step:
            return
        facts = {"epoch": trainer.current_epoch, "global_step": trainer.global_step}
        if self._checkpoints.register(filepath, {**numbers(trainer.callback_metrics), **facts}) is not None:
            self._registered_step = trainer.global_step


@cache
def _on_base_of(cls: Any, package: str) -> Any:
    base = framework(f"{_PACKAGES[package]}.callbacks", "lightning").ModelCheckpoint
    # Lightning finds the state of a callback again by the name of its class.
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return new_class(cls.__name__, (cls, base), exec_body=lambda body: body.update(names, _made_by_artvcs=True))


def _on_base(cls: Any) -> Any:
    """The class, derived from `ModelCheckpoint` too unless it is already."""
    if any(base.__name__ == "ModelCheckpoint" for base in cls.__mro__):
        return cls
    imported = [package for package, module in _PACKAGES.items() if module in sys.modules]
    installed = [package for package in _PACKAGES if find_spec(package) is not None]
    return _on_base_of(cls, (imported or installed or ["lightning"])[0])


def _blank(cls: Any) -> Any:
    """An object whose attributes are set next, by copying or unpickling."""
    return cls.__new__(cls)


def _check(callback: Any, trainer: Any) -> None:
    packages = [_package(type(trainer)), _package(type(callback))]
    if packages[0] != packages[1]:
        raise DefinitionError(
            f"The Trainer is of {packages[0]} and its ArtifactCheckpoint of {packages[1]}; import one of them only, or "
            f"derive a class from ArtifactCheckpoint and {packages[0]}'s ModelCheckpoint and use that."
        )
    writer = trainer.strategy.checkpoint_io
    if any(cls.__name__ == "AsyncCheckpointIO" for cls in type(writer).__mro__):
        raise DefinitionError(
            "ArtifactCheckpoint cannot tell when AsyncCheckpointIO has written a file; use the checkpoint plugin that "
            "Lightning takes by default."
        )


def _package(cls: type) -> str | None:
    tops = (base.__module__.partition(".")[0] for base in cls.__mro__)
    return next((top for top in tops if top in _PACKAGES), None)
