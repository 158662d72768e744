"""ZenML's Client: the past in ZenML's words; what belongs to its server is a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from artvcs.pipelines import client as native
from artvcs.pipelines.define import building
from artvcs.pipelines.define.handles import LazyArtifact
from artvcs.pipelines.functions import add_tags, find_version, remove_tags
from artvcs.pipelines.history import delete
from artvcs.pipelines.history.finding import lookup, meant
from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.pipelines.record.models import new_version
from artvcs.pipelines.run.execution import context
from artvcs.vcs import RepositoryNotFound, UnknownName, runs, versions

from ._meaning import facts, ids
from ._meaning.definitions import Model, tag_names
from ._meaning.pages import ours, page
from ._meaning.responses import (
    NOTED,
    ArtifactResponse,
    ArtifactVersionResponse,
    ModelResponse,
    ModelVersionResponse,
    PipelineResponse,
    PipelineRunResponse,
    person,
    set_stage,
)
from ._meaning.secrets import Secret
from ._meaning.stacks import Stack
from ._names import finder
from ._names.absent import HasMore, NotHere, ignored, not_here
from .exceptions import EntityExistsError, NotFound


class Client(native.Client, HasMore):
    """Looks into a repository; see `artvcs.Client`."""

    CALLED = "Client()"

    def get_artifact_version(self, name_id_or_prefix: Any, version: str | int | None = None, **_: Any) -> Any:  # type: ignore[override]
        """An artifact version, by its id, its name, or the artifact's id. Raises KeyError where there is none."""
        name = str(name_id_or_prefix)
        if ids.is_id(name):  # only then it has to be looked up while a pipeline is built
            name, version = ids.named(name, version, self.repository)
        try:
            found = super().get_artifact_version(name, version)
        except UnknownName as error:
            raise NotFound(str(error)) from None
        return ArtifactVersionResponse(found) if isinstance(found, ArtifactVersion) else Later.of(found, self)

    def list_artifact_versions(self, artifact: Any = None, **said: Any) -> Any:  # type: ignore[override]
        """Artifact versions, by name and number."""
        name = said.pop("artifact_id", None) if artifact is None else artifact
        if name is not None:
            said["name"] = str(getattr(name, "name", name))
        said |= {here: said.pop(theirs) for theirs, here in facts.CONDITIONS.items() if said.get(theirs) is not None}
        given = ours(said, super().list_artifact_versions, but=("type",))
        found = map(ArtifactVersionResponse, super().list_artifact_versions(**given))
        rest = {name: value for name, value in said.items() if name not in given}
        return page(found, rest, facts.VERSIONS, "Client().list_artifact_versions")

    def get_artifact(self, name_id_or_prefix: Any, **_: Any) -> ArtifactResponse:
        """An artifact by its name, with its versions. Raises KeyError where there is none."""
        return ArtifactResponse(self.repository, self._artifact(name_id_or_prefix).name)

    def _artifact(self, name_or_id: Any, version: Any = None) -> ArtifactVersion:
        try:
            return find_version(*ids.named(name_or_id, version, self.repository), self.repository)
        except UnknownName as error:
            raise NotFound(str(error)) from None

    def list_artifacts(self, **said: Any) -> Any:
        """Artifacts, by name."""
        names = (each for each in versions.names(self.repository.refs()) if not each.startswith(meant.MODELS))
        return page(map(self.get_artifact, names), said, facts.ARTIFACTS, "Client().list_artifacts")

    def update_artifact(self, name_id_or_prefix: Any, **said: Any) -> Any:
        """Changes the tags of an artifact's newest version; its name stays."""
        return self.update_artifact_version(name_id_or_prefix, **said)

    def update_artifact_version(
        self, name_id_or_prefix: Any, version: str | int | None = None, add_tags: Any = None, remove_tags: Any = None,
        **said: Any,
    ) -> Any:  # fmt: skip
        """Changes the tags of an artifact version."""
        if said.get("new_name") is not None:
            not_here("update_artifact(new_name=…)")
        found = self._artifact(name_id_or_prefix, version)
        _retag(found.name, found.number, add_tags, remove_tags)
        return self.get_artifact_version(found.name, found.number)

    def delete_artifact_version(  # type: ignore[override]
        self, name_id_or_prefix: Any, version: str | int | None = None, delete_metadata: bool = True,
        delete_from_artifact_store: bool = False, **_: Any,
    ) -> None:  # fmt: skip
        """Deletes a version that no run uses. Raises KeyError where there is none, InUse where one is used."""
        found = self._artifact(name_id_or_prefix, version)
        super().delete_artifact_version(found.name, found.number)

    def delete_artifact(self, name_id_or_prefix: Any, **_: Any) -> None:
        """Deletes all versions of an artifact, none of which a run uses. Raises InUse at the first that one uses."""
        name = self._artifact(name_id_or_prefix).name
        for each in super().list_artifact_versions(name):
            super().delete_artifact_version(name, each.number)

    def prune_artifacts(self, only_versions: bool = True, delete_from_artifact_store: bool = False, **_: Any) -> None:
        """Deletes the versions that no run uses."""
        delete.prune(self.repository)

    def get_pipeline_run(self, name_id_or_prefix: str, **_: Any) -> Any:  # type: ignore[override]
        """A run. Raises KeyError where there is none."""
        try:
            return PipelineRunResponse(self.repository, super().get_pipeline_run(str(name_id_or_prefix)))
        except UnknownName as error:
            raise NotFound(str(error)) from None

    def list_pipeline_runs(self, pipeline: str | None = None, **said: Any) -> Any:
        """Runs, newest first."""
        theirs = [said.pop(name, None) for name in ("pipeline_name", "pipeline_id", "limit")]
        said["pipeline"] = pipeline or theirs[0] or theirs[1]
        given = ours({name: each for name, each in said.items() if each is not None}, super().list_pipeline_runs)
        found = super().list_pipeline_runs(**given, limit=theirs[2])
        rest = {name: value for name, value in said.items() if name not in given}
        return page(
            (PipelineRunResponse(self.repository, run) for run in found), rest, facts.RUNS,
            "Client().list_pipeline_runs",
        )  # fmt: skip

    def list_run_steps(self, **said: Any) -> Any:
        """Steps in runs, those of the newest run first."""
        run = said.pop("pipeline_run_id", None)
        found = [self.get_pipeline_run(run)] if run is not None else self.list_pipeline_runs()
        steps = (step for each in found for step in each.steps.values())
        return page(steps, said, facts.STEPS, "Client().list_run_steps")

    def get_run_step(self, step_run_id: str, **_: Any) -> Any:
        """A step in a run, by its id. Raises KeyError where there is none."""
        run, _slash, step = str(step_run_id).partition("/")
        try:
            return self.get_pipeline_run(run).steps[step]
        except KeyError:
            raise NotFound(f"There is no step with the id {step_run_id!r}; `art log` lists runs.") from None

    def get_pipeline(self, name_id_or_prefix: Any, **_: Any) -> PipelineResponse:
        """A pipeline with its runs. Raises KeyError where it has none."""
        return PipelineResponse(native.Client(self._path), str(getattr(name_id_or_prefix, "name", name_id_or_prefix)))

    def list_pipelines(self, **said: Any) -> Any:
        """Pipelines that have run, by name."""
        names = sorted({run.pipeline for run in super().list_pipeline_runs()})
        return page(map(self.get_pipeline, names), said, facts.PIPELINES, "Client().list_pipelines")

    def get_model(self, model_name_or_id: Any, **_: Any) -> ModelResponse:
        """A model with its versions. Raises KeyError where it has none yet: it is there with its first version."""
        name = str(getattr(model_name_or_id, "name", model_name_or_id))
        if not versions.exists(self.repository.refs(), meant.model_name(name)):
            raise NotFound(
                f"There is no model {name!r} yet: it is there with its first version, which a run with Model({name!r}) "
                f"makes, or Client().create_model_version({name!r})."
            )
        return ModelResponse(self.list_model_versions(name))

    def list_models(self, **said: Any) -> Any:
        """Models, by name."""
        stored = versions.names(self.repository.refs(), meant.MODELS)
        found = (self.get_model(name.removeprefix(meant.MODELS)) for name in stored)
        return page(found, said, facts.NAMED, "Client().list_models")

    def get_model_version(  # type: ignore[override]
        self, model_name_or_id: Any = None, model_version_name_or_number_or_id: Any = None, **_: Any
    ) -> Any:
        """A version of a model. Raises KeyError where there is none."""
        version = model_version_name_or_number_or_id
        try:
            if model_name_or_id is None:
                found = self._model_version(version)
            else:
                name = str(getattr(model_name_or_id, "name", model_name_or_id))
                version = None if version is None else ids.model_number(name, str(version), self.repository)
                found = super().get_model_version(name, version)
        except UnknownName as error:
            raise NotFound(str(error)) from None
        # While a pipeline is built ZenML gives what says which model, and that is what can be given to steps.
        return ModelVersionResponse(found) if building.current() is None else Model(found.model, found.version)

    def _model_version(self, id_: Any) -> ModelVersion:
        """The version of a model that has an id."""
        found = ids.find(self.repository.refs(), str(id_))
        if found is None or not found.name.startswith(meant.MODELS):
            raise UnknownName(
                f"There is no version of a model with the id {str(id_)!r}; `art ls` lists those there are."
            )
        return super().get_model_version(found.name.removeprefix(meant.MODELS), found.number)

    def list_model_versions(self, model_name_or_id: Any = None, **said: Any) -> Any:  # type: ignore[override]
        """The versions of a model, oldest first; without one, those of all models."""
        name = model_name_or_id or said.pop("model", None) or said.pop("model_name", None)
        stored = versions.names(self.repository.refs(), meant.MODELS)
        names = (
            [each.removeprefix(meant.MODELS) for each in stored] if name is None else [str(getattr(name, "name", name))]
        )
        try:
            found = [each for one in names for each in super(Client, self).list_model_versions(one)]
        except UnknownName as error:
            raise NotFound(str(error)) from None
        return page(map(ModelVersionResponse, found), said, facts.MODELS, "Client().list_model_versions")

    def update_model_version(
        self, model_name_or_id: str, version_name_or_id: Any, stage: Any = None, force: bool = False,
        description: str | None = None, add_tags: Any = None, remove_tags: Any = None, **said: Any,
    ) -> Any:  # fmt: skip
        """Moves a stage to a version of a model, or changes its description or tags; its name stays."""
        if said.get("name") is not None:
            not_here("update_model_version(name=…)")
        found = self.get_model_version(model_name_or_id, version_name_or_id)
        if stage is not None:
            set_stage(found.found, stage, force=force)
        if description is not None:
            found.log_metadata({"description": description})
        _retag(found.found.name, found.number, add_tags, remove_tags)
        return self.get_model_version(model_name_or_id, found.number)

    def update_model(self, model_name_or_id: Any, add_tags: Any = None, remove_tags: Any = None, **said: Any) -> Any:
        """Changes what a model says of itself, which its newest version holds; its name stays."""
        if said.get("name") is not None:
            not_here("update_model(name=…)")
        newest = self.get_model(model_name_or_id).versions[-1]
        if noted := {name: said[name] for name in NOTED if said.get(name) is not None}:
            newest.log_metadata(noted)
        _retag(newest.found.name, newest.number, add_tags, remove_tags)
        return self.get_model(model_name_or_id)

    def create_model(self, name: str, **_: Any) -> Any:
        """Nothing, where there is none: a model is there with its first version. Raises EntityExistsError."""
        there = False
        with suppress(RepositoryNotFound):  # there is nothing yet
            there = versions.exists(self.repository.refs(), meant.model_name(name))
        if there:
            raise EntityExistsError(f"There is a model {name!r} already; `art log {name}` lists its versions.")
        return SimpleNamespace(name=name, id=name)

    def create_model_version(
        self, model_name_or_id: Any, name: str | None = None, description: str | None = None, tags: Any = None, **_: Any
    ) -> ModelVersionResponse:
        """A new version of a model, to which nothing belongs yet. Raises EntityExistsError where it is there."""
        model = Model(str(getattr(model_name_or_id, "name", model_name_or_id)), name, tags, description=description)
        with context.writing(f"make a version of {model.name}") as (repository, transaction):
            if name is not None and lookup.with_word(transaction, meant.model_name(model.name), name) is not None:
                raise EntityExistsError(
                    f"The model {model.name!r} has a version {name!r} already; give it another name."
                )
            made = new_version(repository, transaction, model, name, context.run_id() or None)
            transaction.publish(tolerant=context.current() is not None)
            return ModelVersionResponse(
                ModelVersion(repository, lookup.find_value(transaction, meant.model_name(model.name), made))
            )

    def delete_model_version(self, model_version_id: Any) -> None:
        """Deletes a version of a model that no run worked on. Raises InUse where one did."""
        found = getattr(model_version_id, "found", None) or self._model_version(model_version_id)
        super().delete_artifact_version(found.name, found.number)

    def delete_model(self, model_name_or_id: Any) -> None:
        """Deletes the versions of a model, none of which a run worked on. Raises InUse at the first that one did."""
        for each in self.get_model(model_name_or_id).versions:
            self.delete_model_version(each)

    def list_model_version_artifact_links(self, model_version_id: Any, **said: Any) -> Any:
        """What belongs to a version of a model."""
        found = ModelVersionResponse(self._model_version(model_version_id)).linked()
        links = (SimpleNamespace(id=each.id, name=each.name, artifact_version=each) for each in found)
        return page(links, said, facts.LINKS, "Client().list_model_version_artifact_links")

    def list_model_version_pipeline_run_links(self, model_version_id: Any, **said: Any) -> Any:
        """The runs that worked on a version of a model."""
        found = ModelVersionResponse(self._model_version(model_version_id)).pipeline_runs.values()
        links = (SimpleNamespace(id=each.id, name=each.name, pipeline_run=each) for each in found)
        return page(links, said, facts.LINKS, "Client().list_model_version_pipeline_run_links")

    def create_tag(self, name: str, **_: Any) -> Any:
        """Nothing: a tag is there as soon as something has it."""
        return SimpleNamespace(name=str(name), id=str(name), color=None, exclusive=False, tagged_count=0)

    def list_tags(self, **said: Any) -> Any:
        """The tags that versions and runs have, by name."""
        refs = self.repository.refs()
        has = Counter(
            tag for found in (versions.every(refs), runs.newest_first(refs)) for each in found for tag in each.tags
        )
        tags = [
            SimpleNamespace(name=name, id=name, color=None, exclusive=False, tagged_count=count)
            for name, count in sorted(has.items())
        ]
        return page(tags, said, facts.TAGS, "Client().list_tags")

    def get_tag(self, tag_name_or_id: Any, **_: Any) -> Any:
        """A tag that something has. Raises KeyError where nothing has it."""
        name = str(tag_name_or_id)
        for each in self.list_tags():
            if each.name == name:
                return each
        raise NotFound(f"Nothing has the tag {name!r}; add_tags([{name!r}], artifact=NAME) gives it to a version.")

    @property
    def active_user(self) -> Any:
        """Who makes changes here, as Git has them."""
        return person(self.repository.author())

    def __getattr__(self, name: str) -> Any:
        if name in _INSTEAD:
            raise NotHere(f"Client().{name} is not here; {_INSTEAD[name]}.")
        return super().__getattr__(name)

    def get_secret(self, name_id_or_prefix: str, **_: Any) -> Secret:
        """A secret, whose values are environment variables: `get_secret("db").secret_values["url"]` is `DB_URL`."""
        return Secret(str(name_id_or_prefix))

    @property
    def active_stack(self) -> Any:
        """A stack with a place for files, and nothing else."""
        return Stack(super().active_stack.artifact_store.path)

    active_stack_model = active_stack

    def activate_stack(self, stack_name_id_or_prefix: str) -> None:
        """Nothing: there are no stacks to choose from."""
        ignored(f"Client().activate_stack({stack_name_id_or_prefix!r})")

    @property
    def active_project(self) -> Any:
        """The one project that there is."""
        name = self.repository.project.name
        return SimpleNamespace(name=name, id=name, display_name=name)

    active_workspace = active_project

    @staticmethod
    def is_inside_repository(file_path: str) -> bool:
        """Whether a file lies in the project."""
        return Path(file_path).absolute().is_relative_to(native.Client().repository.project)

    @property
    def root(self) -> Any:
        """The project's folder."""
        return self.repository.project


_INSTEAD = {
    "update_tag": "a tag is its name; add_tags([…], artifact=NAME) gives it",
    "delete_tag": "a tag goes with the last that has it; remove_tags([…], artifact=NAME) takes it",
    "attach_tag": "add_tags([…], artifact=NAME) gives it",
    "detach_tag": "remove_tags([…], artifact=NAME) takes it",
    "delete_pipeline": "a pipeline is there as long as its runs; `art rm RUN` deletes a run",
    "create_run_metadata": "log_metadata({…}, run_id_name_or_prefix=RUN) notes facts",
}
"""What ZenML's Client has besides → what there is here instead."""


class Later(LazyArtifact):
    """An artifact version that a step takes, looked up when the run starts; what is noted with it is told now."""

    @classmethod
    def of(cls, found: LazyArtifact, client: Client) -> Later:
        """The same, asked for at a client."""
        made = cls(found.name, found.version, found.rev)
        made._client = client
        return made

    _client: Client

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted with it. Raises KeyError where there is no such version yet."""
        return ArtifactVersionResponse(self._client._artifact(self.name, self.version)).run_metadata


def _retag(name: str, version: str | int | None, added: Any, removed: Any) -> None:
    if added:
        add_tags(*tag_names(added), artifact=name, version=version)
    if removed:
        remove_tags(*tag_names(removed), artifact=name, version=version)


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
