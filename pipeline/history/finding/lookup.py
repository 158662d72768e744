"""Finding versions by what people call them: a name, a number, a label, a stage, a Git revision, the start of an id."""

from __future__ import annotations

import itertools
from pathlib import Path

from artvcs.vcs import (
    AmbiguousName,
    Commit,
    Oid,
    Refs,
    Run,
    UnknownName,
    Version,
    git,
    ref_names,
    runs,
    stages,
    versions,
)

from ...errors import perhaps
from ...units import count
from . import meant

MIN_PREFIX = 4
"""The shortest start of an id that is looked up."""

_SHOWN = 4


def find_version(refs: Refs, name: str, version: str | int | None = None) -> Version:
    """The version of a name: the newest, or the one with this number or label.

    Args:
        refs: Where names are looked up.
        name: An artifact name, or the start of an artifact's id.
        version: A number, a label, or None for the newest.

    Raises:
        UnknownName: There is no such name or version.
        AmbiguousName: The id, or its start, fits more than one artifact, or versions of more than one name.
    """
    if not versions.exists(refs, name):
        return _by_artifact_id(refs, name)
    if version is None and (newest := versions.newest(refs, name)) is not None:
        return newest
    if (wanted := with_version(refs, name, str(version))) is not None:
        return wanted
    last = list(itertools.islice(versions.of(refs, name, reverse=True), _SHOWN + 2))
    known = ", ".join(each.called for each in reversed(last[: _SHOWN + 1]))
    known = f"…, {known}" if len(last) > _SHOWN + 1 else known
    hint = perhaps(str(version), _words(refs, name))
    raise UnknownName(f"{name!r} has no version {version!r}{hint}; it has {known}.")


def with_version(refs: Refs, name: str, version: str) -> Version | None:
    """The version of a name with this label, else the one with this number."""
    labelled = versions.by_label(refs, name, version)
    number = versions.as_number(version)
    return labelled if labelled is not None or number is None else versions.by_number(refs, name, number)


def find_value(refs: Refs, name: str, artifact: Oid) -> Version:
    """The version of a name that has this artifact. Raises UnknownName where there is none."""
    found = versions.by_value(refs, name, artifact)
    if found is None:
        raise UnknownName(f"The version of {name!r} that was meant has been deleted; `art ls {name}` lists the others.")
    return found


def find_version_at(refs: Refs, name: str, revision: git.Named) -> Version:
    """The version that a name stood for at a Git revision.

    What was brought from DVC or Git LFS is what that tool keeps at that revision; anything else the newest version that
    was made there or before.

    Raises:
        UnknownName: There is no such name, or no version was made there.
    """
    from ...keepers import revisions  # only who asks for a revision needs it

    if not versions.exists(refs, name):
        find_version(refs, name)  # says so, or finds what an id stands for
    at = revisions.At(revision)
    for version in versions.of(refs, name, reverse=True):
        if (kept := revisions.kept(version.metadata)) is not None:
            if at.digest(kept) == kept.digest:
                return version
        elif at.missing is None and _was_made_by(refs, version, revision):
            return version
    if at.missing is not None:
        raise UnknownName(
            f"What {at.missing.tool} keeps at {at.missing.path} as of {revision.name} was not brought here; "
            f"`art import {at.missing.tool}` brings what it has."
        )
    if at.absent is not None:
        raise UnknownName(
            f"{at.absent.tool} keeps no {at.absent.path} as of {revision.name}; `art ls {name}` lists what there is."
        )
    raise UnknownName(
        f"No version of {name!r} was made at that Git revision or before it; `art log {name}` lists them."
    )


def _was_made_by(refs: Refs, version: Version, revision: git.Named) -> bool:
    """Whether a version was made at a Git revision or before it."""
    made: Commit | Run | None = refs.record(version.commit, Commit) if version.commit else None
    if made is None and version.run is not None:
        made = runs.by_id(refs, version.run)
    commit = version.revision if made is None or made.git is None else made.git.commit
    return commit is not None and revision.reaches(commit)


def find_spec(refs: Refs, asked: str, project: Path) -> Version:
    """The version that a text stands for: `NAME`, or `NAME@` with a number, label, `latest`, stage or Git revision.

    What was first is first: a label may be called `latest`. After all but a revision `~2` stands for two versions
    before it, as in Git. Where there is no artifact of a name, a model of that name is meant.

    Args:
        refs: Where names are looked up.
        asked: What the user wrote.
        project: A folder in the Git working tree, for revisions.

    Raises:
        UnknownName: There is no such name, version or revision.
        AmbiguousName: The id, or its start, fits more than one artifact, or versions of more than one name.
    """
    name, _, version = asked.partition("@")
    name = meant.named(refs, name)
    if not version and versions.exists(refs, name):
        return find_version(refs, name)
    start, back = meant.steps_back(version or name)
    if not version and versions.exists(refs, start := meant.named(refs, start)):
        return _before(refs, find_version(refs, start), back)
    if version and (known := with_word(refs, name, version)) is not None:
        return known
    if version and (known := with_word(refs, name, start)) is not None:
        return _before(refs, known, back)
    if not version or version.isdigit() or not versions.exists(refs, name):
        return find_version(refs, name, version or None)
    try:
        revision = git.Named(project, version)
    except UnknownName as error:
        if (model := meant.model_too(refs, name)) is not None and with_word(refs, model, start) is not None:
            raise UnknownName(
                f"No version of the artifact {name!r} is {version!r}, but one of the model is; write {model}@{version}."
            ) from None
        happened, mark, advice = str(error).partition("; ")
        raise UnknownName(f"{happened}{perhaps(version, _words(refs, name))}{mark}{advice}") from None
    return find_version_at(refs, name, revision)


def _words(refs: Refs, name: str) -> list[str]:
    """What may be written behind `NAME@` beside numbers: stages and explicit versions."""
    labels = (ref_names.label_of(ref) for ref, _ in refs.items(ref_names.labels_of(name)))
    return [meant.LATEST, *stages.current(refs, name), *itertools.islice(labels, meant.FEW)]


def with_word(refs: Refs, name: str, word: str) -> Version | None:
    """The version of a name with this label or number, or in this stage, or the newest for `latest`.

    Raises:
        UnknownName: The version that is in the stage has been deleted.
    """
    found = with_version(refs, name, word)
    if found is None and word == meant.LATEST:
        return versions.newest(refs, name)
    found = found or stages.version(refs, name, word)
    promotion = None if found else stages.last(refs, name, word)
    if promotion is not None and promotion.artifact is not None:
        raise UnknownName(
            f"The version of {name!r} that is {word!r} has been deleted; `art tag {name}@VERSION {word}` moves it."
        )
    return found


def _before(refs: Refs, version: Version, steps: int) -> Version:
    """The version so many before another one."""
    if not steps:
        return version
    older = (each for each in versions.of(refs, version.name, reverse=True) if each.number < version.number)
    found = next(itertools.islice(older, steps - 1, None), None)
    if found is None:
        many = "version" if steps == 1 else count(steps, "version")
        name, here = version.name, version.called
        raise UnknownName(f"{name!r} has no {many} before {here}; `art ls {name}` lists them.")
    return found


def _by_artifact_id(refs: Refs, prefix: str) -> Version:
    matches: dict[tuple[Oid, str], Version] = {}
    if len(prefix) >= MIN_PREFIX and all(char in "0123456789abcdef" for char in prefix):
        for version in versions.with_value_like(refs, prefix):
            matches[version.artifact, version.name] = version
            if len(matches) > _SHOWN:
                break
    if len(matches) == 1:
        return matches.popitem()[1]
    if matches:
        shown = ", ".join(f"{version.name}@{version.number}" for version in list(matches.values())[:_SHOWN])
        several = len({artifact for artifact, _ in matches}) > 1
        raise AmbiguousName(
            f"{prefix!r} could be {shown}; give {'more digits' if several else 'the one that is meant'}."
        )
    raise meant.no_artifact(refs, prefix)
