"""What a pipeline or step says about the model that it works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from ..errors import DefinitionError
from .artifact_config import ArtifactConfig
from .naming import check_name, check_name_template


class ModelStages(StrEnum):
    """The usual stages of a version. Any other name can be a stage too."""

    NONE = "none"
    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"
    LATEST = "latest"


USUAL_STAGES = frozenset(each.value for each in ModelStages)


@dataclass(frozen=True)
class Model:
    """A name under which versions of a model are kept: each with the artifacts, measures and runs that belong to it.

    Given to a `@pipeline` or `@step`, all that its steps make belongs to one version of the model.

    Attributes:
        name: The model's name.
        version: Which version. None for a new one in each run that executes something; a number, an explicit version,
            a stage or `latest` for one that there is; any other text for a new one that is called so. It may hold
            placeholders such as `{date}`.
        tags: Labels of a new version.
        metadata: What to note with a new version.

    Raises:
        DefinitionError: A field has the wrong type.
        InvalidName: The name, the version or a tag breaks the rules of names.
    """

    name: str
    version: str | int | None = None
    tags: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise DefinitionError(f"Model(name={self.name!r}) is not possible; name must be text.")
        check_name(self.name, "model name")
        if isinstance(self.version, Enum):
            object.__setattr__(self, "version", str(self.version.value))
        if isinstance(self.version, str):
            check_name_template(self.version, "model version")
        # The same rules as for what is said about an output.
        said = ArtifactConfig(
            version=None if isinstance(self.version, str) else self.version, tags=self.tags,
            run_metadata=self.metadata or None,
        )  # fmt: skip
        object.__setattr__(self, "tags", said.tags)
        object.__setattr__(self, "metadata", dict(said.run_metadata or {}))

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.settings_card(self)
