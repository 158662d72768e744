"""What ZenML's pipelines say about outputs and models, in the words that ZenML has for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn
from uuid import UUID

from artvcs.pipelines.define import artifact_config, building, model
from artvcs.pipelines.define.handles import ExternalArtifact as OneValue
from artvcs.pipelines.define.handles import LazyArtifact, ModelArtifact, ModelFact
from artvcs.pipelines.define.signature import MISSING
from artvcs.pipelines.errors import DefinitionError
from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.views import ArtifactVersion

from .._names.absent import NotHere, ignored
from ..enums import ArtifactType
from . import ids
from .responses import NOTED, TYPE, ModelVersionResponse, find_model

_PASSED_OVER_MODEL = ("save_models_to_registry", "suppress_class_validation_warnings", "was_created_in_this_run")
_PASSED_OVER_OUTPUT = ("is_model_artifact", "is_deployment_artifact", "materializer", "model_name", "model_version")


def _only(said: Iterable[str], known: Iterable[str], of: str) -> None:
    """Raises TypeError, as Python does, for an argument that there is not."""
    for name in said:
        if name not in known:
            raise TypeError(f"{of} has no argument {name!r}")


class Tag:
    """A tag by its name; ZenML's colours and exclusive tags are not here (a stage is exclusive)."""

    def __init__(self, name: str, color: Any = None, exclusive: bool = False, cascade: bool = False) -> None:
        self.name, self.color, self.exclusive, self.cascade = name, color, exclusive, cascade
        if exclusive or cascade:
            ignored("Tag(exclusive=…, cascade=…)", "how a tag moves")

    def __str__(self) -> str:
        return self.name


def tag_names(tags: Iterable[str | Tag] | None) -> tuple[str, ...]:
    """The names of tags."""
    if isinstance(tags, (str, Tag)):
        tags = (tags,)
    return tuple(str(tag) for tag in tags or ())


def with_type(noted: Mapping[str, Any] | None, artifact_type: Any) -> Mapping[str, Any] | None:
    """What is noted, with the kind of artifact that somebody says it is, if that says more than that it is data."""
    if artifact_type in (None, ArtifactType.DATA, ArtifactType.BASE):
        return noted
    return {**(noted or {}), TYPE: str(ArtifactType(artifact_type))}


class ArtifactConfig(artifact_config.ArtifactConfig):
    """What a step says about an output; see `artvcs.ArtifactConfig`.

    What kind of artifact it is (`artifact_type` and the like) is known from the value's type; what is said to be a
    model or the like is noted.
    """

    def __init__(
        self, name: str | None = None, version: str | int | None = None, tags: Iterable[str | Tag] | None = None,
        run_metadata: Mapping[str, Any] | None = None, artifact_type: Any = None, **kinds: Any,
    ) -> None:  # fmt: skip
        _only(kinds, _PASSED_OVER_OUTPUT, "ArtifactConfig")
        if kinds.get("is_model_artifact") or kinds.get("is_deployment_artifact"):
            artifact_type = ArtifactType.MODEL if kinds.get("is_model_artifact") else ArtifactType.SERVICE
        super().__init__(name, version, tag_names(tags), with_type(run_metadata, artifact_type))

    __hash__ = artifact_config.ArtifactConfig.__hash__


_PASSED_OVER_EXTERNAL = ("materializer", "store_artifact_metadata", "store_artifact_visualizations")


class ExternalArtifact(OneValue):
    """A value given to a step as an artifact; see `artvcs.ExternalArtifact`.

    One that names an artifact which is there already, by its id or its name, is looked up when the run starts.
    """

    def __new__(
        cls, value: Any = MISSING, id: Any = None, name: str | None = None, version: Any = None,  # noqa: A002
        model: model.Model | None = None, **said: Any,
    ) -> Any:  # fmt: skip
        """Raises DefinitionError for what says neither a value nor an artifact."""
        _only(said, _PASSED_OVER_EXTERNAL, "ExternalArtifact")
        if value is not MISSING and id is None and version is None and model is None:
            return super().__new__(cls)
        if value is not MISSING or (id is None and name is None):
            raise DefinitionError(
                "ExternalArtifact takes a value, or the id of an artifact that is there, or its name; give it one."
            )
        if model is not None:
            return find_model(model.name, model.version).found.get_artifact(str(name), version)
        return LazyArtifact(*ids.named(id or name, version))

    def __init__(self, value: Any = None, name: str | None = None, **_: Any) -> None:
        super().__init__(value, name)


class Model(model.Model, ids.OfModel):
    """A model as ZenML's pipelines name it; what it says of itself is noted with each new version."""

    def __init__(
        self, name: str, version: str | int | None = None, tags: Iterable[str | Tag] | None = None, **said: Any
    ) -> None:
        noted = {key: said.pop(key) for key in NOTED if said.get(key) is not None}
        _only(said, (*_PASSED_OVER_MODEL, *NOTED), "Model")
        super().__init__(name, version, tag_names(tags), noted)

    __hash__ = model.Model.__hash__
    save_models_to_registry = suppress_class_validation_warnings = False

    @classmethod
    def of(cls, found: model.Model | None) -> Model | None:
        """The same model, with what ZenML's can do."""
        if found is None or isinstance(found, cls):
            return found
        made = cls(found.name, found.version, found.tags)
        object.__setattr__(made, "metadata", found.metadata)
        return made

    def get_artifact(self, name: str, version: str | int | None = None) -> Any:
        """An artifact of it: while a pipeline is built, as an input that is looked up when a step begins."""
        return LaterArtifact(name, version) if self._is_built_for() else self._found().get_artifact(name, version)

    get_model_artifact = get_data_artifact = get_deployment_artifact = get_artifact

    def load_artifact(self, name: str, version: str | int | None = None) -> Any:
        """The value of an artifact of it."""
        return self._found().load_artifact(name, version)

    def set_stage(self, stage: str, force: bool = False) -> None:
        """See `ModelVersionResponse.set_stage`."""
        self._found().set_stage(stage, force)

    def log_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Notes facts about the version."""
        self._found().log_metadata(metadata)

    @property
    def run_metadata(self) -> Mapping[str, Any]:
        """What is noted of the version; while a pipeline of it is built, what a step can take, known when it begins."""
        return LaterFacts() if self._is_built_for() else self._found().run_metadata

    @property
    def number(self) -> int:
        """The number of the version."""
        return self._found().number

    @property
    def id(self) -> UUID:
        """The version's id."""
        return self._found().id

    @property
    def stage(self) -> str | None:
        """A stage that the version is in."""
        return self._found().stage

    def delete_artifact(self, name: str, version: str | int | None = None, **_: Any) -> None:
        """Cannot be done: what belongs to a version of a model stays with it. Raises NotHere."""
        raise NotHere(
            f"What belongs to a version of a model is not taken from it; `art rm {name}` deletes what nothing needs."
        )

    def delete_all_artifacts(self, **_: Any) -> None:
        """Cannot be done: see `delete_artifact`."""
        raise NotHere(
            "What belongs to a version of a model is not taken from it; "
            f"`art rm {self.name}@{self.version or 'VERSION'}` deletes the version."
        )

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """What it says, in plain values."""
        said = {"name": self.name, "version": self.version, "tags": list(self.tags)}
        return {**said, **{key: self.metadata.get(key) for key in NOTED}}

    dict = model_dump

    def __getattr__(self, name: str) -> Any:
        if name in NOTED:
            return self.metadata.get(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _is_built_for(self) -> bool:
        """Whether the pipeline that is being built works on this version: then it is known when a step begins."""
        model = None if (built := building.current()) is None else built.options.model
        return model is not None and (model.name, str(model.version)) == (self.name, str(self.version))

    def _found(self) -> ModelVersionResponse:
        return find_model(self.name, self.version)


class LaterArtifact(ModelArtifact):
    """An artifact of the model that a pipeline works on, while that is built: looked up when a step begins."""

    @property
    def run_metadata(self) -> LaterFacts:
        """What will be noted with it."""
        return LaterFacts(self)

    metadata = run_metadata


class LaterFacts(Mapping[str, ModelFact]):
    """What will be noted of a model, or of an artifact of it: by name, what a step can take."""

    def __init__(self, of: ModelArtifact | None = None) -> None:
        self._of = of

    def __getitem__(self, name: str) -> ModelFact:
        return ModelFact(name, self._of)

    def __contains__(self, name: object) -> bool:
        return True  # whether it is noted is seen when the step begins

    def __iter__(self) -> NoReturn:
        raise DefinitionError(
            "What is noted of the model is looked up when a step begins, so it cannot be listed while the pipeline is "
            "being built; do that inside a step."
        )

    __len__ = __iter__


__all__ = ["ArtifactConfig", "ArtifactVersion", "ExternalArtifact", "Model", "ModelVersion", "Tag", "tag_names"]
