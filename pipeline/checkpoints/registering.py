"""What the callbacks of all frameworks share: a checkpoint on disk becomes a version, and training goes on."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from artvcs.pipelines import functions
from artvcs.pipelines.define import naming
from artvcs.pipelines.errors import PipelineError, StepTimeout
from artvcs.pipelines.history.views import ArtifactVersion

_log = logging.getLogger("artvcs.checkpoints")


@dataclass(frozen=True)
class Checkpoints:
    """The artifact whose versions the checkpoints of a training are.

    Attributes:
        name: The artifact's name.
        tags: Labels of each version.
        strict: Whether a checkpoint that cannot be registered ends the training.

    Raises:
        InvalidName: The name cannot be used.
    """

    name: str
    tags: tuple[str, ...] = ()
    strict: bool = False
    _process: int = field(default_factory=os.getpid, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        naming.check_artifact_name(self.name)  # now, not hours later at the first checkpoint

    def register(self, path: str | os.PathLike[str], metadata: Mapping[str, Any]) -> ArtifactVersion | None:
        """Registers a checkpoint; inside a step the version belongs to the step's run.

        Args:
            path: The file or folder, as the framework wrote it.
            metadata: What to note with it.

        Returns:
            The version; None if that failed, which is logged with the reason.

        Raises:
            Exception: Whatever went wrong, if `strict`.
        """
        # A forked worker cannot go on with its parent's change of the repository: it registers as if outside the step.
        where = copy_context() if os.getpid() == self._process else Context()
        try:
            version = where.run(self._register, path, metadata)
        except StepTimeout:
            raise  # the alarm of a step's time limit may ring here too, and it rings once
        except Exception as error:  # what is trained is worth more than the note of it
            if self.strict:
                raise
            _log.warning("The checkpoint %s was not registered as %r; training goes on. %s", path, self.name, error)
            return None
        return version

    def _register(self, path: str | os.PathLike[str], metadata: Mapping[str, Any]) -> ArtifactVersion:
        # Published at once: the step may go on for days.
        return functions.register_artifact(path, self.name, tags=self.tags, metadata=metadata)


def numbers(metrics: Mapping[Any, Any]) -> dict[str, float]:
    """Those of a framework's metrics that are single numbers, as plain ones."""
    found = {}
    for name, value in metrics.items():
        with contextlib.suppress(Exception):  # a tensor of several values, say
            number = value.item() if hasattr(value, "item") else value
            if isinstance(number, int | float):
                found[str(name)] = number
    return found


def framework(module: str, package: str | None = None) -> Any:
    """The module of a framework, imported.

    Args:
        module: Its full name.
        package: What to install for it; by default called like the module.

    Raises:
        PipelineError: It cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as error:
        top = module.partition(".")[0]
        raise PipelineError(
            f"Checkpoints of {top} need {module}, which cannot be imported ({error}); "
            f"install it with `pip install {package or top}`."
        ) from error
