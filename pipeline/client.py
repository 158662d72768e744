"""The `Client`: looking at what pipelines made, and managing it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from artvcs.vcs import ArtError, Repository, Run, ref_names

from . import functions, promotion
from .define import building
from .define.handles import LazyArtifact
from .history import answers, delete, experiments, listing, models
from .history.finding import filters, meant, run_lookup
from .history.models import ModelVersion
from .history.tables import Runs, Versions
from .history.views import ArtifactVersion, PipelineRun
from .run.execution import context
from .trace.owners import note

if TYPE_CHECKING:
    import pandas as pd

_NEWEST = 5
"""So many runs a notebook shows of a client."""


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

    def __cache_identity__(self) -> str | None:
        """What code depends on that holds this client; what it asks it counts by the answers. See `values.identity`."""
        return None if self._path is None else str(self._path)

    @property
    def repository(self) -> Repository:
        """The repository it looks into."""
        here = context.current()
        if here is not None and self._path is None:
            return here.repository
        if self._opened is None:
            self._opened = Repository.open(self._path) if self._path else Repository.discover()
        return self._opened

    def __repr__(self) -> str:
        try:
            return f"<client of {self.repository.layout.folder}>"
        except ArtError:
            return "<client of no repository>"

    def _repr_html_(self) -> str:
        from .values.visualizations import cards

        def facts() -> list[tuple[str, str]]:
            refs = self.repository.refs()
            return [
                ("repository", str(self.repository.layout.folder)),
                ("artifacts", f"{refs.count(ref_names.NEWEST):,}"),
                ("runs", f"{refs.count(ref_names.RUNS):,}"),
            ]

        return cards.definition_card("Client", facts, lambda: self.list_pipeline_runs(limit=_NEWEST)._repr_html_())

    def get_artifact_version(
        self, name_or_id_prefix: str, version: str | int | None = None, rev: str | None = None
    ) -> Any:
        """An artifact version: the newest of a name, or the one with a number or explicit version.

        With `rev`, a Git revision such as `main` or `HEAD~3`, it is the newest that was made there or before.

        Inside a `@pipeline` it is looked up when the run starts, and is an input of the steps that take it. Inside a
        step it is recorded as something the step read.

        Raises:
            UnknownName: There is no such artifact or version.
            AmbiguousName: The id, or its start, fits versions of several names.
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
    ) -> Versions[ArtifactVersion]:
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
        asked: dict[str, Any] = dict(
            name=name, version=version, tag=tag, type=type, run=run, producer=producer, metadata=metadata,
            created_after=created_after, created_before=created_before, only_unused=only_unused, sort=sort, limit=limit,
        )  # fmt: skip
        found = listing.list_versions(self.repository, **asked)
        note(answers.VERSIONS, asked, lambda: answers.of_versions(each.record for each in found))
        return found

    def get_pipeline_run(self, id_or_name_or_prefix: str) -> PipelineRun:
        """A run, by its id, its name, or the unique start of either; or the newest of a pipeline, by its name.

        Raises:
            UnknownName: There is none.
            AmbiguousName: There are several.
        """
        self._publish()
        found = run_lookup.find_run_spec(self.repository.refs(), id_or_name_or_prefix)
        _asked_of_own_run([found])
        note(answers.RUN, {"text": id_or_name_or_prefix}, lambda: answers.of_runs([found], context.run_id()))
        return PipelineRun(self.repository, found)

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
    ) -> Runs[PipelineRun]:
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
        asked: dict[str, Any] = dict(
            pipeline=pipeline, name=name, status=status, tag=tag, metadata=metadata, created_after=created_after,
            created_before=created_before, sort=sort, limit=limit,
        )  # fmt: skip
        self._publish()
        found = listing.list_runs(self.repository, **asked)
        _asked_of_own_run(each.record for each in found)
        note(answers.RUNS, asked, lambda: answers.of_runs((each.record for each in found), context.run_id()))
        return found

    def _publish(self) -> None:
        """Inside a step of a run here: what has ended of it is there to be seen."""
        here = context.current()
        if here is not None and here.repository.layout.folder == self.repository.layout.folder:
            here.place.catch_up()

    def runs_frame(
        self, pipeline: str | None = None, *, where: filters.Conditions = None, sort: str | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Runs with their parameters and measures as a DataFrame, newest first.

        The columns are `run`, `id`, `pipeline`, `status`, `started` and `seconds`, and then one for each parameter and
        for each measure: what was noted of the run, of one of its steps, or of a version that it made.

        Args:
            pipeline: Only runs of this pipeline.
            where: `"accuracy > 0.9"`, several of these, or a mapping of what must be equal.
            sort: The name of a column; with a `-` before it downwards.
            limit: At most so many.

        Raises:
            UnknownName: There is no such pipeline, or no run has that column.
            ParameterError: A condition cannot be understood.
        """
        asked: dict[str, Any] = dict(pipeline=pipeline, where=where, sort=sort, limit=limit)
        return experiments.frame(experiments.experiments(self.repository, **asked))

    def get_model_version(self, name: str, version: str | int | None = None) -> ModelVersion:
        """A version of a model: the newest, or the one with a number or explicit version, or in a stage.

        Raises:
            UnknownName: There is no such model or version.
        """
        found = models.find(self.repository, name, version)
        asked = meant.spec(found.name, version)
        note(answers.VERSION, {"asked": asked}, lambda: found.id)
        note(answers.NOTED, {"name": found.name, "artifact": found.id}, lambda: answers.of_versions([found.record]))
        return found

    def list_model_versions(self, name: str) -> Versions[ModelVersion]:
        """All versions of a model, oldest first.

        Raises:
            UnknownName: There is no such model.
        """
        found = models.every(self.repository, name)
        asked = {"name": meant.model_name(name)}
        note(answers.VERSIONS, asked, lambda: answers.of_versions(each.record for each in found))
        return found

    def promote(self, name: str, stage: str, version: str | int | None = None, reason: str = "") -> ArtifactVersion:
        """Moves a stage of an artifact's or a model's name to a version. See `promotion.promote`."""
        return promotion.promote(name, stage, version, reason, self.repository)

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


def _asked_of_own_run(found: Iterable[Run]) -> None:
    """A step that looks at its own run depends on that: what it finds there is another one each time."""
    here = context.current()
    if here is not None and any(run.run == here.task.run_id for run in found):
        _ = context.get_step_context().run_id
