"""What a notebook shows of artifact versions, steps and runs when they are the last line of a cell.

Nothing here raises: an object that cannot be shown must not cost the user the cell. What is large is not loaded
unasked, and no code that came with a value is run, be it trusted or not, and whatever its record says of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from artvcs.pipelines.errors import UntrustedData
from artvcs.vcs import ArtError

from . import gallery, known, wording
from .pages import graph, html
from .shown import ShownRun, ShownStep, ShownVersion
from .summary import Facts, Summary

T = TypeVar("T")

MAX_BYTES = 50 << 20
_ROWS = 100
"""So many lines of a table are shown."""
_LOG_LINES = 20
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
    took = wording.duration(run.duration) if run.record.finished else ""
    began = f"{run.started:%Y-%m-%d %H:%M:%S}"
    shown = [html.escape(each) for each in (run.name, run.pipeline, took, began)]
    return [*shown[:2], _pill(run.status), *shown[2:]]


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
        *(("measures", f"{_together(noted)} ({step})") for step, noted in _measures(version)),
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


def _measures(version: ShownVersion) -> list[tuple[str, Mapping[str, Any]]]:
    try:
        return list(known.measures(version))
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
    rows = tuple((name, wording.value(value, 200)) for name, value in found.items())
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
    return wording.duration(step.duration) if step.record.finished else ""


def _pill(status: str) -> str:
    return f'<span class="pill {graph.status_class(status)}">{html.escape(status)}</span>'
