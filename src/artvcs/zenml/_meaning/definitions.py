"""What ZenML's pipelines say about outputs and models, in the words that ZenML has for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from artvcs.pipelines.define import artifact_config, building, model
from artvcs.pipelines.define.handles import ExternalArtifact as OneValue
from artvcs.pipelines.define.handles import LazyArtifact, ModelArtifact
from artvcs.pipelines.define.signature import MISSING
from artvcs.pipelines.errors import DefinitionError
from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.views import ArtifactVersion

from .._names.absent import ignored
from .responses import ModelVersionResponse, find_model

_NOTED = ("license", "description", "audience", "use_cases", "limitations", "trade_offs", "ethics")

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


class ArtifactConfig(artifact_config.ArtifactConfig):
    """What a step says about an output; see `artvcs.ArtifactConfig`.

    What kind of artifact ZenML takes it for (`artifact_type` and the like) is known here from the value's type.
    """

    def __init__(
        self, name: str | None = None, version: str | int | None = None, tags: Iterable[str | Tag] | None = None,
        run_metadata: Mapping[str, Any] | None = None, artifact_type: Any = None, **kinds: Any,
    ) -> None:  # fmt: skip
        _only(kinds, _PASSED_OVER_OUTPUT, "ArtifactConfig")
        super().__init__(name, version, tag_names(tags), run_metadata)

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
        return LazyArtifact(str(id or name), version)

    def __init__(self, value: Any = None, name: str | None = None, **_: Any) -> None:
        super().__init__(value, name)


class Model(model.Model):
    """A model as ZenML's pipelines name it; what it says of itself is noted with each new version."""

    def __init__(
        self, name: str, version: str | int | None = None, tags: Iterable[str | Tag] | None = None, **said: Any
    ) -> None:
        noted = {key: said.pop(key) for key in _NOTED if said.get(key) is not None}
        _only(said, (*_PASSED_OVER_MODEL, *_NOTED), "Model")
        super().__init__(name, version, tag_names(tags), noted)

    __hash__ = model.Model.__hash__

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
        if building.current() is not None:
            return ModelArtifact(name, version)
        return self._found().get_artifact(name, version)

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
        """What is noted of the version."""
        return self._found().run_metadata

    @property
    def number(self) -> int:
        """The number of the version."""
        return self._found().number

    @property
    def id(self) -> str:
        """The version's id."""
        return self._found().id

    def _found(self) -> ModelVersionResponse:
        return find_model(self.name, self.version)


__all__ = ["ArtifactConfig", "ArtifactVersion", "ExternalArtifact", "Model", "ModelVersion", "Tag", "tag_names"]
