"""The `Client`: looking at what pipelines made, and managing it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from artvcs.vcs.repository import Repository

from . import context, graph, lookup, saving
from .inputs import LazyArtifact
from .views import ArtifactVersion, PipelineRun


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

    def get_artifact_version(self, name_or_id_prefix: str, version: str | int | None = None) -> Any:
        """An artifact version: the newest of a name, or the one with a number or explicit version.

        Inside a `@pipeline` it is looked up when the run starts, and is an input of the steps that take it. Inside a
        step it is recorded as something the step read.

        Raises:
            UnknownName: There is no such artifact or version.
            AmbiguousName: The start of an id fits several.
        """
        if graph.current() is not None:
            return LazyArtifact(name_or_id_prefix, version)
        return saving.find_version(name_or_id_prefix, version, self.repository)

    def list_artifact_versions(self, name: str | None = None) -> list[ArtifactVersion]:
        """All artifact versions, or those of one name, oldest first."""
        store, refs = self.repository.store, self.repository.refs()
        found = lookup.all_versions(store, refs) if name is None else lookup.versions_of(store, refs, name)
        return [ArtifactVersion(self.repository, version) for version in found]

    def get_pipeline_run(self, id_or_name_or_prefix: str) -> PipelineRun:
        """A run, by its id, its name, or the unique start of either.

        Raises:
            UnknownName: There is none.
            AmbiguousName: There are several.
        """
        repository = self.repository
        return PipelineRun(repository, lookup.find_run(repository.store, repository.refs(), id_or_name_or_prefix))

    def list_pipeline_runs(self, pipeline: str | None = None) -> list[PipelineRun]:
        """All runs, or those of one pipeline, newest first."""
        runs = lookup.all_runs(self.repository.store, self.repository.refs())
        return [PipelineRun(self.repository, run) for run in runs if pipeline in (None, run.pipeline)]

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
