"""Moving the stages of a name: which version is `production` from now on, with who says so and why."""

from __future__ import annotations

import re
from typing import Any

from artvcs.vcs import (
    Draft,
    InvalidName,
    Oid,
    Promote,
    Promotion,
    Repository,
    UnknownName,
    now_ms,
    stages,
    versions,
)

from .define import naming
from .errors import perhaps
from .history.finding import lookup, meant
from .history.views import ArtifactVersion
from .run.execution import context

_WORD = re.compile(r"[^\W_][\w.+-]*")
"""What a shell takes as it stands, and nobody takes for more than a word: `~2` leads back, and `:PATH` is a file."""

_NO_STAGES = frozenset((meant.LATEST, "HEAD"))


def promote(
    name: str, stage: str, version: str | int | None = None, reason: str = "", repository: Repository | None = None
) -> ArtifactVersion:
    """Moves a stage of an artifact's or a model's name to a version: `NAME@STAGE` is that version from now on.

    Args:
        name: The artifact's or the model's name.
        stage: Such as `production`.
        version: Its number, explicit version or another stage; by default the newest.
        reason: Why, for whoever reads the history.
        repository: Where; by default that of the running step, or of the working directory.

    Raises:
        InvalidName: No stage can be called so.
        UnknownName: There is no such version.
        AmbiguousName: An artifact and a model are called so; `artifacts/NAME` or `models/NAME` says which is meant.
        Conflict: The stage is spelt as an explicit version of that name.
    """
    _check_stage(stage)
    with context.writing(f"promote {name} to {stage}", repository) as (repository, transaction):
        meant.check_one(transaction, name)
        found = lookup.find_spec(transaction, meant.spec(name, version), repository.project)
        _promote(repository, transaction, found.name, stage, found.artifact, reason)
        return ArtifactVersion(repository, found)


def demote(name: str, stage: str, reason: str = "", repository: Repository | None = None) -> ArtifactVersion:
    """Takes a stage away from the version that is in it, and gives that version.

    Args:
        name: The artifact's or the model's name.
        stage: The stage.
        reason: Why, for whoever reads the history.
        repository: Where; by default that of the running step, or of the working directory.

    Raises:
        UnknownName: There is no such name, or no version of it is in that stage.
        AmbiguousName: As for `promote`.
    """
    with context.writing(f"take {stage} from {name}", repository) as (repository, transaction):
        meant.check_one(transaction, name)
        found = lookup.find_spec(transaction, name, repository.project)
        promoted = stages.version(transaction, found.name, stage)
        if promoted is None:
            known = stages.current(transaction, found.name)
            hint, now = perhaps(stage, known), ", ".join(known) or "none"
            raise UnknownName(f"No version of {found.name!r} is {stage!r}{hint}; its stages are: {now}.")
        _promote(repository, transaction, found.name, stage, None, reason)
        return ArtifactVersion(repository, promoted)


def _promote(
    repository: Repository, transaction: Draft[Any], name: str, stage: str, artifact: Oid | None, reason: str
) -> None:
    here = context.current()
    run, author = here.task.run_id if here else None, repository.author()
    transaction.add(Promote(Promotion(name, stage, artifact, author, now_ms(), reason, run)))


def _check_stage(stage: str) -> None:
    naming.check_name(stage, "stage")
    if not _WORD.fullmatch(stage):
        raise InvalidName(
            f"The stage {stage!r} cannot be typed as in NAME@STAGE; take letters, digits and . _ + - after a letter or "
            "digit."
        )
    if stage in _NO_STAGES or versions.as_number(stage):
        raise InvalidName(f"The stage {stage!r} would be taken for another version; choose another name.")
