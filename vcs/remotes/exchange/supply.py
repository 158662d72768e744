"""Bringing what somebody wants to read and is not here from wherever it can be had.

The repositories elsewhere that have promised it are asked first; one that was fetched from before it was told of may
have it, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from contextlib import suppress

from ...errors import DamagedError, RemoteError, RepositoryNotFound, UnknownName
from ...maps import ref_names
from ...objects.kinds import Artifact
from ...objects.oid import Oid
from ...repository import Repository
from ...worktree import trees
from .. import config
from ..config import Configured
from ..known import connect
from ..places.traffic import watched
from .data import fetch_data

FAILURES = (RemoteError, RepositoryNotFound, UnknownName, DamagedError)
"""Where one repository elsewhere fails so, another may do."""


def bring(near: Repository, artifacts: Iterable[Oid]) -> set[Oid]:
    """Makes sure that the data of artifacts is here; returns those whose data was not.

    Args:
        near: The repository here.
        artifacts: Their ids; their records are here.

    Raises:
        UnknownName: It is nowhere, or was given up on purpose.
        DamagedError: What came is not what was promised.
        RemoteError: Who has it cannot be reached.
    """
    missing = {oid for oid in artifacts if not is_here(near, oid)}
    if not missing:
        return missing
    if near.supplier is not None:
        near.supplier.bring_data(missing)
        return missing
    brought, problem = set(missing), None
    promises, remotes = near.promises(), config.read(near).remotes
    for name in sorted(remotes, key=lambda name: name != config.DEFAULT):
        promised = {oid for oid in missing if name in promises.by(oid)}
        try:
            _bring_from(near, remotes[name], promised)
            missing -= promised
        except FAILURES as error:
            problem = problem or error
    for configured, oid in itertools.product(remotes.values(), tuple(missing)):
        if oid in missing and configured.name not in promises.by(oid):
            with suppress(*FAILURES):
                _bring_from(near, configured, {oid})
                missing.discard(oid)
    for oid in missing:
        raise problem or UnknownName(
            f"The data of artifact {oid[:12]} is neither here nor at any remote that is known; run its pipeline again "
            "to make it anew, or ask who made it to push it."
        )
    return brought


def is_promised(near: Repository, artifact: Oid) -> bool:
    """Whether a repository elsewhere that is configured has promised the data of an artifact."""
    promised = near.promises().by(artifact)
    return bool(promised) and not config.read(near).remotes.keys().isdisjoint(promised)


def absent(near: Repository) -> list[Oid]:
    """The artifacts of all versions whose data is not here and was not given up."""
    refs = near.refs()
    artifacts = dict.fromkeys(Oid(ref.split("/")[1]) for ref, _ in refs.items(ref_names.VALUES))
    return [oid for oid in artifacts if refs.get(ref_names.pruned(oid)) is None and not is_here(near, oid)]


def is_here(near: Repository, artifact: Oid) -> bool:
    """Whether the data of an artifact is here."""
    return trees.is_stored(near.store, near.store.record(artifact, Artifact).payload)


def _bring_from(near: Repository, configured: Configured, artifacts: set[Oid]) -> None:
    if not artifacts:
        return
    remote = connect(near, configured)
    with watched(f"data from {configured.name}", remote.traffic):
        fetch_data(near, remote, artifacts)
