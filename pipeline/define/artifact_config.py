"""What a step's author says about an output besides its type: name, version, tags and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import DefinitionError, ParameterError
from .naming import check_name, check_name_template


@dataclass(frozen=True)
class ArtifactConfig:
    """Stands in an annotation: `-> Annotated[DataFrame, ArtifactConfig(name="train", tags=["small"])]`.

    Attributes:
        name: The artifact's name; may hold placeholders such as `{date}`. None for the default name.
        version: An explicit version. None for the next number.
        tags: Labels of the new version, each once, in the order given.
        run_metadata: What to note with the new version; plain values under text keys.

    Raises:
        DefinitionError: A field has the wrong type or a value that cannot be used.
        InvalidName: The name, the version or a tag breaks the rules of names.
    """

    name: str | None = None
    version: str | int | None = None
    tags: Sequence[str] = ()
    # Not hashed: a mapping has no hash, and `Optional[Annotated[T, config]]` needs one.
    run_metadata: Mapping[str, Any] | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        if self.name is not None:
            _require(isinstance(self.name, str), "name", "text", self.name)
            check_name_template(self.name)
        _check_version(self.version)
        object.__setattr__(self, "tags", _checked_tags(self.tags))
        object.__setattr__(self, "run_metadata", _checked_metadata(self.run_metadata))

    @property
    def is_about_version(self) -> bool:
        """Whether it says anything of a version that there may be already."""
        return bool(self.tags or self.run_metadata or self.version is not None)

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.settings_card(self)


def _require(condition: bool, attribute: str, wanted: str, value: object) -> None:
    if not condition:
        raise DefinitionError(f"ArtifactConfig({attribute}={value!r}) is not possible; {attribute} must be {wanted}.")


def _check_version(version: object) -> None:
    if version is None:
        return
    _require(isinstance(version, (str, int)) and not isinstance(version, bool), "version", "text or int", version)
    if isinstance(version, int):
        _require(version > 0, "version", "1 or more", version)
    else:
        check_name(str(version), "artifact version")


def _checked_tags(tags: Any) -> tuple[str, ...]:
    # One string is a sequence of strings too, and tags="new" would become three tags.
    _require(isinstance(tags, Sequence) and not isinstance(tags, (str, bytes)), "tags", "a list of texts", tags)
    for tag in tags:
        _require(isinstance(tag, str), "tags", "a list of texts", tags)
        check_name(tag, "tag")
    return tuple(dict.fromkeys(tags))


def _checked_metadata(metadata: Any) -> dict[str, Any] | None:
    if metadata is None:
        return None
    _require(isinstance(metadata, Mapping), "run_metadata", "a dict with text keys", metadata)
    _require(all(isinstance(key, str) for key in metadata), "run_metadata", "a dict with text keys", metadata)
    from ..typing.encode import to_plain  # not needed by the many configs without metadata

    for key, value in metadata.items():
        try:
            to_plain(value, f"the metadata {key!r}")
        except ParameterError:
            raise DefinitionError(
                f"ArtifactConfig(run_metadata=...) has a {type(value).__name__} under {key!r}, which cannot "
                "be noted as metadata; give plain values such as numbers, text, lists and dicts."
            ) from None
    return dict(metadata)
