"""Running one step: load its inputs, call the function, check and store what it returns.

Everything that may go wrong in the step's own code is caught here and handed back as part of the outcome.
"""

from __future__ import annotations

import contextvars
import copy
import dataclasses
import inspect
import time
import typing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TextIO

from artvcs.vcs import ArtError, Input, Repository, now_ms, versions

from ...define.options.options import Hook
from ...define.signature import Signature
from ...define.step import Step
from ...errors import PipelineError, TypeMismatch
from ...escaping import storable
from ...record.outcome import Outcome
from ...trace.conclude import conclude
from ...trace.left.kinds import FILES
from ...trace.model import Trace
from ...trace.watch import recording
from ...trace.watch.finding import looked_in_vain
from ...typing import fit
from ...units import count
from ...values import store, trust
from ...values.store import Saved
from . import context, logs
from .context import RunningStep
from .task import StepTask
from .timeouts import time_limit
from .workplace import Workplace


def execute(task: StepTask, place: Workplace) -> Outcome:
    """Executes a step with its retries, hooks and timeout.

    Args:
        task: What is to be executed.
        place: Where this is.
    """
    model = place.model(task.invocation_id) if task.has_model else None
    here = RunningStep(task, place, copy.deepcopy(dict(task.parameters)), model)
    started = now_ms()
    try:
        return _execute(here, Outcome(started))
    except KeyboardInterrupt:
        place.interrupted(task, _told(Outcome(started, trace=Trace(left={FILES: here.left()})), here))
        raise


def _execute(here: RunningStep, outcome: Outcome) -> Outcome:
    step, states = here.task.step, here.place.states
    code = step.code().called_with(here.task.parameters)
    before = states.of(code)
    with (
        context.entered(here), logs.capture(here.place.label(here.task)) as log, recording(here.repository) as seen,
        seen.environment.given(step.options.environment),
    ):  # fmt: skip
        here.left, here.log = seen.files.left, log.getvalue
        try:
            _call(here.task.hook("on_start"))
            outcome.outputs = _try_often(here, log)
        except Exception as error:  # whatever the step raised is its failure, not ours
            outcome.error = error
            looked_in_vain(seen, error)
        except SystemExit as error:
            message = (
                f"The step {step.name!r} called sys.exit({error.code!r}); return a value or raise an error instead."
            )
            outcome.error = PipelineError(message)
        _call_hooks(here.task, outcome, log)
    outcome.trace = _judged(conclude(seen, code, before, states.after(code)), step)
    return _told(outcome, here)


def _told(outcome: Outcome, here: RunningStep) -> Outcome:
    """The outcome of what ends now, with what the step itself has said; that it says too much is its failure."""
    outcome.finished, outcome.log = now_ms(), storable(here.log())
    try:
        here.noted.check()
        outcome.noted = here.noted
    except ArtError as error:
        outcome.outputs, outcome.error = {}, outcome.error or error
    return outcome


def _judged(trace: Trace, step: Step[Any, Any]) -> Trace:
    """The trace, with what the step's policy forbids among the reasons not to use the result again."""
    if step.options.cache.unverified != "forbid" or not trace.unverified:
        return trace
    forbidden = f"it used {trace.unverified[0]}, which its CachePolicy forbids"
    return dataclasses.replace(trace, refused=(*trace.refused, forbidden))


def _try_often(here: RunningStep, log: TextIO) -> dict[str, Saved]:
    retry = here.task.step.options.retry
    for failed in range(here.task.tried + 1, retry.count + 1):
        _say_tried(here, failed - 1)
        try:
            return _try(here)
        except Exception as error:
            log.write(f"Try {failed} of {retry.count + 1} failed: {type(error).__name__}: {error}\n")
            time.sleep(retry.wait(failed))
    _say_tried(here, retry.count)
    return _try(here)


def _say_tried(here: RunningStep, tried: int) -> None:
    """Says how often a step was tried, where that is not known to who gave it."""
    if tried != here.task.tried:
        here.place.trying(tried)


def _try(here: RunningStep) -> dict[str, Saved]:
    task, step = here.task, here.task.step
    # Copies: what the step changes in them must not change what is recorded, or the next try.
    arguments = copy.deepcopy(dict(task.parameters))
    annotations = {entry.name: entry.annotation for entry in step.signature.inputs}
    for name, sources in task.inputs.items():
        store.bring_here(here.repository, {source.artifact: f"artifact {source.artifact[:12]}" for source in sources})
        loaded = [_loaded(here.repository, source) for source in sources]
        value = _collected(loaded, annotations[name]) if name in task.lists else loaded[0]
        arguments[name] = step.fitted(value, annotations[name], f"the input {name!r} of step {step.name!r}")
    with _limited(here):
        returned = _awaited(step.called(arguments))
    return _store(here, returned)


@contextmanager
def _limited(here: RunningStep) -> Iterator[None]:
    """Ends the block when it takes longer than the step may."""
    seconds = here.task.step.options.timeout
    if seconds is None:
        yield
        return
    here.place.limited(seconds)
    try:
        with time_limit(seconds, here.task.step_name):
            yield
    finally:
        here.place.limited(None)


def _loaded(repository: Repository, source: Input) -> Any:
    def name() -> str:
        number = versions.number_of_value(repository.refs(), source.name, source.artifact)
        return f"{source.name}@{number}" if number else source.artifact[:12]

    return store.load(
        repository, source.artifact, trust.of(repository, source.artifact, name), leased=True, is_here=True
    )


def _awaited(returned: Any) -> Any:
    """What a step returns; of an `async def` what it returns once it has ended."""
    if not inspect.iscoroutine(returned):
        return returned
    import asyncio  # a step that is none needs none of it

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(returned)
    # A notebook runs in a loop of its own, beside which only another thread can run one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(contextvars.copy_context().run, asyncio.run, returned).result()


def _collected(loaded: list[Any], annotation: Any) -> Any:
    """Several artifacts as the input wants them: a list, or a tuple where that is declared."""
    bare = fit.bare(annotation)
    return tuple(loaded) if (typing.get_origin(bare) or bare) is tuple else loaded


def _store(here: RunningStep, returned: Any) -> dict[str, Saved]:
    step, stored = here.task.step, {}
    for name, annotation, value in _split(step.name, step.signature, returned):
        checked = step.returned(value, annotation, f"the output {name!r} of step {step.name!r}")
        materializer = step.options.output_materializers.get(name)
        stored[name] = store.save(here.draft, here.repository, checked, materializer)
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
        raise TypeMismatch(
            f"The step {step!r} must return {count(len(outputs), 'value')}; return a tuple of that many."
        )
    for output, value in zip(outputs, values, strict=True):
        yield output.name, output.annotation, value


def _call_hooks(task: StepTask, outcome: Outcome, log: TextIO) -> None:
    """Success hooks run after outputs were checked and stored; a hook that raises fails its step."""
    for name in ("on_success" if outcome.error is None else "on_failure", "on_end"):
        try:
            _call(task.hook(name), outcome.error)
        except Exception as error:
            if outcome.error is None:
                outcome.outputs, outcome.error = {}, error
            else:
                log.write(f"A hook failed too: {type(error).__name__}: {error}\n")


def _call(hook: Hook | None, error: Exception | None = None) -> None:
    """Calls a hook with the error, if it takes one."""
    if hook is None:
        return
    takes = len(inspect.signature(hook).parameters)
    hook(*((error,) if takes else ()))
