"""Giving artifacts their versions: the next number of a name, and what is said about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from artvcs.vcs.changes.transaction import Transaction, now_ms
from artvcs.vcs.objects.kinds import Version
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.storage.store import ObjectStore

from . import lookup
from .errors import DefinitionError


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
    """A version that is to be added; see `vcs.objects.Version`."""
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


def add(transaction: Transaction, version: Version, facts: Mapping[str, Any], noted: Mapping[str, Any]) -> Version:
    """Adds a version. Where the value has one already, that one gets the label, the tags and the metadata too.

    Args:
        transaction: Where to.
        version: The version; its number is found here.
        facts: What the materializer found out about the value, encoded.
        noted: What was noted about it, encoded.
    """
    found = transaction.add_version(dataclasses.replace(version, metadata={**facts, **noted}))
    more = dataclasses.replace(
        found,
        label=found.label or version.label,
        tags=tuple(dict.fromkeys((*found.tags, *version.tags))),
        metadata={**facts, **found.metadata, **noted},
    )
    if more != found:
        transaction.replace_version(more)
    return more


def check_label(store: ObjectStore, refs: lookup.Refs, name: str, label: str, artifact: Oid | None = None) -> None:
    """Refuses an explicit version that is taken.

    Args:
        store: Where versions are read from.
        refs: Where names are looked up.
        name: The artifact's name.
        label: The explicit version.
        artifact: The value that is to get it, when that is known already.

    Raises:
        DefinitionError: Another value has it, or this value has another one.
    """
    for version in lookup.versions_of(store, refs, name):
        same = version.artifact == artifact
        if label in (version.label, str(version.number)) and not same:
            raise DefinitionError(f"{name!r} has a version {label!r} already; give the new one another version.")
        if same and version.label not in (None, label):
            raise DefinitionError(
                f"This value is the version {version.label!r} of {name!r} already; it cannot be {label!r} too."
            )
