"""Vouches: somebody has signed that commits and artifacts are of his making, and on which branch he pushed them.

A vouch is a blob, and a ref for each object leads to it, so that it goes wherever its objects go. Whoever pushes
vouches for what was made on his machine alone: what he has from others stays theirs. Described in
docs/format/sharing.md.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import git
from ..changes.publish import now_ms
from ..errors import DamagedError, SignatureError, UnknownName
from ..maps import ref_names
from ..maps.refs import Refs
from ..maps.steps import opened
from ..objects import canonical
from ..objects.kinds import Run
from ..objects.oid import Oid, hash_bytes, is_oid
from ..repository import Repository
from ..storage.store import ObjectStore
from . import proofs
from .signatures import SigningKey

BRANCH_VARIABLE = "ARTVCS_BRANCH"
"""The environment variable that says on which branch this is, whatever Git and the job's own variables say."""

_MOST = 10_000
"""So many objects one vouch is for, at most: reading it must not cost much."""
_LARGEST = _MOST * 80 + (64 << 10)
"""Bytes of a vouch."""
_LONGEST = 255
"""Letters of a branch's name."""
_OF_A_BRANCH = ("push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group")
"""What starts a job at GitHub that those who may write to the branch have started. Source: its documentation, "Events
that trigger workflows"."""


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
                short = isinstance(branch, str | None) and len(branch or "") <= _LONGEST and len(made) <= _MOST
                sound = short and all(isinstance(oid, str) and is_oid(oid) for oid in made)
                found = cls(tuple(map(Oid, made)), branch, moment, signature) if sound else None
                if found is not None and found.encode() == data:  # else there is more in it
                    return found
        raise DamagedError("It is no vouch.")

    def _statement(self) -> Mapping[str, Any]:
        return {"branch": self.branch, "made": list(self.made), "moment": self.moment}


def vouch(repository: Repository, key: SigningKey, refs: Mapping[str, Oid]) -> tuple[int, str]:
    """Signs for what refs that are pushed show, and what their runs have used, as far as it was made here.

    What was signed with this key on this branch before is not signed again.

    Returns:
        For how many objects, and the last signature.

    Raises:
        SignatureError: It cannot be signed.
        UnusableSecret: Nobody knows what was made here.
    """
    branch, moment = branch_of(repository), now_ms()
    made = proofs.made_here(repository.layout, _shown(repository, refs))
    marks = {_mark(oid, key, branch): oid for oid in made}
    fresh = sorted(marks[mark] for mark in marks.keys() - proofs.made_here(repository.layout, marks))
    signature = ""
    if not fresh:
        return 0, signature
    with repository.transaction("vouch") as transaction:
        for start in range(0, len(fresh), _MOST):
            said = Vouch(tuple(fresh[start : start + _MOST]), branch, moment)
            signature = key.sign(said.signed)
            oid = transaction.put_blob(replace(said, signature=signature).encode())
            for each in said.made:
                transaction.set_ref(ref_names.vouch(each, oid), oid)
    proofs.note_made(repository.layout, *(_mark(oid, key, branch) for oid in fresh))
    return len(fresh), signature


def _shown(repository: Repository, refs: Mapping[str, Oid]) -> set[Oid]:
    """The commits and artifacts that refs show, and their runs."""
    shown = set[Oid]()
    for ref, oid in refs.items():
        if ref.startswith(ref_names.CACHE):
            shown.add(oid)
        elif ref.startswith(ref_names.VALUES) and is_oid(artifact := ref.split("/")[1]):
            shown.add(Oid(artifact))
        elif ref.startswith(ref_names.RUNS):
            steps = opened(repository.store, repository.store.record(oid, Run)).steps.values()
            shown.update(step.commit for step in steps if step.commit is not None)
            shown.update(output.artifact for step in steps for output in step.outputs.values())
    return shown


def _mark(oid: Oid, key: SigningKey, branch: str | None) -> Oid:
    """Stands for an object that was signed with a key on a branch, among what was made here.

    A key tells nothing of itself so: of its hash only another is kept, under the user's secret.
    """
    return hash_bytes(canonical.dumps([oid, key.key, branch]), "vouched")


def of(
    refs: Refs, store: ObjectStore, oid: Oid, known: Container[Oid] = frozenset()
) -> Iterator[tuple[Oid, Vouch | None]]:
    """The vouches for an object by their ids, but those that are known; nobody has checked who signed them.

    What can be read and says nothing is None.
    """
    for ref, each in refs.items(ref_names.vouches(oid)):
        if each not in known and ref == ref_names.vouch(oid, each):
            yield each, _read(store, each)


def _read(store: ObjectStore, oid: Oid) -> Vouch | None:
    try:
        at = store.location(oid)
        return Vouch.decode(store.read(oid, "blob")) if at.kind == "blob" and at.size <= _LARGEST else None
    except (DamagedError, UnknownName):
        return None


def branch_of(repository: Repository) -> str | None:
    """The branch that a project is on: as the environment says, or the service that runs this job, or else Git.

    What is no branch, as a tag or a pull request, has a name from `refs/` on, which no branch can be mistaken for.

    Raises:
        SignatureError: It is no name.
    """
    found = _told_branch() or git.branch(repository.project)
    if found is not None and (len(found) > _LONGEST or not found.isprintable()):
        raise SignatureError(f"{found[:80]!r} cannot be the name of a branch; correct {BRANCH_VARIABLE}.")
    return found


def _told_branch() -> str | None:
    told = os.environ
    if given := told.get(BRANCH_VARIABLE):
        return given
    if told.get("GITHUB_ACTIONS") and (ref := told.get("GITHUB_REF")):
        # Others can start a job on the main branch, by a pull request or a comment. `GITHUB_HEAD_REF` is what the
        # author of one has called his branch.
        event, branch = told.get("GITHUB_EVENT_NAME", "push"), ref.removeprefix("refs/heads/")
        return branch if event in _OF_A_BRANCH or branch == ref else f"refs/events/{event}/{branch}"
    if told.get("GITLAB_CI") and (ref := told.get("CI_COMMIT_REF_NAME")):
        if request := told.get("CI_MERGE_REQUEST_IID"):
            return f"refs/merge-requests/{request}/head"
        return f"refs/tags/{ref}" if told.get("CI_COMMIT_TAG") else ref
    return None
