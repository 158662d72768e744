"""The cache: when is a step the same step? The key is a hash of its code, config and input artifact ids."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artvcs.vcs import (
    ArtError,
    Artifact,
    Oid,
    Repository,
    canonical,
    hash_bytes,
    storage_errors,
    supply,
    values,
    worktree,
)

from ..define.options.policy import CachePolicy
from ..errors import DefinitionError
from ..values.materializers import Materializer

ABSENT = "absent"


@dataclass(frozen=True)
class KeyParts:
    """What a cache key is made of. All are kept in the commit, so that `art why` can say what changed.

    Attributes:
        code: Fingerprint of the step's code.
        params: Parameter name → value, in the encoding of `vcs.values`.
        inputs: Input name → artifact ids; more than one for a list.
        outputs: Output name (as declared, placeholders unfilled) → materializer asked for, or None.
        extras: What the cache policy adds, as JSON data.
    """

    code: Oid
    params: Mapping[str, Any]
    inputs: Mapping[str, Sequence[Oid]]
    outputs: Mapping[str, str | None]
    extras: Mapping[str, Any]

    def key(self) -> Oid:
        """The cache key."""
        parts = {name: getattr(self, name) for name in ("code", "params", "inputs", "outputs", "extras")}
        return hash_bytes(canonical.dumps(parts, checked=True), "cache-key")  # of what was encoded, each by itself


def extras(policy: CachePolicy, environment: Mapping[str, str], inputs: dict[str, Any]) -> dict[str, Any]:
    """What a step's options add to the key, now: content of files, values of variables, versions of packages.

    Args:
        policy: The step's policy.
        environment: The variables that are set while it runs.
        inputs: What `policy.key` is called with.

    Raises:
        DefinitionError: A file is not there, or `policy.key` failed or returned something that is not a plain value.
    """
    found: dict[str, Any] = {}
    if policy.files:
        found["files"] = {os.fspath(path): path_id(Path(path)) for path in policy.files}
    if policy.env or environment:
        # Hashed: a variable may hold a secret, and the commit is shared.
        values_now = {name: os.environ.get(name) for name in policy.env} | dict(environment)
        found["env"] = {name: _env_id(value) for name, value in values_now.items()}
    if policy.packages:
        found["packages"] = {name: _package_version(name) for name in policy.packages}
    if policy.key is not None:
        try:
            found["key"] = values.encode(policy.key(inputs))
        except Exception as error:  # the user's function may raise anything
            raise DefinitionError(
                f"The key of a CachePolicy failed ({type(error).__name__}: {error}); it must return plain values."
            ) from error
    return found


def path_id(path: Path) -> str:
    """The content hash of a file, or of a folder with all below.

    Raises:
        DefinitionError: There is nothing: a misspelt path must not pass for a file that never changes.
    """
    with storage_errors(f"reading {path}"):
        if not path.exists():
            raise DefinitionError(
                f"CachePolicy(files=...) names {str(path)!r}, which is not there; "
                f"relative paths start from {Path.cwd()}."
            )
        if not path.is_dir():
            return worktree.file_id(path)
        below = sorted(child for child in path.rglob("*") if child.is_file())
    listing = {child.relative_to(path).as_posix(): worktree.file_id(child) for child in below}
    return hash_bytes(canonical.dumps(listing), "folder")


def _env_id(value: str | None) -> str:
    return ABSENT if value is None else hash_bytes(os.fsencode(value), "env")


def _package_version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ABSENT


def materializer_names(asked: Mapping[str, type[Materializer]], outputs: Sequence[str]) -> dict[str, str | None]:
    """Output name → the materializer asked for, with its version."""
    return {name: f"{asked[name].NAME}/{asked[name].VERSION}" if name in asked else None for name in outputs}


def available(repository: Repository, artifacts: Iterable[Oid]) -> bool:
    """Whether all data of some artifacts can be had, here or elsewhere: else using them would fail later."""
    store = repository.store
    try:
        return all(
            worktree.is_stored(store, store.record(oid, Artifact).payload) or supply.is_promised(repository, oid)
            for oid in artifacts
        )
    except ArtError:
        return False
