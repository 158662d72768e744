"""The `Client`: looking at what pipelines made, and managing it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from artvcs.vcs import Damaged, DamagedError, RefMap, Repository, UnknownName, Version, Wanted, damaged, runs, versions

from . import functions
from .define import building
from .define.handles import LazyArtifact
from .history import delete, filters, lookup
from .history.views import ArtifactVersion, PipelineRun
from .run import context

_log = logging.getLogger("artvcs")

VERSION_KEYS = ("name", "number", "created", "size")
"""By what versions can be sorted."""
_RUN_KEYS: dict[str, Callable[[PipelineRun], Any]] = {
    "name": lambda run: run.name,
    "started": lambda run: run.started,
    "duration": lambda run: run.duration,
}


class Client:
    """Looks into a repository.

    Args:
        path: The project folder or `.artifacts` folder; by default found from the working directory upwards.

    Raises:
        RepositoryNotFound: There is none (when something is asked for).
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self._path = Path(path) if path is not None else None
        self._opened: Repository | None = None

    @property
    def repository(self) -> Repository:
        """The repository it looks into."""
        here = context.current()
        if here is not None and self._path is None:
            return here.repository
        if self._opened is None:
            self._opened = Repository.open(self._path) if self._path else Repository.discover()
        return self._opened

    def get_artifact_version(
        self, name_or_id_prefix: str, version: str | int | None = None, rev: str | None = None
    ) -> Any:
        """An artifact version: the newest of a name, or the one with a number or explicit version.

        With `rev`, a Git revision such as `main` or `HEAD~3`, it is the newest that was made there or before.

        Inside a `@pipeline` it is looked up when the run starts, and is an input of the steps that take it. Inside a
        step it is recorded as something the step read.

        Raises:
            UnknownName: There is no such artifact or version.
            AmbiguousName: The start of an id fits several.
        """
        if building.current() is not None:
            return LazyArtifact(name_or_id_prefix, version, rev)
        return functions.find_version(name_or_id_prefix, version, self.repository, rev)

    def list_artifact_versions(
        self,
        name: str | None = None,
        *,
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
    ) -> list[ArtifactVersion]:
        """Artifact versions that meet all conditions given, by name and number.

        Args:
            name: Of this artifact.
            version: With this number or explicit version.
            tag: With this label.
            type: Of this type, as `pandas.DataFrame` or just `DataFrame`.
            run: First made or saved in this run (id, name, or start of either).
            producer: Made by a step of this name.
            metadata: `"accuracy > 0.9"`, several of these, or a mapping of what must be equal.
            created_after: Made at or after this time: a datetime, an ISO text, or how long ago (`30d`).
            created_before: Made before this time.
            only_unused: That no run made, took or read.
            sort: `name`, `number`, `created` or `size`; with a `-` before it downwards.
            limit: At most so many.

        Raises:
            ParameterError: A condition cannot be understood.
            UnknownName: There is no such run.
        """
        refs = self.repository.refs()
        wanted = Wanted(
            name=name,
            version=None if version is None else str(version),
            tag=tag,
            type=None if type is None else type.rpartition(".")[2],
            run=None if run is None else lookup.find_run(refs, run).run,
            producer=producer,
            since=filters.milliseconds(created_after),
            until=filters.milliseconds(created_before),
            facts=filters.parse(metadata),
            unused=only_unused,
        )

        def fits(each: ArtifactVersion) -> bool:
            # The catalog may have found more than what fits.
            return (
                (version is None or str(version) in (each.record.label, str(each.number)))
                and (tag is None or tag in each.tags)
                and (type is None or type in (each.type, each.type.rpartition(".")[2]))
                and (producer is None or (each.commit is not None and each.commit.step == producer))
                and filters.metadata_matches(each.metadata, metadata)
                and filters.within(each.created, created_after, created_before)
            )

        found = (ArtifactVersion(self.repository, record) for record in self._versions(refs, wanted, sort))
        return list(itertools.islice((each for each in found if _readable(fits, each)), limit))

    def _versions(self, refs: RefMap, wanted: Wanted, sort: str | None) -> Iterator[Version]:
        """Versions that may be wanted, in order; read as they are come to."""
        by, reverse = None if sort is None else sort.removeprefix("-"), sort is not None and sort.startswith("-")
        if by is not None:
            filters.check_sort(by, VERSION_KEYS)
        as_refs = by is None or (wanted.name is not None and by in ("name", "number"))
        if wanted == Wanted(name=wanted.name) and as_refs:
            found = versions.listed(refs, wanted.name, reverse=reverse)
        else:
            selected = self.repository.catalog(refs).versions.select(wanted, by, reverse=reverse)
            found = (damaged.read(refs, ref, oid, Version) for ref, oid in selected)
        for each in found:
            if isinstance(each, Damaged):
                _log.warning("%s is left out: %s", each.ref, each.why)
            else:
                yield each

    def get_pipeline_run(self, id_or_name_or_prefix: str) -> PipelineRun:
        """A run, by its id, its name, or the unique start of either.

        Raises:
            UnknownName: There is none.
            AmbiguousName: There are several.
        """
        return PipelineRun(self.repository, lookup.find_run(self.repository.refs(), id_or_name_or_prefix))

    def list_pipeline_runs(
        self,
        pipeline: str | None = None,
        *,
        name: str | None = None,
        status: str | None = None,
        tag: str | None = None,
        metadata: filters.Conditions = None,
        created_after: filters.When = None,
        created_before: filters.When = None,
        sort: str | None = None,
        limit: int | None = None,
    ) -> list[PipelineRun]:
        """Runs that meet all conditions given, newest first.

        Args:
            pipeline: Of this pipeline.
            name: Of this name.
            status: `completed`, `failed`, `interrupted` or `running`.
            tag: With this label.
            metadata: `"cost < 3"`, several of these, or a mapping of what must be equal.
            created_after: Begun at or after this time: a datetime, an ISO text, or how long ago (`30d`).
            created_before: Begun before this time.
            sort: `name`, `started` or `duration`; with a `-` before it downwards.
            limit: At most so many.

        Raises:
            ParameterError: A condition cannot be understood.
        """
        refs = self.repository.refs()
        records = damaged.whole(
            runs.listed(refs, pipeline) if status is None
            else runs.with_ids(refs, self.repository.catalog(refs).runs.with_status(status))
        )  # fmt: skip
        if name is not None:
            records = iter(sorted(runs.named(refs, name), key=lambda run: (run.started, run.run), reverse=True))
        found = (
            run
            for run in (PipelineRun(self.repository, record) for record in records)
            if pipeline in (None, run.pipeline)
            and status in (None, run.status)
            and (tag is None or tag in run.tags)
            and filters.metadata_matches(run.metadata, metadata)
            and filters.within(run.started, created_after, created_before)
        )
        return filters.ordered(found, sort, _RUN_KEYS, limit)

    def delete_artifact_version(self, name: str, version: str | int | None = None) -> None:
        """Deletes a version that no run uses; its number is not used again.

        Raises:
            InUse: A run uses it; nothing was deleted.
            UnknownName: There is no such version.
        """
        delete.delete_version(self.repository, name, version)

    def delete_pipeline_run(self, id_or_name_or_prefix: str) -> None:
        """Deletes the record of a run; what it made stays until it is pruned.

        Raises:
            InUse: It is still going on.
            UnknownName: There is no such run.
        """
        delete.delete_run(self.repository, id_or_name_or_prefix)

    @property
    def active_stack(self) -> SimpleNamespace:
        """Stands in for ZenML's stack: `active_stack.artifact_store.path` is a folder for files of your own."""
        workspace = (
            Repository.discover(create=True).layout.workspace
            if self._path is None
            else self.repository.layout.workspace
        )
        workspace.mkdir(exist_ok=True)
        return SimpleNamespace(artifact_store=SimpleNamespace(path=str(workspace)))


def _readable(fits: Callable[[ArtifactVersion], bool], version: ArtifactVersion) -> bool:
    """Whether a version fits; one of which that cannot be read does not, and hides none of the others."""
    try:
        return fits(version)
    except (DamagedError, UnknownName) as error:
        _log.warning("%s@%s is left out: %s", version.name, version.number, error)
        return False
