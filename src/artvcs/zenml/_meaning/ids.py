"""Ids of versions as ZenML has them: each leads back to its version, though an artifact's id here is that of a value.

Saved under two names, the number 33 is one artifact, and two versions. So a version's id is made of the artifact's
and the name: it begins as the artifact's does, by which it is found.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from artvcs.pipelines.history.finding import meant
from artvcs.pipelines.run.execution import context
from artvcs.vcs import Refs, Repository, Version, hash_bytes, versions

_FROM_ARTIFACT = 12
"""So many digits are those of the artifact's id; there stands the UUID's version after them."""


class OfModel:
    """What ZenML calls id and name of a version of a model besides."""

    id: Any
    name: Any

    @property
    def model_version_id(self) -> UUID:
        """The version's id."""
        return UUID(str(self.id))

    @property
    def model_id(self) -> str:
        """The model's name."""
        return str(self.name)


def of(version: Version) -> UUID:
    """The id of a version: a UUID of the kind whose digits mean what its maker says (RFC 9562, version 8)."""
    digits = hash_bytes(f"{version.artifact} {version.name}".encode(), "answer")
    return UUID(f"{version.artifact[:_FROM_ARTIFACT]}8{digits[:3]}8{digits[3:18]}")


def find(refs: Refs, id_: UUID | str) -> Version | None:
    """The version that has this id."""
    try:
        wanted = UUID(str(id_))
    except ValueError:
        return None
    found = versions.with_value_like(refs, wanted.hex[:_FROM_ARTIFACT])
    return next((version for version in found if of(version) == wanted), None)


def named(name_or_id: Any, version: Any = None, repository: Repository | None = None) -> tuple[str, Any]:
    """The name and number of the version whose id is given; else what is given, as our own lookups take it.

    Args:
        name_or_id: A name, or an id of a version; an artifact's id stays as it is.
        version: Which version is asked for.
        repository: Where to look; by default where the running step is, or the working directory.
    """
    text = str(name_or_id)
    if is_id(text) and (found := find(_refs(repository), text)) is not None:
        return found.name, found.number
    return text, version


def model_number(model: str, id_: str, repository: Repository | None = None) -> str:
    """The number of the version of a model whose id is given; else what is given."""
    found = find(_refs(repository), id_) if is_id(id_) else None
    return str(found.number) if found is not None and found.name == meant.model_name(model) else id_


def is_id(text: str) -> bool:
    """Whether something is spelt as the id of a version is."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _refs(repository: Repository | None) -> Refs:
    here = context.current()
    if here is not None and repository in (None, here.repository):
        return here.draft
    return (repository or Repository.discover()).refs()
