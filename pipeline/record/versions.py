"""Giving artifacts their versions: the next number of a name, and what is said about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from artvcs.vcs import AddVersion, Draft, Oid, Refs, Repository, Version, git, now_ms, stages, versions

from ..errors import DefinitionError
from ..history.finding import lookup


def fresh(
    name: str,
    artifact: Oid,
    origin: str,
    *,
    label: str | None = None,
    commit: Oid | None = None,
    output: str | None = None,
    run: str | None = None,
    tags: Iterable[str] = (),
) -> Version:
    """A version that is to be added; see `vcs.objects.kinds.Version`."""
    return Version(
        name=name,
        number=0,
        label=label,
        artifact=artifact,
        commit=commit,
        output=output,
        run=run,
        origin=origin,
        created=now_ms(),
        tags=tuple(dict.fromkeys(tags)),
        metadata={},
    )


def by_hand(repository: Repository, version: Version) -> Version:
    """A version that is to be added, with who stores it and at which Git commit: no execution and no run says so."""
    return dataclasses.replace(version, author=repository.author(), revision=git.head(repository.project))


def add(draft: Draft[Any], version: Version, facts: Mapping[str, Any], noted: Mapping[str, Any]) -> None:
    """Adds a version. Where the value has one already, that one gets the label, the tags and the metadata too.

    Args:
        draft: Where to.
        version: The version; its number is found when it is published.
        facts: What the materializer found out about the value, encoded.
        noted: What was noted about it, encoded.

    Raises:
        Conflict: The label is taken.
    """
    draft.add(AddVersion(dataclasses.replace(version, metadata=dict(noted)), facts))


def check_label(refs: Refs, name: str, label: str, artifact: Oid | None = None) -> None:
    """Refuses an explicit version that is taken.

    Args:
        refs: Where names are looked up.
        name: The artifact's name.
        label: The explicit version.
        artifact: The value that is to get it, when that is known already.

    Raises:
        DefinitionError: Another value has it, a stage is called so, or this value has another one.
    """
    taken = lookup.with_version(refs, name, label)
    if taken is not None and taken.artifact != artifact:
        raise DefinitionError(f"{name!r} has a version {label!r} already; give the new one another version.")
    if stages.version(refs, name, label) is not None:
        raise DefinitionError(f"{name!r} has a stage {label!r}; give the new version another name.")
    same = None if artifact is None else versions.by_value(refs, name, artifact)
    if same is not None and same.label not in (None, label):
        raise DefinitionError(
            f"This value is the version {same.label!r} of {name!r} already; it cannot be {label!r} too."
        )
