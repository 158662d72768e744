"""What there is to plot: curves of runs over their steps, or a measure of many runs by another column."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from artvcs.vcs import ArtError, Oid, RefMap, Repository, Run, UnknownName, runs

from ..errors import ParameterError, perhaps
from ..units import some
from . import experiments
from .curves import Curve
from .finding import filters, run_lookup
from .views import PipelineRun, StepView

_LOOKED_AT = 200
"""So many of the newest runs are looked at for curves where nobody says which runs are meant."""


@dataclass(frozen=True)
class Series:
    """Points that belong together; `x` may be texts, which then are places on the axis."""

    label: str
    x: list[Any]
    y: list[float]


@dataclass(frozen=True)
class Plot:
    """What is plotted.

    Attributes:
        title: What it is called.
        x: What stands on the horizontal axis.
        y: What stands on the vertical one.
        series: The points.
        are_lines: Whether points are joined.
        left_out: What could not be plotted, in words.
        shared: Label → the runs that reused what was executed there, whose curve it is as well; as far as they were
            looked at.
    """

    title: str
    x: str
    y: str
    series: list[Series]
    are_lines: bool
    left_out: list[str] = field(default_factory=list)
    shared: dict[str, list[str]] = field(default_factory=dict)

    @property
    def categories(self) -> list[str] | None:
        """The places on the horizontal axis, where these are texts."""
        found = [each for series in self.series for each in series.x]
        if not any(isinstance(each, str) for each in found):
            return None
        return list(dict.fromkeys(str(each) for each in found))


def curves(repository: Repository, measure: str, targets: Sequence[str] = (), *, limit: int = 5) -> Plot | None:
    """The curves of a measure: of these runs, or of the newest ones that have any; None where none has.

    An execution has one curve, called by the run that executed it, however many runs reused it.

    Args:
        repository: Where runs are recorded.
        measure: The measure.
        targets: Runs, or names of pipelines for their newest run.
        limit: So many curves at least, where there are so many and no run is named.

    Raises:
        UnknownName: There is no such run, or it has no such curve.
    """
    refs = repository.refs()
    found: Iterable[Run] = (
        [run_lookup.find_run_spec(refs, target) for target in targets]
        if targets
        else itertools.islice(runs.newest_first(refs), _LOOKED_AT)
    )
    series: dict[Oid, Series] = {}
    shared: dict[str, list[str]] = {}
    for run in found:
        shown = PipelineRun(repository, run)
        having = list(_having(shown, measure))
        if targets and not having:
            names = dict.fromkeys(name for _, curves in _all(shown) for name in curves)
            hint, known = perhaps(measure, names), some(names)
            raise UnknownName(f"The run {shown.name} has no curve {measure!r}{hint}; it has {known}.")
        several = len({step.record.execution for step, _ in having}) > 1
        for step, curve in having:
            executed = step.record.execution
            assert executed is not None, "curves are of executions"
            if executed not in series:
                by = _executed_by(repository, refs, step)
                label = f"{by}/{step.name}" if several else by
                series[executed] = Series(label, list(curve.steps), list(curve.values))
            others = shared.setdefault(series[executed].label, [])
            if step.cached and shown.name not in (*others, series[executed].label.partition("/")[0]):
                others.append(shown.name)
        if not targets and len(series) >= limit:
            break
    if not series:
        return None
    title = measure if len(series) > 1 else f"{measure} of {next(iter(series.values())).label}"
    reused = {label: others for label, others in shared.items() if others}
    return Plot(title, "step", measure, [*series.values()], are_lines=True, shared=reused)


def _executed_by(repository: Repository, refs: RefMap, step: StepView) -> str:
    """The name of the run that executed a step; where its record is gone, of one that reused it."""
    run_id = repository.catalog(refs).runs.executed(step.record.commit) if step.cached and step.record.commit else None
    run = None if run_id is None else runs.by_id(refs, run_id)
    return step.run.name if run is None else run.name


def _all(run: PipelineRun) -> Iterator[tuple[StepView, dict[str, Curve]]]:
    step: StepView
    for step in run.steps.values():
        try:
            yield step, step.curves
        except ArtError:  # one that cannot be read hides none of the others
            continue


def _having(run: PipelineRun, measure: str) -> Iterator[tuple[StepView, Curve]]:
    return ((step, found[measure]) for step, found in _all(run) if measure in found)


def by(
    repository: Repository, measure: str, column: str | None, pipeline: str | None = None, *,
    where: filters.Conditions = None,
) -> Plot:  # fmt: skip
    """A measure of many runs by another column; by when they began, where none is named.

    Args:
        repository: Where runs are recorded.
        measure: What stands on the vertical axis.
        column: What stands on the horizontal one.
        pipeline: Only runs of this one.
        where: Only runs like that.

    Raises:
        UnknownName: There is no such pipeline, or no run has that column.
        ParameterError: No run has a number there.
    """
    found = experiments.experiments(repository, pipeline, where=where)
    x_column = column or "started"
    for name in (measure, x_column):
        experiments.check_column(name, found.rows)
    points: dict[str, tuple[list[Any], list[float]]] = {}
    concerned = {row.pipeline for row in found.rows if row.get(measure) is not None and x_column in row}
    missing = nowhere = wrong = 0
    for row in reversed(found.rows):
        x, y = row.get(x_column), row.get(measure)
        if row.pipeline not in concerned:
            continue  # it has nothing to do with this
        if y is None or x_column not in row:
            missing += 1
        elif x is None:
            nowhere += 1
        elif (number := _number(y)) is None:
            wrong += 1
        else:
            xs, ys = points.setdefault(row.pipeline, ([], []))
            xs.append(x if _number(x) is not None or isinstance(x, datetime) else str(x))
            ys.append(number)
    if not points:
        raise ParameterError(f"No run has a number as {measure!r} and a {x_column!r}; `art runs` shows what they have.")
    left_out = [f"{missing} without {measure}{f' or {column}' if column else ''}"] if missing else []
    left_out += [f"{nowhere} whose {x_column} is None"] if nowhere else []
    left_out += [f"{wrong} whose {measure} is no number"] if wrong else []
    series = [Series(name, xs, ys) for name, (xs, ys) in points.items()]
    title = f"{measure} by {x_column}" if column else measure
    return Plot(title, x_column, measure, _in_one_kind(series), are_lines=False, left_out=left_out)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _in_one_kind(series: list[Series]) -> list[Series]:
    """Where some places are texts, all are."""
    if not any(isinstance(each, str) for one in series for each in one.x):
        return series
    return [
        Series(one.label, [each if isinstance(each, str) else f"{each}" for each in one.x], one.y) for one in series
    ]
