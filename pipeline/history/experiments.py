"""Runs side by side: what they were given and what came of it, in columns.

A parameter or a measure counts wherever it stands: of the run, of one of its steps, or of a version that it made. All
of it comes from the catalog, so that ten thousand runs are read at once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from artvcs.vcs import DamagedError, Repository, UnknownName, runs, values

from ..errors import perhaps
from .finding import filters
from .views import from_ms

if TYPE_CHECKING:
    import pandas as pd

OWN = ("run", "id", "pipeline", "status", "started", "seconds")
"""The columns that every run has."""

RUN, MADE = "the run", "what it made"
"""What is told of where a measure was noted that no step noted."""

SHORT = {"took": "seconds", "began": "started"}
"""What tables call two of them, where no parameter or measure is called so."""

_APART = 3
"""So many steps at most have a column each for a parameter that they do not share."""

_LONG = "…"
"""Stands for a value that is too long for a table."""


@dataclass(frozen=True)
class Experiment:
    """One run, with what it was given and what came of it.

    Attributes:
        id: The run's id.
        run: Its name.
        pipeline: Its pipeline.
        status: `completed`, `failed`, `interrupted` or `running`.
        started: When it began.
        seconds: How long it took; None while it is running, and where nobody knows.
        parameters: Its parameters, and those of its steps that have another name.
        measures: What is noted of it, of its steps, of its model, or by people of the versions that it made.
        of_steps: Each of these as `STEP.NAME`, for names that several steps have.
        given: Step and name → the parameters of steps alone.
    """

    id: str
    run: str
    pipeline: str
    status: str
    started: datetime
    seconds: float | None
    parameters: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, Any] = field(default_factory=dict)
    of_steps: dict[str, Any] = field(default_factory=dict)
    given: dict[tuple[str, str], Any] = field(default_factory=dict)

    def get(self, column: str) -> Any:
        """What stands in a column; None where nothing does.

        A measure comes before a parameter of that name, which is also had as `parameter.NAME`.
        """
        if (own := self.own(column)) is not None:
            return getattr(self, own)
        for found in (self.measures, self.parameters, self.of_steps):
            if column in found:
                return found[column]
        return self.parameters.get(column.removeprefix(_PARAMETER)) if column.startswith(_PARAMETER) else None

    def own(self, column: str) -> str | None:
        """Which of `OWN` stands in a column, if any; `took` is `seconds` and `began` is `started`."""
        if column in OWN:
            return column
        named = column in self.measures or column in self.parameters
        return None if named else SHORT.get(column)

    def __contains__(self, column: str) -> bool:
        """Whether something stands in a column, though it be None."""
        return column in self.parameters or self.get(column) is not None

    @property
    def facts(self) -> dict[str, Any]:
        """All columns."""
        own = {name: self.get(name) for name in OWN}
        short = {name: own[of] for name, of in SHORT.items()}
        return {**self.of_steps, **short, **own, **self.parameters, **self.measures}


_PARAMETER = "parameter."


@dataclass(frozen=True)
class Experiments:
    """Several runs, and the columns that they have.

    Attributes:
        rows: The runs.
        parameters: The names of parameters, in order.
        measures: The names of measures, in order.
        left_out: How many runs cannot be read.
    """

    rows: Sequence[Experiment]
    parameters: Sequence[str]
    measures: Sequence[str]
    left_out: int = 0

    @property
    def columns(self) -> list[str]:
        """The names of all parameters and measures, each once; see `Experiment.get`."""
        twice = set(self.parameters) & {*self.measures, *OWN}
        given = [f"{_PARAMETER}{name}" if name in twice else name for name in self.parameters]
        return [*given, *(name for name in self.measures if name not in OWN)]


def experiments(
    repository: Repository,
    pipeline: str | None = None,
    *,
    where: filters.Conditions = None,
    sort: str | None = None,
    limit: int | None = None,
) -> Experiments:
    """Runs with what they were given and what came of it, newest first.

    Args:
        repository: Where they are recorded.
        pipeline: Only those of this pipeline.
        where: Conditions such as `accuracy > 0.9`.
        sort: The name of a column; with a `-` before it downwards. What has nothing there comes last.
        limit: At most so many.

    Raises:
        UnknownName: There is no such pipeline, or no run has that column.
        ParameterError: A condition cannot be understood.
    """
    catalog = repository.catalog()
    found = {
        run.run: Experiment(
            run.run, run.name, run.pipeline, run.status, from_ms(run.began),
            None if run.finished in (None, run.began) else (run.finished - run.began) / 1000,
        )
        for run in catalog.runs.listed(pipeline)
    }  # fmt: skip
    if pipeline is not None and not found:
        hint = perhaps(pipeline, runs.pipelines(repository.refs()))
        raise UnknownName(f"No run is of a pipeline {pipeline!r}{hint}; `art log` lists runs.")
    for run, key, text in catalog.versions.noted_in_runs(pipeline):
        if run in found:
            found[run].measures[key] = _value(text)
    for each in sorted(catalog.runs.said(pipeline), key=lambda each: bool(each.step) or not each.is_given):
        if not each.key and each.json is None:
            continue  # stands for too much to be listed
        _add(found[each.run], each.step, each.key, _value(each.json), is_given=each.is_given)
    _tell_apart(found.values())
    conditions = filters.parse(where)
    rows = [row for row in found.values() if not conditions or _meets(row.facts, conditions)]
    parameters, measures = _names(row.parameters for row in rows), _names(row.measures for row in rows)
    if sort is not None:
        check_column(sort.removeprefix("-"), found.values())
        rows = _sorted(rows, sort.removeprefix("-"), downwards=sort.startswith("-"))
    return Experiments(rows[:limit], parameters, measures, len(catalog.runs.unreadable()))


def measures(repository: Repository, run: str) -> dict[str, dict[str, Any]]:
    """What is noted of one run, as `Experiment.measures` has it, by what it is noted of.

    Args:
        repository: Where it is recorded.
        run: The run's id.

    Returns:
        Each step, `RUN`, for the run itself, and `MADE`, for what nothing but the versions says that it made → names
        and values; of several of a name the last one counts.
    """
    catalog, found = repository.catalog(), dict[str, dict[str, Any]]()
    for each in catalog.runs.said(run=run):
        if not each.is_given and (each.key or each.json is not None):
            found.setdefault(each.step or RUN, {})[each.key] = _value(each.json)
    known = {name for noted in found.values() for name in noted}
    made = {key: _value(text) for _, key, text in catalog.versions.noted_in_runs(run=run) if key not in known}
    return {**found, MADE: made} if made else found


def unknown(name: str, rows: Iterable[Experiment]) -> str | None:
    """What to say of a name that no run has as a column: ` (did you mean …?)`, or nothing; None where one has it."""
    rows = list(rows)
    if name in OWN or name in SHORT or any(name in row for row in rows):
        return None
    return perhaps(name, {*OWN, *(key for row in rows for key in row.facts)})


def check_column(name: str, rows: Iterable[Experiment]) -> None:
    """Raises UnknownName where no run has this as a column."""
    hint = unknown(name, rows)
    if hint is not None:
        raise UnknownName(f"No run has a column {name!r}{hint}; `art runs` shows those there are.")


def frame(found: Experiments) -> pd.DataFrame:
    """A DataFrame with a row for each run, and a column for each parameter and measure after those of `OWN`."""
    import pandas as pd

    columns = [*OWN, *found.columns]
    return pd.DataFrame([[row.get(name) for name in columns] for row in found.rows], columns=columns)


def _tell_apart(rows: Iterable[Experiment]) -> None:
    """Gives `STEP.NAME` a column where a step was given something else than the run, or than the step before.

    A parameter that many steps have, each its own, is none to compare runs by.
    """
    apart: dict[str, set[str]] = {}
    for row in rows:
        for (step, name), value in row.given.items():
            if value != row.parameters[name]:
                apart.setdefault(name, set()).add(step)
    shown = [(step, name) for name, steps in apart.items() if len(steps) <= _APART for step in sorted(steps)]
    for row in rows:
        row.parameters.update({".".join(each): row.given[each] for each in shown if each in row.given})


def _add(row: Experiment, step: str, key: str, value: Any, *, is_given: bool) -> None:
    if step:
        row.of_steps[f"{step}.{key}"] = value
    if not is_given:
        row.measures[key] = value
    else:
        row.parameters.setdefault(key, value)  # those of the run come first
        if step:
            row.given[step, key] = value


def _meets(facts: Mapping[str, Any], conditions: Iterable[filters.Condition]) -> bool:
    return all(filters.meets(facts, condition) for condition in conditions)


def _value(text: str | None) -> Any:
    if text is None:
        return _LONG
    try:
        return values.decode(json.loads(text))
    except DamagedError:
        return _LONG


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _sorted(rows: list[Experiment], column: str, *, downwards: bool) -> list[Experiment]:
    """Numbers before texts before anything else, and last what has nothing, whichever way."""
    there, missing = list[tuple[tuple[int, Any], Experiment]](), list[Experiment]()
    for row in rows:
        key = _key(row.get(column))
        missing.append(row) if key is None else there.append((key, row))
    there.sort(key=lambda pair: pair[0], reverse=downwards)
    return [row for _, row in there] + missing


def _key(value: Any) -> tuple[int, Any] | None:
    if isinstance(value, (int, float)):
        return None if math.isnan(value) else (0, value)
    if isinstance(value, str):
        return 1, value
    if isinstance(value, datetime):
        return 2, value
    return None if value is None else (3, repr(value))
