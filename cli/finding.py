"""What people mean by a word: an artifact version, a run, or an object by the start of its id."""

from __future__ import annotations

import difflib

from artvcs.pipelines import lookup
from artvcs.pipelines.views import ArtifactVersion, PipelineRun
from artvcs.vcs import names
from artvcs.vcs.errors import UnknownName
from artvcs.vcs.objects import Commit, Version
from artvcs.vcs.oid import Oid
from artvcs.vcs.pack import Location
from artvcs.vcs.repository import Repository

Found = ArtifactVersion | PipelineRun | Location


def find(repository: Repository, text: str) -> Found:
    """What a word stands for: first artifact names, then runs, then ids.

    Raises:
        UnknownName: Nothing; with what it may have been meant to be.
        AmbiguousName: More than one thing.
    """
    store, refs = repository.store, repository.refs()
    name = text.partition("@")[0]
    if lookup.versions_of(store, refs, name):
        return ArtifactVersion(repository, lookup.find_spec(store, refs, text, repository.project))
    try:
        return PipelineRun(repository, lookup.find_run(store, refs, text))
    except UnknownName:
        pass
    if len(text) >= lookup.MIN_PREFIX and "@" not in text:
        try:
            return _with_names(repository, store.expand(text))
        except UnknownName:
            pass
    raise UnknownName(
        f"There is no artifact, run or object {text!r}{_perhaps(repository, name)}; `art ls` and `art log` list them."
    )


def version(repository: Repository, spec: str) -> ArtifactVersion:
    """The artifact version that `NAME[@VERSION]` or the start of an artifact's id stands for.

    Raises:
        UnknownName: There is none.
        AmbiguousName: There are several.
    """
    store, refs = repository.store, repository.refs()
    try:
        return ArtifactVersion(repository, lookup.find_spec(store, refs, spec, repository.project))
    except UnknownName as error:
        hint = _perhaps(repository, spec.partition("@")[0])
        raise UnknownName(str(error).replace(";", f"{hint};", 1)) from None


def _with_names(repository: Repository, at: Location) -> Found:
    """An artifact that has a version is shown as that version."""
    if at.kind == "artifact":
        for found in lookup.all_versions(repository.store, repository.refs()):
            if found.artifact == at.oid:
                return ArtifactVersion(repository, found)
    if at.kind == "version":
        return ArtifactVersion(repository, repository.store.record(at.oid, Version))
    return at


def _perhaps(repository: Repository, text: str) -> str:
    known = {names.artifact_name(ref) for ref, _ in repository.refs().items(names.ARTIFACTS)}
    close = difflib.get_close_matches(text, sorted(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def commit_of(repository: Repository, oid: Oid) -> Commit:
    """A commit's record."""
    return repository.store.record(oid, Commit)
