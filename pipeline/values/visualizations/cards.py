"""What a notebook shows of artifact versions, steps and runs when they are the last line of a cell.

Nothing here raises: an object that cannot be shown must not cost the user the cell. What is large is not loaded
unasked, and no code that came with a value is run, be it trusted or not, and whatever its record says of it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from artvcs.pipelines.errors import UntrustedData
from artvcs.pipelines.typing.spelling import spelt
from artvcs.vcs import ArtError

from . import gallery, known, wording
from .model import Visualization
from .pages import graph, html
from .shown import ShownCurve, ShownPlan, ShownReason, ShownRun, ShownStep, ShownVersion
from .summary import Cell, Facts, Line, Summary, Table

T = TypeVar("T")

MAX_BYTES = 50 << 20
_ROWS = 100
"""So many lines of a table are shown."""
_LOG_LINES = 20
_DRAWN = 240
"""So many points of a curve are drawn."""
_RUNS_CODE = "Loading the value runs code that it holds, so it is not loaded unasked."


def artifact_card(version: ShownVersion) -> str:
    """An artifact version: what it is, where it came from, its first picture."""
    return _card(lambda: _artifact(version))


def step_card(step: ShownStep) -> str:
    """A step in a run: how it went, what it took and made, the end of its log."""
    return _card(lambda: _step(step))


def run_card(run: ShownRun) -> str:
    """A run: its steps and how they hang together."""
    return _card(lambda: _run(run))


def definition_card(
    title: str, facts: Callable[[], Sequence[tuple[str, str]]], below: Callable[[], str] = str
) -> str:  # fmt: skip
    """A step, a pipeline or a client: its name, what is to be said of it, and what stands below that."""
    return _card(lambda: html.render(Summary(title, (Facts(tuple(facts())),))) + _attempt(below))


def settings_card(settings: Any) -> str:
    """A dataclass of settings: its name, and the fields that are not as they are by default."""
    return _card(lambda: _settings(settings))


def planned_card(planned: ShownPlan) -> str:
    """A step that was not run: what would happen to it, and why."""
    return _card(lambda: _planned(planned))


def curve_card(curve: ShownCurve) -> str:
    """A measure step by step: its course, and where it began and ended."""
    return _card(lambda: html.render(Summary("curve", (_curves([("", curve)]),))))


def curves_table(curves: Mapping[str, ShownCurve]) -> str:
    """Curves, a line each."""
    return html.fragment(_attempt(lambda: html.table(_curves(list(curves.items())))))


def pictures_table(pictures: Sequence[Visualization]) -> str:
    """Pictures of a value, a line each, and not the pictures themselves."""
    return html.fragment(_table(("picture", "kind", "size"), pictures, _picture_cells))


def plan_table(plan: Sequence[ShownPlan]) -> str:
    """What would happen to the steps of a pipeline, a line each."""
    return html.fragment(_table(("step", "would", "why"), plan, _planned_cells, wide="why"))


def step_runs_table(steps: Sequence[ShownStep]) -> str:
    """Steps in several runs, a line each."""
    return html.fragment(
        _table(("run", "step", "status", "duration", "outputs"), steps, _step_run_cells, wide="outputs")
    )


def versions_table(versions: Sequence[ShownVersion]) -> str:
    """Versions of artifacts, a line each."""
    return html.fragment(_table(("artifact", "type", "size", "made", "tags"), versions, _version_cells))


def runs_table(runs: Sequence[ShownRun]) -> str:
    """Runs, a line each."""
    return html.fragment(_table(("run", "pipeline", "status", "took", "began"), runs, _run_cells))


def steps_table(steps: Mapping[str, ShownStep]) -> str:
    """Steps of a run, a line each."""
    return html.fragment(_step_table(steps))


def named_table(named: Mapping[str, Any]) -> str:
    """Inputs or outputs of a step, a line each."""
    pairs = [(name, each) for name, group in named.items() for each in (group if isinstance(group, list) else [group])]
    return html.fragment(_table(("name", "artifact", "type", "size", "made", "tags"), pairs, _named_cells))


def _table(
    heads: Sequence[str], things: Sequence[T], cells: Callable[[T], list[str]], wide: str | None = None
) -> str:  # fmt: skip
    """A line for each thing; the column `wide` may take several."""
    kinds = [' class="wide"' if head == wide else "" for head in heads]

    def row(thing: T) -> str:
        try:
            shown = cells(thing)
        except Exception as error:  # one that cannot be read hides none of the others
            shown = [_in_a_line(error)]
        return f"<tr>{''.join(f'<td{kind}>{cell}</td>' for kind, cell in zip(kinds, shown, strict=False))}</tr>"

    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join(map(row, things[:_ROWS]))
    left = len(things) - _ROWS
    more = f'<div class="muted">… and {left:,} more</div>' if left > 0 else ""
    table = f'<table class="data"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll">{table}</div>{more}'


def _version_cells(version: ShownVersion) -> list[str]:
    shown = [
        _named(version), version.type.rpartition(".")[2], wording.size(version.size),
        f"{version.created:%Y-%m-%d %H:%M:%S}", ", ".join(version.tags),
    ]  # fmt: skip
    return [html.escape(each) for each in shown]


def _named_cells(pair: tuple[str, ShownVersion]) -> list[str]:
    return [html.escape(pair[0]), *_version_cells(pair[1])]


def _run_cells(run: ShownRun) -> list[str]:
    took = wording.duration(run.duration) if run.duration else ""
    began = f"{run.started:%Y-%m-%d %H:%M:%S}"
    shown = [html.escape(each) for each in (run.name, run.pipeline, took, began)]
    return [*shown[:2], _pill(run.status), *shown[2:]]


def _step_run_cells(step: ShownStep) -> list[str]:
    return [html.escape(step.run.name), *_step_cells(step)]


def _picture_cells(picture: Visualization) -> list[str]:
    return [html.escape(each) for each in (picture.name, picture.kind, wording.size(len(picture.content)))]


def _planned_cells(planned: ShownPlan) -> list[str]:
    return [html.escape(planned.step), _pill(planned.action), html.escape(planned.summary)]


def _curves(curves: Sequence[tuple[str, ShownCurve]]) -> Table:
    rows = tuple((name, *_curve_cells(curve)) for name, curve in curves[:_ROWS])
    left = len(curves) - _ROWS
    heads = ("", "course", "points", "steps", "first", "last", "lowest", "highest")
    return Table(heads, rows, numeric=frozenset({2, 4, 5, 6, 7}), note=f"… and {left:,} more" if left > 0 else "")


def _curve_cells(curve: ShownCurve) -> tuple[Cell, ...]:
    values = curve.values
    drawn = Line(tuple(values[:: max(1, math.ceil(len(values) / _DRAWN))]))
    finite = [each for each in values if math.isfinite(each)]
    ends = (values[0], values[-1]) if values else ()
    told = [*ends, min(finite), max(finite)] if finite else [*ends]
    steps = f"{min(curve.steps):,} … {max(curve.steps):,}" if curve.steps else ""
    numbers = [*map(wording.number, told), "", "", "", ""][:4]
    return drawn, f"{len(values):,}", steps, *numbers


def _planned(planned: ShownPlan) -> str:
    changed = tuple((f"{each.kind} {each.subject}", _change(each)) for each in planned.reasons[:_ROWS])
    return (
        f'<div class="title">{html.escape(planned.step)} {_pill(planned.action)}</div>'
        f"<div>{html.escape(planned.summary)}</div>{html.render(Summary('', (Facts(changed),))) if changed else ''}"
    )


def _change(reason: ShownReason) -> str:
    old, new = ("nothing" if each is None else wording.cut(each, 200) for each in (reason.old, reason.new))
    return f"{old} → {new}"


def _settings(settings: Any) -> str:
    values = {each.name: getattr(settings, each.name) for each in dataclasses.fields(settings)}
    defaults = {each.name: _default(each) for each in dataclasses.fields(settings)}
    said = tuple((name, _setting(value)) for name, value in values.items() if value != defaults[name])
    title = f'<div class="title">{html.escape(type(settings).__name__)}</div>'
    return title + (html.render(Summary("", (Facts(said),))) if said else '<div class="muted">All as by default.</div>')


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _setting(value: Any) -> str:
    match value:
        case timedelta():
            return wording.duration(value)
        case list() | tuple():
            return ", ".join(wording.value(str(each)) for each in value[:_ROWS])
        case Mapping():
            return _together(value)
    return getattr(value, "__qualname__", None) or wording.value(value)


def _card(body: Callable[[], str]) -> str:
    return html.fragment(f'<div class="card">{_attempt(body)}</div>')


def _attempt(body: Callable[[], str]) -> str:
    """What `body` makes, or one line about why it cannot."""
    try:
        return body()
    except Exception as error:  # whatever it is, a card with a hole is better than none
        return f'<div class="muted">Not to be shown: {_in_a_line(error)}</div>'


def _in_a_line(error: Exception) -> str:
    return html.escape(wording.cut(" ".join(f"{type(error).__name__}: {error}".split()), 300))


def _artifact(version: ShownVersion) -> str:
    facts = [
        ("type", version.type.removeprefix("builtins.")),
        *measures(version),
        ("stages", ", ".join(version.stages)),
        ("size", wording.size(version.size)),
        ("created", f"{version.created:%Y-%m-%d %H:%M:%S} UTC"),
        ("made by", _origin(version)),
        ("id", version.id[:12]),
        ("tags", ", ".join(version.tags)),
    ]
    told = tuple((name, said) for name, said in facts if said)
    head = html.render(Summary(f"{version.name}@{version.version}", (Facts(told),)))
    return head + _attempt(lambda: _metadata(version)) + _attempt(lambda: _picture(version))


def measures(version: ShownVersion) -> list[tuple[str, str]]:
    """What is measured of a version, as rows of a card."""
    try:
        return [("measures", f"{_together(noted)} ({step})") for step, noted in known.measures(version)]
    except ArtError:  # a damaged record hides nothing of the others
        return []


def _metadata(version: ShownVersion) -> str:
    found, changed, defaults = known.split_defaults(version.metadata)
    if changed is not None:
        found["parameters"] = ", ".join(filter(None, [_together(changed), f"{defaults} as the class has them"]))
    return _values("Metadata", found)


def _together(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={wording.value(value)}" for name, value in found.items())


def _origin(version: ShownVersion) -> str:
    commit = version.commit
    return f"step {commit.step} of pipeline {commit.pipeline}" if commit else f"{version.record.origin} by hand"


def _picture(version: ShownVersion) -> str:
    reason = _why_not(version)
    if reason:
        return _instead(reason)
    try:
        shown, more = gallery.first(version.without_code().visualizations())
    except UntrustedData:
        return _instead(_RUNS_CODE)
    note = f'<div class="muted">{wording.count(more, "more picture")}: <code>.visualize()</code></div>' if more else ""
    return gallery.as_html(shown) + note


def _instead(reason: str) -> str:
    return f'<div class="muted">{html.escape(reason)} <code>.visualize()</code> shows it.</div>'


def _why_not(version: ShownVersion) -> str:
    """Why a value is not loaded unasked; nothing if it can be tried."""
    if version.size > MAX_BYTES:
        return f"The value has {wording.size(version.size)}, too much to be loaded unasked."
    if version.artifact.runs_code:
        return _RUNS_CODE
    return ""


def _step(step: ShownStep) -> str:
    parts = [
        f'<div class="title">{html.escape(step.name)} {_pill(step.status)}</div>',
        html.render(Summary("", (Facts((("run", step.run.name), ("duration", _duration(step)))),))),
        _attempt(lambda: _versions("Inputs", step.inputs)),
        _attempt(lambda: _versions("Outputs", step.outputs)),
        _attempt(lambda: _values("Parameters", step.parameters)),
        _attempt(lambda: _values("Metadata", step.metadata)),
        _attempt(lambda: _failure(step)),
        _attempt(lambda: _log(step)),
    ]
    return "".join(parts)


def _run(run: ShownRun) -> str:
    facts = [("pipeline", run.pipeline), ("started", f"{run.started:%Y-%m-%d %H:%M:%S} UTC")]
    facts.append(("duration", wording.duration(run.duration) if run.record.finished else "still running"))
    if run.tags:
        facts.append(("tags", ", ".join(run.tags)))
    parts = [
        f'<div class="title">{html.escape(run.name)} {_pill(run.status)}</div>',
        html.render(Summary("", (Facts(tuple(facts)),))),
        _attempt(lambda: _values("Parameters", run.parameters)),
        _attempt(lambda: _values("Metadata", run.metadata)),
        _attempt(lambda: _graph(run)),
        _attempt(lambda: _step_table(run.steps)),
        *(_attempt(functools.partial(_failure, step)) for step in run.steps.values()),
    ]
    return "".join(parts)


def _graph(run: ShownRun) -> str:
    makers = {step.record.commit: name for name, step in run.steps.items() if step.record.commit}
    sources = {
        name: sorted(
            {makers[each.commit] for group in step.record.inputs.values() for each in group if each.commit in makers}
        )
        for name, step in run.steps.items()
    }
    return graph.draw({name: step.status for name, step in run.steps.items()}, sources)


def _step_table(steps: Mapping[str, ShownStep]) -> str:
    return _table(("step", "status", "duration", "outputs"), list(steps.values()), _step_cells, wide="outputs")


def _step_cells(step: ShownStep) -> list[str]:
    outputs = _attempt(lambda: html.escape(", ".join(map(_named, step.outputs.values()))))
    return [html.escape(step.name), _pill(step.status), html.escape(_duration(step)), outputs]


def _versions(title: str, found: Mapping[str, Any]) -> str:
    named = {name: group if isinstance(group, list) else [group] for name, group in found.items()}
    facts = Facts(tuple((name, ", ".join(map(_named, group))) for name, group in named.items()))
    return html.caption(title) + html.render(Summary("", (facts,))) if named else ""


def _named(version: ShownVersion) -> str:
    return f"{version.name}@{version.version}"


def _values(title: str, found: Mapping[str, Any]) -> str:
    rows = tuple(
        (name, wording.value(spelt(value) if isinstance(value, dict) else value, 200)) for name, value in found.items()
    )
    return html.caption(title) + html.render(Summary("", (Facts(rows),))) if rows else ""


def _failure(step: ShownStep) -> str:
    failure = step.failure
    if failure is None:
        return ""
    said = f'<div class="bad">{html.escape(failure.type)}: {html.escape(failure.message)}</div>'
    return f"{said}<pre>{html.escape(step.traceback)}</pre>"


def _log(step: ShownStep) -> str:
    lines = step.logs.rstrip().splitlines()
    if not lines:
        return ""
    title = "Log" if len(lines) <= _LOG_LINES else f"Log, the last {_LOG_LINES} of {len(lines):,} lines"
    return html.caption(title) + f"<pre>{html.escape(chr(10).join(lines[-_LOG_LINES:]))}</pre>"


def _duration(step: ShownStep) -> str:
    return wording.duration(step.duration) if step.duration else ""


def _pill(status: str) -> str:
    return f'<span class="pill {graph.status_class(status)}">{html.escape(status)}</span>'
