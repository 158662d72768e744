"""Vouches: somebody has signed that commits and artifacts are of his making, and on which branch he pushed them.

A vouch is a blob, and a ref for each object leads to it, so that it goes wherever its objects go. Whoever pushes
vouches for what was made on his machine alone: what he has from others stays theirs. Described in
docs/format/sharing.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from .. import git
from ..changes.publish import now_ms
from ..errors import DamagedError, UnknownName, UnusableSecret
from ..maps import ref_names
from ..maps.refs import Refs
from ..objects import canonical
from ..objects.limits import MAX_TEXT
from ..objects.oid import Oid, is_oid
from ..repository import Repository
from ..storage.store import ObjectStore
from . import proofs
from .signatures import SigningKey

BRANCH_VARIABLE = "ARTVCS_BRANCH"
"""The environment variable that says on which branch this is, where neither Git nor the job's own variables do."""

_MOST = 10_000
"""So many objects one vouch is for, at most: reading it must not cost much."""
_LARGEST = _MOST * 80 + (MAX_TEXT << 2)
"""Bytes of a vouch."""
_LOOKED_AT = 100
"""So many vouches for one object are looked at, at most."""


@dataclass(frozen=True)
class Vouch:
    """What somebody has signed.

    Attributes:
        made: What is of his making.
        branch: The branch on which it was pushed, as he says; None where there was none.
        moment: When, as he says, in milliseconds since 1970 UTC.
        signature: His signature, of `signed`.
    """

    made: tuple[Oid, ...]
    branch: str | None
    moment: int
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """What is signed."""
        return canonical.dumps(self._statement())

    def encode(self) -> bytes:
        """The vouch as a blob."""
        return canonical.dumps({"signature": self.signature, "statement": self._statement()})

    @classmethod
    def decode(cls, data: bytes) -> Vouch:
        """The vouch in a blob.

        Raises:
            DamagedError: There is none.
        """
        match canonical.loads(data):
            case {"signature": str(signature), "statement": {"branch": branch, "made": [*made], "moment": int(moment)}}:
                sound = isinstance(branch, str | None) and all(isinstance(oid, str) and is_oid(oid) for oid in made)
                found = cls(tuple(map(Oid, made)), branch, moment, signature) if sound else None
                if found is not None and found.encode() == data:  # else there is more in it
                    return found
        raise DamagedError("It is no vouch.")

    def _statement(self) -> Mapping[str, Any]:
        return {"branch": self.branch, "made": list(self.made), "moment": self.moment}


def vouch(repository: Repository, key: SigningKey, refs: Mapping[str, Oid]) -> int:
    """Signs for what refs that are pushed show and was made here; returns for how many objects that is.

    Raises:
        SignatureError: It cannot be signed.
    """
    shown, vouched = set[Oid](), set[Oid]()
    for ref, oid in refs.items():
        if ref.startswith(ref_names.CACHE):
            shown.add(oid)
        elif ref.startswith(ref_names.VALUES):
            shown.add(Oid(ref.split("/")[1]))
        elif ref.startswith(ref_names.VOUCHED):
            vouched.add(Oid(ref.split("/")[1]))  # before a push that failed
    try:
        fresh = sorted(proofs.made_here(repository.layout, shown - vouched))
    except UnusableSecret:
        return 0  # then nothing is known to have been made here
    if not fresh:
        return 0
    branch, moment = branch_of(repository), now_ms()
    with repository.transaction("vouch") as transaction:
        for start in range(0, len(fresh), _MOST):
            said = Vouch(tuple(fresh[start : start + _MOST]), branch, moment)
            oid = transaction.put_blob(replace(said, signature=key.sign(said.signed)).encode())
            for each in said.made:
                transaction.set_ref(ref_names.vouch(each, oid), oid)
    return len(fresh)


def of(refs: Refs, store: ObjectStore, oid: Oid) -> Iterator[tuple[Oid, Vouch]]:
    """The vouches for an object that can be read, by their ids; nobody has checked who signed them."""
    for _, each in islice(refs.items(ref_names.vouches(oid)), _LOOKED_AT):
        try:
            if store.location(each).size <= _LARGEST:
                found = Vouch.decode(store.read(each, "blob"))
                if oid in found.made:
                    yield each, found
        except (DamagedError, UnknownName):
            continue  # nothing that says anything


def branch_of(repository: Repository) -> str | None:
    """The branch that a project is on: as the environment says, or the service that runs this job, or else Git.

    What is no branch, as a tag or a pull request, has a name that no branch can be mistaken for.
    """
    told = os.environ
    if given := told.get(BRANCH_VARIABLE):
        return given
    if told.get("GITHUB_ACTIONS") and (ref := told.get("GITHUB_REF")):
        return ref.removeprefix("refs/heads/")  # `GITHUB_HEAD_REF` is what its author has called it
    if told.get("GITLAB_CI") and (ref := told.get("CI_COMMIT_REF_NAME")):
        if request := told.get("CI_MERGE_REQUEST_IID"):
            return f"refs/merge-requests/{request}/head"
        return f"refs/tags/{ref}" if told.get("CI_COMMIT_TAG") else ref
    return git.branch(repository.project)
