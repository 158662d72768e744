"""Bringing what somebody wants to read and is not here from wherever it can be had.

The repositories elsewhere that have promised it are asked first; one that was fetched from before it was told of may
have it, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ...errors import ArtError, DamagedError, RemoteError, RepositoryNotFound, UnknownName
from ...maps import ref_names
from ...maps.refs import RefMap
from ...objects.kinds import Artifact
from ...objects.oid import Oid
from ...repository import Repository
from ...worktree import trees
from .. import config
from ..config import Configured
from ..places import opening
from ..places.traffic import Traffic
from ..remote import Remote
from .data import fetch_data
from .waiting import only_here

watcher: ContextVar[Callable[[str, Traffic], AbstractContextManager[object]]] = ContextVar("artvcs_supply_watcher")
"""Told what comes from where while it comes, for whoever shows that."""

_known: WeakKeyDictionary[Repository, dict[Configured, Remote]] = WeakKeyDictionary()


def connect(near: Repository, configured: Configured) -> Remote:
    """The repository elsewhere that is configured; one that this process knows is used again.

    Raises:
        RemoteRefused: Its address and the environment do not say enough.
    """
    known = _known.setdefault(near, {})
    if configured not in known:
        files = opening.opened(configured.address)
        known[configured] = Remote(configured.name, str(configured.address), files, near)
    return known[configured]


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
    brought, refs = set(missing), near.refs()
    problem: ArtError | None = None
    promises, remotes = near.promises(), config.read(near).remotes
    for oid in missing:
        if refs.get(ref_names.pruned(oid)) is not None and not promises.by(oid):
            raise UnknownName(f"The data of artifact {oid[:12]} was pruned; run its pipeline again to make it anew.")
    for name in sorted(remotes, key=lambda name: name != config.DEFAULT):
        promised = {oid for oid in missing if name in promises.by(oid)}
        try:
            _bring_from(near, remotes[name], promised)
            missing -= promised
        except (RemoteError, UnknownName, DamagedError) as error:
            problem = problem or error  # another may have it
    for configured, oid in itertools.product(remotes.values(), tuple(missing)):
        if oid in missing and configured.name not in promises.by(oid):
            with suppress(RemoteError, UnknownName, RepositoryNotFound):
                _bring_from(near, configured, {oid})
                missing.discard(oid)
    for oid in missing:
        raise problem or UnknownName(
            f"The data of artifact {oid[:12]} is neither here nor at any remote that is known; run its pipeline again "
            "to make it anew, or ask who made it to push it."
        )
    return brought


def absent(near: Repository) -> list[Oid]:
    """The artifacts of all versions whose data is not here and was not given up."""
    refs = near.refs()
    artifacts = dict.fromkeys(Oid(ref.split("/")[1]) for ref, _ in refs.items(ref_names.VALUES))
    return [oid for oid in artifacts if refs.get(ref_names.pruned(oid)) is None and not is_here(near, oid)]


@dataclass(frozen=True)
class Standing:
    """How what is here stands to what is elsewhere, as far as is known without asking.

    Attributes:
        runs: How many runs are only here, or changed here since.
        versions: How many versions are.
        behind: How many changes there were seen and not fetched.
        fetched: When it was last looked at, in milliseconds since 1970; None where it never was.
    """

    runs: int
    versions: int
    behind: int
    fetched: int | None


def standing(near: Repository, refs: RefMap, configured: Configured) -> Standing:
    """Compares the refs here with those of a repository elsewhere as they were brought together last."""
    remote = connect(near, configured)
    seq, root = remote.merged
    if remote.looked is None:
        return Standing(0, 0, 0, None)
    try:
        fresh = [ref for ref, _ in only_here(near, refs.diff(refs.at(root)))]
    except DamagedError:  # what it was compared with is lost: the next fetch brings it again
        fresh = [ref for ref, _ in refs.items()]
    runs = sum(ref.startswith(ref_names.RUNS) for ref in fresh)
    versions = sum(ref.startswith(ref_names.ARTIFACTS) for ref in fresh)
    return Standing(runs, versions, max(0, remote.seen - seq), remote.looked)


def is_here(near: Repository, artifact: Oid) -> bool:
    """Whether the data of an artifact is here."""
    return trees.is_stored(near.store, near.store.record(artifact, Artifact).payload)


def _bring_from(near: Repository, configured: Configured, artifacts: set[Oid]) -> None:
    if not artifacts:
        return
    remote = connect(near, configured)
    with watched(f"data from {configured.name}", remote):
        fetch_data(near, remote, artifacts)


def watched(doing: str, remote: Remote) -> AbstractContextManager[object]:
    """While the block runs, whoever watches is shown what comes and goes; `doing` says what is being done."""
    told = watcher.get(None)
    return nullcontext() if told is None else told(doing, remote.traffic)
