"""`art run`."""

from __future__ import annotations

import click

from artvcs.pipelines import progress
from artvcs.pipelines.errors import RunFailed
from artvcs.pipelines.preview import PlannedStep
from artvcs.pipelines.views import PipelineRun

from .. import loading, output
from ..main import terminal
from ..progress import RunProgress
from .why import say_reasons


@click.command()
@click.argument("target", metavar="FILE[:PIPELINE]")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@click.option("--no-cache", is_flag=True, help="Run every step, also where nothing changed.")
@click.option("--plan", is_flag=True, help="Only say what would run, and why.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(target: str, params: tuple[str, ...], no_cache: bool, plan: bool, as_json: bool) -> None:
    """Run the pipeline in FILE.

    Example: art run train.py -p epochs=3
    """
    pipeline = loading.load_pipeline(target)
    given = loading.bind(pipeline, params)
    if no_cache:
        pipeline = pipeline.with_options(enable_cache=False)
    if plan:
        _show_plan(pipeline.plan(**given), as_json)
        return
    with progress.observed_by(RunProgress(terminal())):
        try:
            run = pipeline(**given)
        except RunFailed as error:
            if error.__cause__ is not None and not terminal().debug:
                error.args = (f"{error.args[0]}{loading.where(error.__cause__)}",)
            raise
    if as_json:
        terminal().document(run_document(run))
    else:
        _summarise(run)


def run_document(run: PipelineRun) -> dict[str, object]:
    """A run as JSON data."""
    return {
        "id": run.id, "name": run.name, "pipeline": run.pipeline, "status": run.status, "started": run.started,
        "seconds": run.duration, "parameters": run.parameters, "tags": run.tags, "metadata": run.metadata,
        "steps": {
            name: {
                "status": step.status, "seconds": step.duration, "commit": step.record.commit,
                "parameters": step.parameters,
                "inputs": {key: [each.name for each in group] for key, group in step.record.inputs.items()},
                "outputs": {key: f"{made.name}@{made.version}" for key, made in step.outputs.items()},
                "metadata": step.metadata,
                "failure": step.failure and {"type": step.failure.type, "message": step.failure.message},
            }
            for name, step in run.steps.items()
        },
    }  # fmt: skip


def _summarise(run: PipelineRun) -> None:
    steps = run.steps.values()
    reused = sum(step.cached for step in steps)
    counts = f"{len(run.steps)} steps, {reused} reused" if reused else f"{len(run.steps)} steps"
    terminal().note(f"{run.name}: {output.status(run.status)}, {counts}, {output.seconds(run.duration)}")
    made = [
        f"{version.name}@{version.version}"
        for step in steps if not step.cached for version in step.outputs.values() if "::" not in version.name
    ]  # fmt: skip
    if made:
        terminal().note(f"made {', '.join(made)}")


def _show_plan(steps: list[PlannedStep], as_json: bool) -> None:
    if as_json:
        terminal().document([{**vars(each), "reasons": [vars(reason) for reason in each.reasons]} for each in steps])
        return
    for each in steps:
        terminal().say(f"{each.action:<5}  {each.step}: {each.summary}")
        say_reasons(each.reasons)
