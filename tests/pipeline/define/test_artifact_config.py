from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Annotated, Any, Optional

import pytest

from artvcs.pipelines.define.artifact_config import ArtifactConfig
from artvcs.pipelines.errors import DefinitionError
from artvcs.vcs.errors import InvalidName


def test_everything_may_be_left_out() -> None:
    config = ArtifactConfig()
    assert (config.name, config.version, config.tags, config.run_metadata) == (None, None, (), None)


def test_fields_are_kept() -> None:
    config = ArtifactConfig(name="{kind}_data", version="1.0", tags=["a", "b", "a"], run_metadata={"rows": 3})
    assert config.name == "{kind}_data"
    assert config.version == "1.0"
    assert config.tags == ("a", "b")
    assert config.run_metadata == {"rows": 3}


def test_it_is_frozen_and_does_not_follow_later_changes_of_what_it_was_given() -> None:
    metadata = {"rows": 3}
    config = ArtifactConfig(run_metadata=metadata)
    metadata["rows"] = 4
    assert config.run_metadata == {"rows": 3}
    with pytest.raises(FrozenInstanceError):
        config.name = "x"  # type: ignore[misc]


def test_it_can_stand_inside_a_union() -> None:
    annotated = Annotated[int, ArtifactConfig(name="n", tags=["a"], run_metadata={"x": [1]})]
    assert Optional[annotated] is not None  # noqa: UP045


@pytest.mark.parametrize(
    ("fields", "attribute"),
    [
        ({"name": 3}, "name"),
        ({"name": "{a.b}"}, "plain name"),
        ({"version": True}, "version"),
        ({"version": 0}, "version"),
        ({"version": 1.5}, "version"),
        ({"tags": "abc"}, "tags"),
        ({"tags": [1]}, "tags"),
        ({"tags": None}, "tags"),
        ({"run_metadata": [1]}, "run_metadata"),
        ({"run_metadata": {1: 2}}, "run_metadata"),
    ],
)
def test_wrong_types_are_refused(fields: dict[str, Any], attribute: str) -> None:
    with pytest.raises(DefinitionError, match=attribute):
        ArtifactConfig(**fields)


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "a/b"}, {"version": ""}, {"version": "a@b"}, {"tags": [" "]}]
)
def test_unusable_names_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidName):
        ArtifactConfig(**fields)
