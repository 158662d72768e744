"""The stages of artifact names, as the refs tell them: which version is `production` now, and which were before."""

from __future__ import annotations

from collections.abc import Iterator

from ..objects.kinds import Promotion, Version
from ..objects.oid import Oid
from . import ref_names, versions
from .damaged import read, whole
from .refs import Refs


def last(refs: Refs, name: str, stage: str) -> Promotion | None:
    """The last promotion to a stage of a name: that, or none, is the version that it stands for."""
    found = next(refs.items(ref_names.stage(name, stage), reverse=True), None)
    return None if found is None else refs.record(found[1], Promotion)


def version(refs: Refs, name: str, stage: str) -> Version | None:
    """The version that is in a stage; None where none is, or it was deleted here."""
    promotion = last(refs, name, stage)
    if promotion is None or promotion.artifact is None:
        return None
    return versions.by_value(refs, name, promotion.artifact)


def current(refs: Refs, name: str) -> dict[str, Promotion]:
    """The stages of a name that a version is in, in order, each with the promotion to it."""
    promoted = (_last_whole(refs, name, stage) for _, stage in used(refs, name))
    return {each.stage: each for each in promoted if each is not None and each.artifact is not None}


def used(refs: Refs, name: str | None = None) -> Iterator[tuple[str, str]]:
    """Name and stage of all that any version (of a name) is or was in, in order; their promotions are not read."""
    prefix, after = ref_names.STAGES if name is None else ref_names.stages_of(name), ""
    while (found := next(refs.items(prefix, after=after), None)) is not None:
        yield (named := ref_names.stage_of(found[0]))
        after = ref_names.stage(*named) + ref_names.LAST


def _last_whole(refs: Refs, name: str, stage: str) -> Promotion | None:
    """The last promotion to a stage of a name that is not damaged."""
    promotions = refs.items(ref_names.stage(name, stage), reverse=True)
    return next(whole(read(refs, ref, oid, Promotion) for ref, oid in promotions), None)


def held(refs: Refs) -> set[tuple[str, Oid]]:
    """Name and artifact of all that are in a stage."""
    return {(name, artifact) for name, _, artifact in _now(refs)}


def in_stage(refs: Refs, stage: str) -> set[tuple[str, Oid]]:
    """Name and artifact of all that are in this stage."""
    return {(name, artifact) for name, found, artifact in _now(refs) if found == stage}


def _now(refs: Refs) -> Iterator[tuple[str, str, Oid]]:
    """Name, stage and artifact of all that are in a stage."""
    last = {(each.name, each.stage): each.artifact for each in history(refs)}
    return ((*key, artifact) for key, artifact in last.items() if artifact is not None)


def history(refs: Refs, name: str | None = None) -> Iterator[Promotion]:
    """All promotions of a name, or of all names: by stage, oldest first; without those that are damaged."""
    prefix = ref_names.STAGES if name is None else ref_names.stages_of(name)
    return whole(read(refs, ref, oid, Promotion) for ref, oid in refs.items(prefix))
