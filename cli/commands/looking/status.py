"""`art status`."""

from __future__ import annotations

import ast
import functools
import itertools
import shlex
import string
import textwrap
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from artvcs.pipelines.fingerprint.model import Part
from artvcs.pipelines.history import pins
from artvcs.pipelines.history.views import PipelineRun, StepView
from artvcs.vcs import (
    Damaged,
    DamagedError,
    RefMap,
    Repository,
    Run,
    Standing,
    UnknownName,
    config,
    damaged,
    ref_names,
    standing,
)
from artvcs.vcs import runs as known

from ... import placing, sharing
from ...main import terminal
from ...stored import runs
from ...terminal import output

_RUNS = 5
_FILES = 10
"""So many edited files are listed of each path."""
_USES = 100
"""So many steps of a run are looked at that differ in their numbers alone."""

_COLOURS = {"changed": "yellow", "added": "green", "deleted": "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(as_json: bool) -> None:
    """Show where the repository is, how large it is, its latest runs, and what was edited since.

    Example: art status
    """
    repository = Repository.discover()
    refs = repository.refs()
    counts = {
        "artifacts": refs.count(ref_names.NEWEST),
        "versions": refs.count(ref_names.VALUES),
        "runs": refs.count(ref_names.RUNS),
    }
    latest = [_as_shown(repository, each) for each in itertools.islice(known.listed(refs), _RUNS)]
    newest = [PipelineRun(repository, run) for name in known.pipelines(refs) if (run := known.latest(refs, name))]
    edited = [each for run in newest for each in edited_since(repository.project, run)]
    data = list(placing.edited(repository))
    behind = [each for each in placing.behind(repository) if not each.was_chosen]
    stored = repository.stored_size()
    if as_json:
        rows = [runs.either(run, _row, runs.damaged_document) for run in latest]
        changes = [{"pipeline": run.pipeline, "step": step, "code": code} for run, step, code in edited]
        head = {"repository": str(repository.layout.folder), "bytes": stored}
        remotes = {name: vars(found) for name, found in _standings(repository)}
        terminal().document({
            **head, **counts, "latest": rows, "edited": changes, "data": [_data_row(each) for each in data],
            "behind": [{"path": each.path, "version": each.version, "newest": each.newest.artifact} for each in behind],
            "remotes": remotes,
        })  # fmt: skip
        return
    terminal().sentence(f"{repository.layout.folder}: {output.size(stored)} stored")
    terminal().sentence(", ".join(output.count(number, noun.removesuffix("s")) for noun, number in counts.items()))
    runs.say_table(terminal(), latest)
    changed = (f"{step} ({run.pipeline}): {code} was edited" for run, step, code in edited)
    shared = (_said(name, found) for name, found in _standings(repository))
    for line in [*_unfinished(repository, refs, newest), *changed]:
        terminal().sentence(line)
    _say_data(data, {each.path for each in behind})
    for line in [*_behind(behind, {each.placed.path for each in data}), *_pinned(repository), *shared]:
        terminal().sentence(line)


def _data_row(found: placing.Edited) -> dict[str, object]:
    return {"path": found.placed.path, "version": found.version, **vars(found.difference), "error": found.error}


def _say_data(data: Sequence[placing.Edited], behind: Collection[str]) -> None:
    """Says what was edited of the data that was added or checked out, and which files.

    Args:
        data: What was edited.
        behind: The paths where an older version than the newest stands: edits of that are not stored unasked.
    """
    stored = gone = False
    for each in data:
        path, difference = each.placed.path, each.difference
        if each.error is not None:
            terminal().sentence(f"{path} ({each.version}) cannot be compared: {each.error}")
            continue
        if each.is_gone:
            back = shlex.join(["art", "checkout", each.version, "-o", path])
            terminal().sentence(f"{path} ({each.version}) is gone; `{back}` brings it back")
            gone = True
            continue
        stored |= path not in behind
        counts = [f"{len(names)} {kind}" for kind, names in vars(difference).items() if names]
        is_file = difference.changed == ("",)
        terminal().sentence(f"{path} ({each.version}) was edited" + ("" if is_file else f": {', '.join(counts)}"))
        listed = [(kind, name) for kind, names in vars(difference).items() for name in names if name]
        for kind, name in listed[:_FILES]:
            terminal().row(f"  {output.style(f'{kind:<8}', fg=_COLOURS[kind])} {path}/{name}")
        if len(listed) > _FILES:
            terminal().sentence(f"  … and {len(listed) - _FILES} more; --json lists them")
    if stored or gone:
        words = ["stores what was edited"] * stored + ["looks no more at what is gone"] * gone
        terminal().note(f"`art add -u` {', and '.join(words)}.")


def _behind(found: Sequence[placing.Behind], edited: Collection[str]) -> Iterator[str]:
    """What stands in the project while a newer version was made since, and how that is had."""
    for each in found:
        how = each.how(edited=each.path in edited)
        yield f"{each.path} stands at {each.version}, and the newest is {each.newest.artifact} ({how})"


def _pinned(repository: Repository) -> Iterator[str]:
    """What artifacts.lock pins that does not stand there."""
    standing = {each.path: each.artifact for each in placing.places(repository)}
    for path, pin in pins.read(repository.project).items():
        if standing.get(path) != pin.id:
            yield f"{path}: {pins.FILE_NAME} pins {pin.artifact}, which does not stand there (`art checkout --lock`)"


def _standings(repository: Repository) -> Iterator[tuple[str, Standing]]:
    """What is only here, and only there, as far as is known without asking."""
    for name in config.read(repository).remotes:
        yield name, standing(repository, name)


def _said(name: str, found: Standing) -> str:
    if found.looked is None:
        return f"{name}: nothing was fetched or pushed yet (`art pull`, `art push`)"
    ahead = f"{sharing.counted(found.runs, found.versions)} only here (`art push`)"
    same = "all that is here is there, too"
    behind = f", {output.count(found.behind, 'change')} there not fetched" if found.behind else ""
    when = output.ago(datetime.fromtimestamp(found.looked / 1000, UTC))
    return f"{name}: {ahead if found.runs or found.versions else same}{behind}; last looked {when}"


def _as_shown(repository: Repository, run: Run | Damaged) -> PipelineRun | Damaged:
    return run if isinstance(run, Damaged) else PipelineRun(repository, run)


def _row(run: PipelineRun) -> dict[str, object]:
    return {"id": run.id, "name": run.name, "status": run.status, "started": run.started}


def edited_since(project: Path, run: PipelineRun) -> Iterator[tuple[PipelineRun, str, str]]:
    """Which code of a run's steps no longer stands in its file as it ran: run, step, name of the code.

    What it says is compared, without comments and formatting; `art run FILE --plan` says what would run again. What
    cannot be read is not compared, and of the items of a map, which are called `step`, `step_2` and so on, the first
    ones stand for all.
    """
    files: dict[str, _Statements | None] = {}
    uses = Counter[str]()
    for name, step in run.steps.items():
        uses[called := name.rstrip(string.digits)] += 1
        for part in _parts(step) if uses[called] <= _USES else ():
            if part.file is None or part.kind not in ("function", "class", "constant"):
                continue
            if part.file not in files:
                files[part.file] = _statements(project / part.file)
            found = files[part.file]
            if found is not None and not found.hold(part.source):
                yield run, name, part.name


def _unfinished(repository: Repository, refs: RefMap, newest: list[PipelineRun]) -> Iterator[str]:
    running = repository.catalog(refs).runs.with_status("running")
    for run in damaged.whole(known.with_ids(refs, running)):
        yield f"{run.name} is running: {len(run.steps):,} of {output.count(len(run.order), 'step')} done"
    for shown in newest:
        if shown.status == "interrupted":
            yield f"{shown.name} was interrupted; what had finished is kept: run it again to go on"


def _parts(step: StepView) -> Sequence[Part]:
    try:
        return step.fingerprint.parts if step.fingerprint else ()
    except (DamagedError, UnknownName):
        return ()


class _Statements:
    """All statements of a file, also those within others."""

    def __init__(self, text: str) -> None:
        self._text, self._lines = text, _stripped(text)

    @functools.cached_property
    def _said(self) -> set[str]:
        return {ast.dump(each) for each in ast.walk(ast.parse(self._text)) if isinstance(each, ast.stmt)}

    def hold(self, source: str) -> bool:
        """Whether some code is among them; where that cannot be parsed, only if it stands there to the letter."""
        if _stripped(source) in self._lines:
            return True
        try:
            return all(ast.dump(each) in self._said for each in ast.parse(textwrap.dedent(source)).body)
        except (SyntaxError, ValueError, RecursionError):
            return False


def _stripped(text: str) -> str:
    """Lines without their indentation: a method is recorded without that of its class."""
    return "\n".join(line.strip() for line in text.splitlines())


def _statements(path: Path) -> _Statements | None:
    try:
        return _Statements(path.read_text(errors="replace"))
    except OSError:
        return None  # of another project, or gone: then there is nothing to compare
