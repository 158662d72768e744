"""Running one step: load its inputs, call the function, check and store what it returns.

Everything that may go wrong in the step's own code is caught here and handed back as part of the outcome.
"""

from __future__ import annotations

import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from artvcs.vcs.objects import Failure, Input
from artvcs.vcs.transaction import now_ms

from . import artifacts, context, logs, validation
from .artifacts import Saved
from .context import StepContext
from .errors import StepTimeout, TypeMismatch
from .options import Hook
from .signature import Signature
from .steps import Step


@dataclass
class Outcome:
    """How an execution ended. Times are milliseconds since 1970 UTC.

    Attributes:
        outputs: Output name → what was stored; empty after a failure.
        error: What the step raised, if it failed.
    """

    started: int
    finished: int = 0
    outputs: dict[str, Saved] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    reads: dict[str, Input] = field(default_factory=dict)
    log: str = ""
    error: Exception | None = None

    def failure(self) -> Failure | None:
        """The error as a run records it."""
        if self.error is None:
            return None
        text = "".join(traceback.format_exception(self.error))
        return Failure(type(self.error).__name__, str(self.error), _storable(text))


def execute(
    step: Step[Any, Any], here: StepContext, inputs: Mapping[str, Sequence[Input]], lists: frozenset[str]
) -> Outcome:
    """Runs a step with its retries, hooks and timeout.

    Args:
        step: The step.
        here: Where it stands in its run.
        inputs: Input name → artifacts to load.
        lists: The inputs that are lists of artifacts.
    """
    outcome = Outcome(started=now_ms())
    with context.entered(here), logs.capture() as log:
        for tries in range(1, step.options.retry.count + 2):
            if tries > 1:
                time.sleep(step.options.retry.wait(tries - 1))
                log.write(f"Trying again ({tries} of {step.options.retry.count + 1}) after: {outcome.error}\n")
            outcome.outputs, outcome.error = _try(step, here, inputs, lists)
            if outcome.error is None:
                break
        _call_hooks(step, outcome)
    outcome.finished = now_ms()
    outcome.metadata, outcome.reads, outcome.log = here.metadata, here.reads, _storable(log.getvalue())
    return outcome


def _try(
    step: Step[Any, Any], here: StepContext, inputs: Mapping[str, Sequence[Input]], lists: frozenset[str]
) -> tuple[dict[str, Saved], Exception | None]:
    try:
        _call(step.options.on_start)
        arguments = dict(here.parameters)
        annotations = {entry.name: entry.annotation for entry in step.signature.inputs}
        for name, sources in inputs.items():
            loaded = [artifacts.load(here.repository, source.artifact) for source in sources]
            value = loaded if name in lists else loaded[0]
            arguments[name] = validation.check(value, annotations[name], f"the input {name!r} of step {step.name!r}")
        with _time_limit(step.options.timeout, step.name):
            returned = step.function(**arguments)
        return _store(step, here, returned), None
    except Exception as error:  # whatever the step raised is its failure, not ours
        return {}, error


def _store(step: Step[Any, Any], here: StepContext, returned: Any) -> dict[str, Saved]:
    stored = {}
    for name, annotation, value in _split(step.name, step.signature, returned):
        checked = validation.check(value, annotation, f"the output {name!r} of step {step.name!r}")
        materializer = step.options.output_materializers.get(name)
        stored[name] = artifacts.save(here.transaction, here.repository.layout, checked, materializer)
    return stored


def _split(step: str, signature: Signature, returned: Any) -> Iterator[tuple[str, Any, Any]]:
    outputs = signature.outputs
    if not outputs:
        if returned is not None:
            raise TypeMismatch(
                f"The step {step!r} is declared to return nothing but returned a {type(returned).__name__}; "
                "annotate what it returns."
            )
        return
    values = (returned,) if signature.single else returned
    if not isinstance(values, tuple) or len(values) != len(outputs):
        raise TypeMismatch(f"The step {step!r} must return {len(outputs)} values; return a tuple of that many.")
    for output, value in zip(outputs, values, strict=True):
        yield output.name, output.annotation, value


def _call_hooks(step: Step[Any, Any], outcome: Outcome) -> None:
    """Success hooks run after outputs were checked and stored; a hook that raises fails its step."""
    hook = step.options.on_success if outcome.error is None else step.options.on_failure
    for each in (hook, step.options.on_end):
        try:
            _call(each, outcome.error)
        except Exception as error:
            if outcome.error is None:
                outcome.outputs, outcome.error = {}, error


def _call(hook: Hook | None, error: Exception | None = None) -> None:
    """Calls a hook with the error, if it takes one."""
    if hook is None:
        return
    import inspect

    takes = len(inspect.signature(hook).parameters)
    hook(*((error,) if takes else ()))


@contextmanager
def _time_limit(seconds: float | None, step: str) -> Iterator[None]:
    """Raises StepTimeout inside the block when it takes too long.

    Only the main thread can be interrupted so; elsewhere the limit is checked when the block ends.
    """
    if seconds is None:
        yield
        return
    late = StepTimeout(f"The step {step!r} took longer than its timeout of {seconds:g} s; raise it or do less.")
    if threading.current_thread() is not threading.main_thread():
        started = time.monotonic()
        yield
        if time.monotonic() - started > seconds:
            raise late
        return
    with _alarm(seconds, late):
        yield


@contextmanager
def _alarm(seconds: float, late: Exception) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise late

    before: Callable[..., Any] | int | None = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
