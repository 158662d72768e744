"""Runs, as the refs tell them."""

from __future__ import annotations

from collections.abc import Iterator

from ..objects.kinds import Run
from . import ref_names
from .refs import Refs


def by_id(refs: Refs, run_id: str) -> Run | None:
    """The run with this id."""
    oid = refs.get(ref_names.run(run_id))
    return None if oid is None else refs.record(oid, Run)


def newest_first(refs: Refs) -> Iterator[Run]:
    """All runs, the one that began last first; read as they are come to."""
    return _marked(refs, ref_names.TIMES, reverse=True)


def of_pipeline(refs: Refs, pipeline: str) -> Iterator[Run]:
    """The runs of a pipeline, newest first."""
    return _marked(refs, ref_names.pipeline_runs(pipeline), reverse=True)


def latest(refs: Refs, pipeline: str) -> Run | None:
    """The newest run of a pipeline."""
    return next(of_pipeline(refs, pipeline), None)


def named(refs: Refs, name: str) -> Iterator[Run]:
    """The runs of this name."""
    return _marked(refs, ref_names.named_runs(name))


def named_like(refs: Refs, start: str) -> Iterator[Run]:
    """The runs whose name starts so."""
    return _marked(refs, ref_names.runs_named_like(start))


def with_id_like(refs: Refs, start: str) -> Iterator[Run]:
    """The runs whose id starts so."""
    return (refs.record(oid, Run) for _, oid in refs.items(ref_names.run(start)))


def pipelines(refs: Refs) -> Iterator[str]:
    """The names of all pipelines that have runs."""
    last = None
    for ref, _ in refs.items(ref_names.pipelines()):
        if (name := ref_names.name_of(ref)) != last:
            last = name
            yield name


def marks(run: Run) -> tuple[str, ...]:
    """The refs by which a run is found, its own aside."""
    return (
        ref_names.run_time(run.started, run.run),
        ref_names.run_name(run.name, run.run),
        ref_names.pipeline_run(run.pipeline, run.started, run.run),
    )


def _marked(refs: Refs, prefix: str, *, reverse: bool = False) -> Iterator[Run]:
    for ref, _ in refs.items(prefix, reverse=reverse):
        if (run := by_id(refs, ref_names.last_part(ref))) is not None:
            yield run
