"""What can be said about a step or a pipeline besides its code, and how later words override earlier ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from ...errors import DefinitionError
from ...values.materializers import Materializer
from ..model import Model
from .executors import check_executor, check_jobs
from .policy import CachePolicy
from .resources import USUAL, Resources
from .settings import StepSettings

Hook = Callable[..., Any]
ExecutionMode = Literal["continue_on_failure", "stop_on_failure", "fail_fast"]
HOOKS = ("on_start", "on_end", "on_success", "on_failure")
EXECUTION_MODES = ("continue_on_failure", "stop_on_failure", "fail_fast")


@dataclass(frozen=True)
class Retry:
    """How often a failed step is tried again.

    Attributes:
        count: Tries after the first.
        delay: Seconds before the second try.
        backoff: What the delay is multiplied by for each try after that; at least 1.
        memory: What the memory that the step asks for is multiplied by when its process was killed, as where memory
            runs out; at least 1. Also as text, "×2".
    """

    count: int = 3
    delay: float = 0.0
    backoff: float = 1.0
    memory: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.memory, str):
            object.__setattr__(self, "memory", _factor(self.memory))
        if self.count < 0 or self.delay < 0 or self.backoff < 1 or self.memory < 1:
            raise DefinitionError(f"{self} is not possible; count and delay start at 0, backoff and memory at 1.")

    def _repr_html_(self) -> str:
        from ...values.visualizations import cards

        return cards.settings_card(self)

    def wait(self, tries: int) -> float:
        """Seconds to wait after the given number of tries have failed."""
        return self.delay * self.backoff ** (tries - 1)


@dataclass(frozen=True)
class Options:
    """Base of both kinds of options; None means "not said".

    Attributes:
        model: To which model belongs what is made; what a step says goes before what its pipeline says.
        parameters: Parameter → value, in place of its default.
        extra: Plain values of your own, for steps that ask `get_step_context().extra`.
        environment: Environment variable → its value while the step runs, which counts; what a step says goes before
            what its pipeline says.
    """

    name: str | None = None
    enable_cache: bool | None = None
    substitutions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    on_start: Hook | None = None
    on_end: Hook | None = None
    on_success: Hook | None = None
    on_failure: Hook | None = None
    model: Model | None = None
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def override(self, **said: Any) -> Self:
        """These options with what was said now on top; what maps names to values adds up.

        Raises:
            DefinitionError: An option is unknown.
        """
        known = {field.name for field in dataclasses.fields(self)}
        if unknown := sorted(set(said) - known):
            raise DefinitionError(f"There is no option {unknown[0]!r}; the options are {', '.join(sorted(known))}.")
        for field in ("substitutions", "output_materializers", "parameters", "extra", "environment"):
            if said.get(field) is not None:
                if not isinstance(said[field], Mapping):
                    raise DefinitionError(f"{field}={said[field]!r} is not possible; give a dictionary.")
                said[field] = {**getattr(self, field), **said[field]}
        if said.get("environment") is not None:  # variables are text, and files say numbers
            said["environment"] = {name: str(value) for name, value in said["environment"].items()}
        return dataclasses.replace(self, **{name: value for name, value in said.items() if value is not None})


@dataclass(frozen=True)
class StepOptions(Options):
    """Options of a step.

    Attributes:
        name: What the step is called; by default as its function.
        enable_cache: Whether an earlier result may be used instead of running.
        cache: What else decides whether it may.
        substitutions: Placeholder → text, for the names of outputs.
        retry: How often to try again after a failure.
        timeout: Seconds after which a try has failed.
        resources: What it needs while it runs.
        output_materializers: Output name → materializer class, instead of the one its type would get.
        on_start: Called with nothing before the step runs; likewise the other hooks, see docs/steps.md.
    """

    cache: CachePolicy = dataclasses.field(default_factory=CachePolicy)
    retry: Retry = Retry(count=0)
    timeout: float | None = None
    resources: Resources = USUAL
    output_materializers: Mapping[str, type[Materializer]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.timeout is not None and not self.timeout > 0:
            raise DefinitionError(f"timeout={self.timeout!r} is not possible; give seconds, more than 0.")


@dataclass(frozen=True)
class PipelineOptions(Options):
    """Options of a pipeline.

    Attributes:
        name: What the pipeline is called; by default as its function.
        enable_cache: Whether steps that do not say otherwise may use earlier results.
        on_start: For every step that has none of its own; likewise the other hooks.
        execution_mode: What happens after a step failed: all steps that do not depend on it still run
            (`continue_on_failure`), those already running end (`stop_on_failure`), or nothing goes on (`fail_fast`).
        run_name: Template for the names of runs.
        run_all: Run every step, also those that say that they may use earlier results.
        tags: Labels of each run.
        executor: Where its steps are executed, see docs/executors.md.
        jobs: How many of them side by side.
        steps: Step or invocation → what is said about it; it goes before what the code says.
    """

    execution_mode: ExecutionMode = "continue_on_failure"
    run_name: str | None = None
    run_all: bool = False
    tags: Sequence[str] = ()
    executor: str | None = None
    jobs: int | None = None
    steps: Mapping[str, StepSettings] = dataclasses.field(default_factory=dict)

    def override(self, **said: Any) -> Self:
        """See `Options.override`; what is said about one step adds up too."""
        if (steps := said.get("steps")) is not None:
            before = self.steps
            said["steps"] = {
                **before,
                **{name: before[name].override(each) if name in before else each for name, each in steps.items()},
            }
        return super().override(**said)

    def extra_of(self, step: StepOptions) -> Mapping[str, Any]:
        """What a step of this pipeline finds in `extra`: what it says itself goes before what the pipeline says."""
        return {**self.extra, **step.extra}

    def uses_cache(self, step: StepOptions) -> bool:
        """Whether a step of this pipeline may use an earlier result: what the step says wins, unless all is to run."""
        if self.run_all:
            return False
        return self.enable_cache is not False if step.enable_cache is None else step.enable_cache

    def __post_init__(self) -> None:
        if self.execution_mode not in EXECUTION_MODES:
            raise DefinitionError(
                f"execution_mode={self.execution_mode!r} is unknown; use {', '.join(EXECUTION_MODES)}."
            )
        if self.executor is not None:
            check_executor(self.executor)
        if self.jobs is not None:
            check_jobs(self.jobs)
        if isinstance(self.tags, str) or not all(isinstance(tag, str) for tag in self.tags):
            raise DefinitionError(f"tags={self.tags!r} is not possible; give a list of texts.")


def _factor(text: str) -> float:
    try:
        return float(text.strip().lstrip("×x*"))
    except ValueError:
        raise DefinitionError(f"retry: memory={text!r} is not possible; give a factor, as 2 or '×2'.") from None


def as_retry(retry: Retry | Mapping[str, Any] | int | None) -> Retry | None:
    """A retry as users write it: a number of tries, a dictionary of its fields, or a `Retry`.

    Raises:
        DefinitionError: It is none of these.
    """
    if isinstance(retry, int):
        return Retry(count=retry)
    if isinstance(retry, Mapping):
        try:
            return Retry(**{{"max_retries": "count"}.get(key, key): value for key, value in retry.items()})
        except TypeError as error:
            raise DefinitionError(
                f"retry={dict(retry)} is not possible ({error}); give count, delay, backoff, memory."
            ) from None
    return retry
