"""Where a step is executed: what an execution finds there, besides its task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # what notes metadata needs nothing of what follows code
    from artvcs.vcs import Draft, Input, Output, Repository, Version

    from ...define.model import Model
    from ...record.outcome import Outcome
    from ...trace.verify import States
    from .task import StepTask


class ModelAtWork(Protocol):
    """The version of a model that a step works on, as the step may ask for it. See `record.models.WorkedOn`."""

    @property
    def model(self) -> Model:
        """What the pipeline or step says about it."""

    @property
    def name(self) -> str:
        """What the model's versions are stored as."""

    def find(self, name: str, version: str | int | None = None) -> Input:
        """An artifact that belongs to it. Raises UnknownName where none of it is called so."""

    def version(self) -> Version:
        """The version, made and published."""

    def told(self) -> Mapping[str, str]:
        """What a step would be told, should it ask."""

    def add(self, outputs: Iterable[Output] = (), notes: Mapping[str, Any] | None = None) -> None:
        """Says what belongs to it."""


class Workplace(Protocol):
    """Where steps of one run are executed."""

    @property
    def repository(self) -> Repository:
        """Where inputs are read."""

    @property
    def draft(self) -> Draft[Any]:
        """What is stored goes into it."""

    @property
    def states(self) -> States:
        """Knows the states that code reaches."""

    def catch_up(self) -> None:
        """Makes visible what has ended in the run so far."""

    def label(self, task: StepTask) -> str | None:
        """The name by which what a step prints is shown line by line, where others print to the same streams."""

    def trying(self, tried: int) -> None:
        """The step is tried once more, after so many times before."""

    def limited(self, seconds: float | None) -> None:
        """What the step does now may take so long, or as long as it takes."""

    def interrupted(self, task: StepTask, outcome: Outcome) -> None:
        """Takes how an execution stood when it was interrupted."""

    def model(self, invocation_id: str) -> ModelAtWork | None:
        """The version of a model that a step works on, if it works on one."""
