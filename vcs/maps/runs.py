"""Runs, as the refs tell them; where all are asked for, without those that are damaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..objects.kinds import Run
from . import ref_names
from .damaged import Damaged, read, whole
from .refs import Refs
from .steps import forgiving


def by_id(refs: Refs, run_id: str) -> Run | None:
    """The run with this id."""
    oid = refs.get(ref_names.run(run_id))
    return None if oid is None else refs.record(oid, Run)


def readable(refs: Refs, run_id: str) -> Run | None:
    """The run with this id, with those of its steps that can be read."""
    found = by_id(refs, run_id)
    return None if found is None else forgiving(found)


def newest_first(refs: Refs) -> Iterator[Run]:
    """All runs, the one that began last first; read as they are come to."""
    return whole(listed(refs))


def listed(refs: Refs, pipeline: str | None = None) -> Iterator[Run | Damaged]:
    """All runs (of a pipeline), newest first, and what stands for those that cannot be read."""
    return _marked(refs, ref_names.TIMES if pipeline is None else ref_names.pipeline_runs(pipeline), reverse=True)


def with_ids(refs: Refs, run_ids: Iterable[str]) -> Iterator[Run | Damaged]:
    """The runs with these ids, and what stands for those that cannot be read."""
    for ref in map(ref_names.run, run_ids):
        if (oid := refs.get(ref)) is not None:
            yield read(refs, ref, oid, Run)


def of_pipeline(refs: Refs, pipeline: str) -> Iterator[Run]:
    """The runs of a pipeline, newest first."""
    return whole(listed(refs, pipeline))


def latest(refs: Refs, pipeline: str) -> Run | None:
    """The newest run of a pipeline."""
    return next(of_pipeline(refs, pipeline), None)


def named(refs: Refs, name: str) -> Iterator[Run]:
    """The runs of this name."""
    return whole(_marked(refs, ref_names.named_runs(name)))


def named_like(refs: Refs, start: str) -> Iterator[Run]:
    """The runs whose name starts so."""
    return whole(_marked(refs, ref_names.runs_named_like(start)))


def with_id_like(refs: Refs, start: str) -> Iterator[Run]:
    """The runs whose id starts so."""
    return whole(read(refs, ref, oid, Run) for ref, oid in refs.items(ref_names.run(start)))


def names_like(refs: Refs, start: str) -> Iterator[str]:
    """The names of runs that start so, in order."""
    return (ref_names.name_of(ref) for ref, _ in refs.items(ref_names.runs_named_like(start)))


def pipelines(refs: Refs, start: str = "") -> Iterator[str]:
    """The names of all pipelines that have runs and start so, in order; the runs of each are skipped at once."""
    prefix, after = ref_names.pipelines_like(start), ""
    while (found := next(refs.items(prefix, after=after), None)) is not None:
        name = ref_names.name_of(found[0])
        yield name
        after = ref_names.pipeline_runs(name) + ref_names.LAST


def marks(run: Run) -> tuple[str, ...]:
    """The refs by which a run is found, its own aside."""
    return (
        ref_names.run_time(run.started, run.run),
        ref_names.run_name(run.name, run.run),
        ref_names.pipeline_run(run.pipeline, run.started, run.run),
    )


def _marked(refs: Refs, prefix: str, *, reverse: bool = False) -> Iterator[Run | Damaged]:
    return with_ids(refs, (ref_names.last_part(mark) for mark, _ in refs.items(prefix, reverse=reverse)))
