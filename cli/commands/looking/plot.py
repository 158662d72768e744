"""`art plot`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from artvcs.pipelines.errors import ParameterError
from artvcs.pipelines.history import plots as found
from artvcs.pipelines.units import some
from artvcs.vcs import Repository

from ...main import terminal
from ...shell import completion
from ...terminal import output, plots

_USUAL = 80
"""Columns of what is no terminal."""

_NAMED = 3
"""So many of several names are written."""


@click.command()
@click.argument("measure", shell_complete=completion.measures)
@click.argument("targets", nargs=-1, metavar="[RUN|PIPELINE]...", shell_complete=completion.runs_and_pipelines)
@click.option(
    "--by", "column", metavar="COLUMN", help="Over the runs of a pipeline, by a parameter or measure.",
    shell_complete=completion.parameters_and_measures,
)  # fmt: skip
@click.option("--where", "conditions", multiple=True, help="Only runs like that, as 'accuracy > 0.9'.")
@click.option("-o", "--output", "path", type=click.Path(dir_okay=False), help="Write a picture: .png, .svg or .pdf.")
@click.option("--json", "as_json", is_flag=True, help="Write the points as JSON.")
def command(
    measure: str, targets: tuple[str, ...], column: str | None, conditions: tuple[str, ...], path: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Plot a MEASURE: its curve over the steps of a training, or by a column over many runs.

    Curves are of what steps note with log_metadata(…, step=n): of the runs that are named, else of the newest ones.
    Where there are none, or with --by, each run is a point.

    Example: art plot accuracy --by max_depth
    """
    repository = Repository.discover()
    plot = None if column or conditions else found.curves(repository, measure, targets) if targets else None
    if plot is None and not (column or conditions or targets):
        plot = found.curves(repository, measure)
    if plot is None:
        if len(targets) > 1:
            raise click.UsageError("--by and --where look at one pipeline, or at all.")
        plot = found.by(repository, measure, column, next(iter(targets), None), where=conditions or None)
    if as_json:
        terminal().document({
            "title": plot.title, "x": plot.x, "y": plot.y,
            "series": [{"label": each.label, "x": each.x, "y": each.y} for each in plot.series],
        })  # fmt: skip
    elif path is not None:
        plots.save(plot, Path(path))
        terminal().note(f"{path} shows {plot.title}")
        _say_shared(plot)
    else:
        _say(plot)
        _say_shared(plot)
    if plot.left_out:
        terminal().warn(f"Runs are left out: {', '.join(plot.left_out)}.")


def _say(plot: found.Plot) -> None:
    blocks = output.can_show("⣿│●", sys.stdout)
    values = [each for series in plot.series for each in series.y]
    if not any(map(plots.is_drawable, values)):
        raise ParameterError(f"No value of {plot.y!r} is a number that can be drawn; `art runs` shows them.")
    drawn = plots.as_text(plot, terminal().width or _USUAL, colour=terminal().in_colour, blocks=blocks)
    for line in drawn.lines:
        terminal().drawn(line)
    if drawn.nameless:
        terminal().warn(f"No room below the plot for {some(drawn.nameless, _NAMED)}; --json has every {plot.x}.")
    if (beyond := sum(not plots.is_drawable(each) for each in values)) > 0:
        terminal().warn(f"{output.count(beyond, 'value')} of {plot.y!r} had no place: NaN, or too large.")


def _say_shared(plot: found.Plot) -> None:
    for label, others in plot.shared.items():
        terminal().note(f"The curve of {label} is also that of {some(others, _NAMED)}, which reused it")
