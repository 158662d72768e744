"""Lists of versions and runs that meet conditions, for the Client and for whoever asks again what it was asked."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Any

from artvcs.vcs import (
    Damaged,
    DamagedError,
    RefMap,
    Repository,
    UnknownName,
    Version,
    Wanted,
    damaged,
    runs,
    stages,
    versions,
)

from .finding import filters, run_lookup
from .tables import Runs, Versions
from .views import ArtifactVersion, PipelineRun

_log = logging.getLogger("artvcs")

VERSION_KEYS = ("name", "number", "created", "size")
"""By what versions can be sorted."""
_RUN_KEYS: dict[str, Callable[[PipelineRun], Any]] = {
    "name": lambda run: run.name,
    "started": lambda run: run.started,
    "duration": lambda run: run.duration,
}


def list_versions(
    repository: Repository,
    *,
    name: str | None = None,
    version: str | int | None = None,
    tag: str | None = None,
    type: str | None = None,  # noqa: A002 (what users call it)
    run: str | None = None,
    producer: str | None = None,
    metadata: filters.Conditions = None,
    created_after: filters.When = None,
    created_before: filters.When = None,
    only_unused: bool = False,
    sort: str | None = None,
    limit: int | None = None,
) -> Versions[ArtifactVersion]:
    """The versions that meet all conditions; see `Client.list_artifact_versions`."""
    refs, conditions = repository.refs(), filters.parse(metadata)
    wanted = Wanted(
        name=name,
        version=None if version is None else str(version),
        tag=tag,
        promoted=[] if tag is None else list(stages.in_stage(refs, tag)),
        type=None if type is None else type.rpartition(".")[2],
        run=None if run is None else run_lookup.find_run(refs, run).run,
        producer=producer,
        since=filters.milliseconds(created_after),
        until=filters.milliseconds(created_before),
        facts=conditions,
        unused=only_unused,
    )

    def fits(each: ArtifactVersion) -> bool:
        # The catalog may have found more than what fits.
        return (
            (version is None or str(version) in (each.record.label, str(each.number)))
            and (tag is None or tag in each.record.tags or (each.name, each.id) in wanted.promoted)
            and (type is None or type in (each.type, each.type.rpartition(".")[2]))
            and (producer is None or (each.commit is not None and each.commit.step == producer))
            and all(_is_noted(each, condition) for condition in conditions)
            and filters.within(each.created, created_after, created_before)
        )

    found = (ArtifactVersion(repository, record) for record in _wanted(repository, refs, wanted, sort))
    return Versions(itertools.islice((each for each in found if _readable(fits, each)), limit))


def list_runs(
    repository: Repository,
    *,
    pipeline: str | None = None,
    name: str | None = None,
    status: str | None = None,
    tag: str | None = None,
    metadata: filters.Conditions = None,
    created_after: filters.When = None,
    created_before: filters.When = None,
    sort: str | None = None,
    limit: int | None = None,
) -> Runs[PipelineRun]:
    """The runs that meet all conditions, newest first; see `Client.list_pipeline_runs`."""
    refs = repository.refs()
    records = damaged.whole(
        runs.listed(refs, pipeline)
        if status is None
        else runs.with_ids(refs, repository.catalog(refs).runs.with_status(status))
    )
    if name is not None:
        records = iter(sorted(runs.named(refs, name), key=lambda run: (run.started, run.run), reverse=True))
    found = (
        run
        for run in (PipelineRun(repository, record) for record in records)
        if pipeline in (None, run.pipeline)
        and status in (None, run.status)
        and (tag is None or tag in run.tags)
        and filters.metadata_matches(run.metadata, metadata)
        and filters.within(run.started, created_after, created_before)
    )
    return Runs(filters.ordered(found, sort, _RUN_KEYS, limit))


def _is_noted(version: ArtifactVersion, condition: filters.Condition) -> bool:
    """Whether a condition is met by what is known of a version, or else by what any step noted that took it."""
    known = version.facts
    if filters.knows(known, condition):
        return filters.meets(known, condition)
    return any(filters.meets(noted, condition) for _, noted in version.remarks())


def _wanted(repository: Repository, refs: RefMap, wanted: Wanted, sort: str | None) -> Iterator[Version]:
    """Versions that may be wanted, in order; read as they are come to."""
    by, reverse = None if sort is None else sort.removeprefix("-"), sort is not None and sort.startswith("-")
    if by is not None:
        filters.check_sort(by, VERSION_KEYS)
    as_refs = by is None or (wanted.name is not None and by in ("name", "number"))
    if wanted == Wanted(name=wanted.name) and as_refs:
        found = versions.listed(refs, wanted.name, reverse=reverse)
    else:
        selected = repository.catalog(refs).versions.select(wanted, by, reverse=reverse)
        found = (damaged.read(refs, ref, oid, Version) for ref, oid in selected)
    for each in found:
        if isinstance(each, Damaged):
            _log.warning("%s is left out: %s", each.ref, each.why)
        else:
            yield each


def _readable(fits: Callable[[ArtifactVersion], bool], version: ArtifactVersion) -> bool:
    """Whether a version fits; one of which that cannot be read does not, and hides none of the others."""
    try:
        return fits(version)
    except (DamagedError, UnknownName) as error:
        _log.warning("%s@%s is left out: %s", version.name, version.number, error)
        return False
