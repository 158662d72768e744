"""Deleting what is not needed any more. What a run uses is never deleted, and a number is never used again.

Deleting takes refs away; `vcs.gc` then frees the space of what nothing refers to.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterator
from dataclasses import dataclass

from artvcs.vcs import (
    ArtError,
    Catalog,
    Damaged,
    DamagedError,
    DeleteRun,
    DeleteVersion,
    Oid,
    Refs,
    Repository,
    Run,
    Transaction,
    Version,
    Wanted,
    damaged,
    ref_names,
    stages,
    versions,
)

from ..errors import InUse
from ..units import count
from . import pins
from .finding import lookup, run_lookup


@dataclass(frozen=True)
class Row:
    """One version that pruning takes, or would take.

    Attributes:
        version: The version.
        reason: Why, in a few words.
        error: What stopped it, if something did.
    """

    version: Version
    reason: str
    error: str | None = None


def delete_version(
    repository: Repository, name: str, version: str | int | None = None, *, dry_run: bool = False
) -> Version:
    """Deletes one version that nothing needs: no run, no stage and no model, and `artifacts.lock` does not pin it.

    Args:
        repository: Where.
        name: The artifact's name.
        version: Its number or explicit version; by default the newest.
        dry_run: Only see whether that can be done.

    Returns:
        What was deleted, or would be.

    Raises:
        InUse: It is needed; nothing was deleted.
        UnknownName: There is no such version.
    """
    with repository.freeing(), repository.transaction(f"delete {name}@{version or 'newest'}") as transaction:
        found = lookup.find_version(transaction, name, version)
        need = transaction.need(found.name, found.artifact)
        if need is None and (path := _pinned(repository).get((found.name, found.artifact))) is not None:
            need = f"is pinned by {pins.FILE_NAME} at {path}; pin another first, or none (`art lock -d {path}`)"
        if need is not None:
            raise InUse(f"{found.name}@{found.number} {need}.")
        if not dry_run:
            _forget(transaction, found)
            _forget_cached(transaction, {found.artifact})
        return found


def delete_run(repository: Repository, text: str, *, dry_run: bool = False) -> Run:
    """Deletes the record of a run. What it made stays until it is pruned.

    Args:
        repository: Where.
        text: Its id, its name, or the start of either; not `HEAD` or a pipeline's, which is another's tomorrow.
        dry_run: Only see whether that can be done.

    Returns:
        What was deleted, or would be.

    Raises:
        InUse: It is still running.
        UnknownName: There is no such run.
        AmbiguousName: There are several.
    """
    with repository.freeing(), repository.transaction(f"delete run {text}") as transaction:
        run = run_lookup.find_run(transaction, text)
        if run.status == "running":
            raise InUse(f"The run {run.name} is still going on; stop it first.")
        if not dry_run:
            transaction.add(DeleteRun(run.run))
        return run


def prune(
    repository: Repository,
    *,
    only_artifact: bool = False,
    only_metadata: bool = False,
    include_manual: bool = False,
    ignore_errors: bool = False,
    dry_run: bool = False,
) -> list[Row]:
    """Deletes the versions that no run uses, that are in no stage, belong to no model and are not pinned here.

    Args:
        repository: Where.
        only_artifact: Give up the data but keep the records: what was it, who made it.
        only_metadata: Give up the records but keep the data, by its id.
        include_manual: Take what was saved or registered by hand too.
        ignore_errors: Go on after a version that cannot be deleted.
        dry_run: Change nothing.

    Returns:
        What was taken, or would be.

    Raises:
        ArtError: A version could not be deleted, or a run cannot be read, and `ignore_errors` is False; nothing was
            deleted then.
        DamagedError: `artifacts.lock` cannot be understood.
    """
    pinned = _pinned(repository)
    if dry_run:
        refs = repository.refs()
        return list(_unused(refs, repository.catalog(refs), pinned, include_manual))
    with repository.freeing(), repository.transaction("prune") as transaction:
        if not ignore_errors and (lost := transaction.catalog.runs.unreadable()):
            unknown = f"What {count(len(lost), 'damaged run')} took or made is unknown, {lost[0][:12]} for one"
            raise DamagedError(f"{unknown}; run `art fsck`, or prune with `--ignore-errors`.")
        rows = [
            _prune_one(transaction, row, only_artifact, only_metadata, ignore_errors)
            for row in list(_unused(transaction, transaction.catalog, pinned, include_manual))
        ]
        if not only_artifact and not only_metadata:
            _forget_cached(transaction, {row.version.artifact for row in rows if row.error is None})
        return rows


def _pinned(repository: Repository) -> dict[tuple[str, Oid], str]:
    """Name and artifact of the versions that the project pins → where."""
    return {(pin.name, pin.id): path for path, pin in pins.read(repository.project).items()}


def _unused(
    refs: Refs, catalog: Catalog, pinned: Container[tuple[str, Oid]], include_manual: bool
) -> Iterator[Row]:  # fmt: skip
    catalog.check()
    promoted = stages.held(refs)
    for ref, oid in catalog.versions.select(Wanted(unused=True)):
        version = damaged.read(refs, ref, oid, Version)
        if isinstance(version, Damaged) or _belongs(refs, version):
            continue
        if (key := (version.name, version.artifact)) in promoted or key in pinned:
            continue
        manual = version.origin in ("saved", "registered")
        if include_manual or not manual:
            yield Row(version, "saved by hand, and no run uses it" if manual else "no run uses it")


def _belongs(refs: Refs, version: Version) -> bool:
    """Whether a version belongs to a version of a model."""
    return next(versions.owners(refs, version.name, version.artifact), None) is not None


def _prune_one(
    transaction: Transaction, row: Row, only_artifact: bool, only_metadata: bool, ignore_errors: bool
) -> Row:
    version = row.version
    try:
        if only_artifact:
            transaction.set_ref(ref_names.pruned(version.artifact), version.artifact)
        else:
            _forget(transaction, version)
            if only_metadata:
                transaction.set_ref(ref_names.kept(version.artifact), version.artifact)
    except ArtError as error:
        if not ignore_errors:
            raise
        return dataclasses.replace(row, error=str(error))
    return row


def _forget(transaction: Transaction, version: Version) -> None:
    expected = transaction.get(ref_names.version(version.name, version.number))
    if expected is not None:
        transaction.add(DeleteVersion(version.name, version.number, expected))


def _forget_cached(transaction: Transaction, artifacts: set[Oid]) -> None:
    """Drops cache entries that would keep the data of deleted artifacts alive."""
    for artifact in artifacts:
        if next(versions.with_value_like(transaction, artifact), None) is None:
            results = {ref: transaction.get(ref) for ref in transaction.catalog.results.that_made(artifact)}
            vouched = {artifact, *filter(None, results.values())}
            vouches = [ref for oid in vouched for ref, _ in transaction.items(ref_names.vouches(oid))]
            for ref in (*results, *vouches):
                transaction.set_ref(ref, None)
