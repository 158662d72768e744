"""Errors of pipelines, below `artvcs.vcs.errors.ArtError`.

    PipelineError
    ├── DefinitionError    a step or pipeline is declared in a way that cannot work
    ├── ParameterError     a parameter is missing, unknown, or not a JSON value of its type
    ├── TypeMismatch       a value does not fit its annotation
    ├── MaterializerError  a value cannot be stored or loaded
    ├── UntrustedData      loading would run code that came from elsewhere
    ├── StepTimeout        a step ran longer than it may
    ├── StepKilled         the process that executed a step has ended in the midst of it
    ├── InUse              something cannot be deleted, since a run uses it
    └── RunFailed          a run ended with a failed step

    UnknownName
    └── Missing            a mapping has no such key

Messages are made as there: one sentence that says what happened and what to do.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from typing import Protocol, Self, TypeVar

from artvcs.vcs import ArtError, UnknownName
from artvcs.vcs.tracebacks import without_libraries, without_ours

E = TypeVar("E", bound=BaseException)


class PipelineError(ArtError):
    """Base of all errors about steps, pipelines and their values."""


class DefinitionError(PipelineError):
    """A step or pipeline is declared in a way that cannot work."""


class ParameterError(PipelineError):
    """A parameter is missing, unknown, or not a JSON value of its declared type."""


class TypeMismatch(PipelineError):
    """A value does not fit the annotation it was declared with."""


class MaterializerError(PipelineError):
    """A value cannot be stored, or what was stored cannot be loaded."""


class UntrustedData(PipelineError):
    """Loading would run code that came from elsewhere."""


class StepTimeout(PipelineError):
    """A step ran longer than it may."""

    @classmethod
    def after(cls, seconds: float, step: str) -> Self:
        """A step took longer than so many seconds, which are its timeout."""
        return cls(f"The step {step!r} took longer than its timeout of {seconds:g} s; raise it or do less.")


class StepKilled(PipelineError):
    """The process that executed a step has ended in the midst of it."""

    @classmethod
    def by(cls, code: int, step: str) -> Self:
        """How a process has ended that executed a step.

        Args:
            code: Its exit code; that of a signal, negated, if one has killed it.
            step: The step's name.
        """
        if code >= 0:
            return cls(f"The step {step!r} ended its process with exit code {code}; return a value, or raise an error.")
        try:
            name, hint = signal.Signals(-code).name, _HINTS.get(signal.Signals(-code), "")
        except ValueError:
            name, hint = f"signal {-code}", ""
        return cls(f"The step {step!r} was killed by {name}{hint}.")


_HINTS = {
    signal.SIGKILL: ", as Linux does where memory runs out; let it need less, or fewer steps run side by side",
    signal.SIGSEGV: ", by a fault of a library that it uses",
    signal.SIGABRT: ", by a fault of a library that it uses",
}


class NoContext(PipelineError, RuntimeError):
    """No step is running, or no pipeline is being built; a RuntimeError too, as ZenML raises one."""


class InUse(PipelineError):
    """Something cannot be deleted, since a run uses it."""


class Missing(UnknownName, KeyError):
    """A mapping has no such key; a KeyError too, as Python's mappings raise one."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would put it in quotes


class FailedRun(Protocol):
    """What `RunFailed` needs to know of its run."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def tracebacks(self) -> Mapping[str, str]:
        """What each failed step raised."""


class RunFailed(PipelineError, RuntimeError):
    """A run ended with a failed step; `__cause__` is the first failed step's exception.

    It is a RuntimeError too: that is what a run that fails is in ZenML.

    Attributes:
        run: The run, as `Client().get_pipeline_run` gives it.
        reason: Which step failed, and why.
        advice: What leads from there to running again.
    """

    def __init__(self, reason: str, run: FailedRun, *, advice: str = "; mend it and ") -> None:
        again = "run again: finished steps are not repeated"
        super().__init__(f"{reason}{advice}{again} (`art show {run.name}` shows the run).")
        self.run = run
        self.reason = reason
        self.advice = advice

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of all frames that led here, most of which are ours."""
        told = [f"{step} failed:\n{text}\n" for step, text in self.run.tracebacks.items()]
        return [*told, f"{type(self).__name__}: {self}"]


def text_of(error: BaseException) -> str:
    """What an error says; its own code may be as broken as what raised it."""
    try:
        return str(error)
    except Exception as broken:
        return f"(its text cannot be had: {type(broken).__name__})"


def for_people(error: E) -> E:
    """The error, it and all that led to it without those of our frames that say nothing to who reads its traceback."""
    each: BaseException | None = error
    seen, is_said = set[int](), False
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        is_said = isinstance(each, ArtError) or (is_said and isinstance(each, OSError))
        each.__traceback__ = (without_libraries if is_said else without_ours)(each.__traceback__)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return error


class PickleFallbackWarning(UserWarning):
    """A value was stored as a pickle because nothing better knows its type."""


class IgnoredSetting(UserWarning):
    """Something was said that has no meaning here, such as where ZenML would run a step."""


class SharingWarning(UserWarning):
    """A run could not fetch before it, or push after it, as the project's settings ask."""


class NoWorkersWarning(UserWarning):
    """The engine on which a run goes on has no workers any more."""


def perhaps(text: str, known: Iterable[str]) -> str:
    """` (did you mean …?)`, where a text may be a slip of something known; else nothing: what is far off is no help."""
    import difflib  # nobody who makes no mistake needs it

    slips = max(1, len(text) // _LETTERS)
    alike = sorted(each for each in {*known} - {text} if abs(len(each) - len(text)) <= slips)
    close = difflib.get_close_matches(text, alike[:_LOOKED_AT], n=_COMPARED)
    near = [each for each in close if _slips(text, each) <= slips]
    return f" (did you mean {near[0]!r}?)" if near else ""


_LOOKED_AT = 10_000
"""So many are looked at, which takes half a second."""

_COMPARED = 5
"""So many of what looks most alike are compared letter by letter."""

_LETTERS = 3
"""Among so many letters one slip is believed."""


def _slips(text: str, meant: str) -> int:
    """How many letters are too many, missing, others, or swapped with the one behind them.

    Source: https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance ("optimal string alignment").
    """
    before, last = [0] * (len(meant) + 1), list(range(len(meant) + 1))
    for i, a in enumerate(text):
        this = [i + 1]
        for j, b in enumerate(meant):
            least = min(last[j + 1] + 1, this[j] + 1, last[j] + (a != b))
            if i and j and a == meant[j - 1] and b == text[i - 1]:
                least = min(least, before[j - 1] + 1)
            this.append(least)
        before, last = last, this
    return last[-1]
