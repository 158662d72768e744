"""`art run`."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import click

from artvcs.pipelines.define.options.executors import ENGINES, INLINE, KINDS, check_executor
from artvcs.pipelines.errors import DefinitionError, RunFailed
from artvcs.pipelines.history.views import PipelineRun
from artvcs.pipelines.pipelines import Pipeline
from artvcs.pipelines.run import observer
from artvcs.pipelines.run.plan import Plan
from artvcs.vcs import ArtError, Repository, StepRun

from ... import placing
from ...main import terminal
from ...running import debugger, loading
from ...shell import files
from ...stored import history, runs
from ...terminal import output
from ...terminal.progress import RunProgress
from ..looking.why import say_reasons

_MOST_TRACEBACKS = 5
"""So many are shown; of a thousand items that fail alike one says it."""

_OWN_FRAME = '\n  File "'
"""Stands in a traceback of which not all is folded."""


class _Executor(click.Choice[str]):
    """An executor, of an engine also with its address."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See `click.ParamType.convert`."""
        engine, colon, _ = str(value).partition(":")
        if engine not in ENGINES or not colon:
            return super().convert(value, param, ctx)
        try:
            return check_executor(value)
        except DefinitionError as error:
            self.fail(str(error).rstrip("."), param, ctx)


@click.command()
@click.argument("target", metavar="FILE[:PIPELINE]", shell_complete=files.pipeline_files)
@click.option(
    "-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.",
    shell_complete=files.parameters,
)  # fmt: skip
@click.option(
    "-c", "--config", metavar="FILE", help="A YAML file with parameters and options; -p goes before it.",
    shell_complete=files.yaml_files,
)  # fmt: skip
@click.option(
    "-j", "--jobs", type=click.IntRange(1), metavar="N", help="Run up to N steps side by side, each in a process.",
)  # fmt: skip
@click.option(
    "--executor", type=_Executor(KINDS), metavar="WHERE",
    help=f"Where steps run: {', '.join(KINDS)}; of an engine also its address, as dask://HOST:PORT.",
)  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Run every step, also where nothing changed.")
@click.option("--plan", is_flag=True, help="Only say what would run, and why.")
@click.option("--pdb", is_flag=True, help="Look around where a step failed, in Python's debugger.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    target: str, params: tuple[str, ...], config: str | None, jobs: int | None, executor: str | None, no_cache: bool,
    plan: bool, pdb: bool, as_json: bool,
) -> None:  # fmt: skip
    """Run the pipeline in FILE.

    Example: art run train.py -p epochs=3
    """
    # Where the answer is one JSON document, what steps print must not stand in it.
    aside = contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what steps print comes in order with what is said of them
    with aside:
        pipeline = loading.load_pipeline(target)
        given = loading.bind(pipeline, params)
        if config is not None:
            with _warnings_in_one_line():
                pipeline = pipeline.with_options(config_path=config)
        if pdb and (jobs is not None or executor is not None):
            raise click.UsageError(
                "--pdb looks around in the process that runs the steps; leave -j and --executor out."
            )
        executor = INLINE if pdb else executor
        pipeline = pipeline.with_options(executor=executor, jobs=jobs, run_all=no_cache or None)
        watcher = RunProgress(terminal())
        again = _again(target, params, {"-c": config, "-j": jobs, "--executor": executor})
        try:
            found = pipeline.plan(**given) if plan else _run(pipeline, given, watcher)
        except KeyboardInterrupt as error:
            if watcher.run is not None:
                more = f"`{again}` goes on from there (`art show {watcher.run}` shows the run)"
                error.args = (f"Interrupted; what had finished is kept, and {more}.",)
            raise
        except Exception as error:
            _name_place(error)
            if isinstance(error, ArtError) or not loading.is_theirs(error):
                raise
            raise loading.not_run(f"The pipeline {pipeline.name!r} failed before its steps", error) from error
    if isinstance(found, PipelineRun):
        _report(found, watcher, as_json)
    elif isinstance(found, RunFailed):
        _report_failure(found, again, look_around=pdb, as_json=as_json)
    else:
        _show_plan(found, as_json)


def _name_place(error: Exception) -> None:
    """Has an error of ours begin with the line of the user's, if it was raised while that built the pipeline."""
    if isinstance(error, ArtError) and (place := loading.where(error)):
        error.args = (f"{place.strip(' ()')}: {error}",)


def _again(target: str, params: Sequence[str], options: Mapping[str, object]) -> str:
    """The command that goes on where a run stopped."""
    said = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    return shlex.join(["art", "run", target, *said, *(word for each in params for word in ("-p", each))])


def _run(pipeline: Pipeline[...], given: dict[str, Any], watcher: RunProgress) -> PipelineRun | RunFailed:
    with observer.observed_by(watcher), watcher.shown(), _warnings_in_one_line():
        try:
            run: PipelineRun = pipeline(**given)
            return run
        except RunFailed as error:
            return error


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Shows our own warnings without the line that gives them, and each but once, wherever it is given.

    Which are shown stays Python's choice.
    """
    shown, told, here = warnings.showwarning, set[str](), terminal()  # which other threads do not find

    def show(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        if category.__module__.startswith("artvcs."):
            if str(message) not in told:
                here.warn(str(message))
            told.add(str(message))
        else:
            shown(message, category, *args, **kwargs)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _report(run: PipelineRun, watcher: RunProgress, as_json: bool) -> None:
    repository = Repository.discover()
    if as_json:
        terminal().document(runs.document(repository, run))
        return
    steps = run.record.steps
    fresh = {name for name, step in steps.items() if step.status != "cached"}
    reused = len(steps) - len(fresh)
    counts = output.count(len(steps), "step") + (f", {reused} reused" if reused else "")
    counts += f", {len(watcher.repeated)} run again" if watcher.repeated else ""
    terminal().note(f"{run.name}: {output.status(run.status)}, {counts}, {output.duration(run.duration)}")
    in_order = (steps[name] for name in run.record.order if name in fresh)
    made = [each for step in in_order for each in runs.made_in(repository, step, run.id)]
    made += [(name, True) for name in runs.models_made(repository, run)]
    for verb, new in (("made", True), ("made again", False)):
        named = [name for name, is_new in made if "::" not in name and is_new == new]
        if named:
            terminal().note(f"{verb} {', '.join(history.in_short(named))}")
    if any(True for _ in placing.places(repository)):
        _report_placed(repository, steps.values())


def _report_placed(repository: Repository, steps: Collection[StepRun]) -> None:
    """Says of what stands in the project that a run took, or should have, what is to be known."""
    taken = {(each.name, each.artifact) for step in steps for group in step.inputs.values() for each in group}
    made = {(each.name, each.artifact) for step in steps for each in step.outputs.values()}
    for each in placing.edited(repository, of=taken):
        terminal().warn(
            f"{each.placed.path} was edited since {each.version}, which this run took; `art add -u` stores it for the "
            "next one."
        )
    for newer in placing.behind(repository):
        if (newer.newest.name, newer.newest.id) in taken - made:
            is_edited = any(True for _ in placing.edited(repository, [newer.path]))
            stands = f"{newer.path} stands at {newer.version}{' with edits' if is_edited else ''}"
            terminal().warn(
                f"{stands}, and this run took {newer.newest.artifact}, the newest; {newer.how(edited=is_edited)}."
            )


def _report_failure(error: RunFailed, again: str, *, look_around: bool, as_json: bool) -> NoReturn:
    """Shows why a run failed.

    Args:
        error: The failure.
        again: The command that goes on from there.
        look_around: Whether to open the debugger there.
        as_json: Whether to write the run as JSON.
    """
    assert isinstance(error.run, PipelineRun)
    if as_json:
        terminal().document(runs.document(Repository.discover(), error.run))
    if not terminal().debug:  # else all of it is shown
        # Where there is no frame of theirs, the sentence says all of it.
        shown = [(step, told) for step, told in error.run.tracebacks.items() if _OWN_FRAME in told]
        for step, told in shown[:_MOST_TRACEBACKS]:
            terminal().lines(f"\n{step} failed:\n{told}\n", err=True)
        if (others := len(shown) - _MOST_TRACEBACKS) > 0:
            terminal().lines(f"\n{output.count(others, 'more step')} failed.\n", err=True)
    cause = error.__cause__
    if look_around and cause is not None:
        debugger.look_around(cause)
    where = "" if cause is None or isinstance(cause, ArtError) else loading.where(cause)
    more = f"`{again}` goes on from there (`art show {error.run.name}` shows the run)"
    error.args = (f"{error.reason}{where}{error.advice}{more}.",)
    raise error


def _show_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        terminal().document([{**vars(each), "reasons": [vars(reason) for reason in each.reasons]} for each in plan])
        return
    for each in plan.shown():
        terminal().sentence(f"{each.action:<5}  {each.step}: {each.summary}")
        say_reasons(each.reasons)
    if plan.running:
        terminal().note(_costs(plan))


def _costs(plan: Plan) -> str:
    """What a plan would cost, by what its steps have cost."""
    known = [each for each in plan.running if each.seconds is not None]
    unknown = len(plan.running) - len(known)
    of = f"; of {output.count(unknown, 'step')} nobody knows" if unknown else ""
    if not known:
        return f"Nobody knows how long it would take: {output.count(unknown, 'step')} would run for the first time."
    least = "At most" if any(each.action == "maybe" for each in plan.running) else "About"
    size = sum(each.size or 0 for each in known)
    results = f", and {output.size(size)} of results" if size else ""
    return f"{least} {output.duration(plan.seconds)}{results}, by the last executions{of}."
