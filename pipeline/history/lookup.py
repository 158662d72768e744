"""Finding versions and runs by what people call them: a name, a number, a label, the start of an id."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from artvcs.vcs import (
    AmbiguousName,
    Commit,
    DamagedError,
    LookupFailed,
    ObjectStore,
    Oid,
    Refs,
    Run,
    UnknownArtifact,
    UnknownName,
    Version,
    canonical,
    git,
    ref_names,
    runs,
    stages,
    versions,
)

from ..errors import perhaps
from ..units import count

if TYPE_CHECKING:
    from ..fingerprint import Fingerprint

MODELS = "models/"
"""What the names begin with that the versions of models are stored as."""

ARTIFACTS = "artifacts/"
"""What may be written before the name of an artifact, to say that no model of that name is meant."""

MIN_PREFIX = 4
"""The shortest start of an id that is looked up."""

_SHOWN = 4

_LOOKED_AT = 1000
"""So many names are compared with one that nothing has."""

_FEW = 100
"""So many where there are hardly any or no end of them, as of runs."""

LATEST, _HEAD = "latest", "HEAD"
_STEPS = re.compile(r"(?P<start>.*?[^~])(?P<steps>(?:~\d{0,9})+)")


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
    from ..keepers import revisions  # only who asks for a revision needs it

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


def named(refs: Refs, name: str) -> str:
    """The name of an artifact as it is, or of a model as its versions are stored."""
    if name.startswith(ARTIFACTS):
        return name.removeprefix(ARTIFACTS)
    model = model_name(name)
    return model if not versions.exists(refs, name) and versions.exists(refs, model) else name


def model_name(name: str) -> str:
    """What the versions of a model are stored as. No artifact can be called so: its name has no slash."""
    return f"{MODELS}{name}"


def model_too(refs: Refs, asked: str) -> str | None:
    """What the versions of a model are stored as that has the name of an artifact which a text stands for.

    Args:
        refs: Where names are looked up.
        asked: `NAME`, with or without a version.
    """
    name = asked.partition("@")[0]
    name = name if versions.exists(refs, name) else steps_back(name)[0]
    model = model_name(name)
    return model if versions.exists(refs, name) and versions.exists(refs, model) else None


def check_one(refs: Refs, asked: str) -> None:
    """Raises AmbiguousName where an artifact and a model are called so: what changes something must not guess."""
    if (model := model_too(refs, asked)) is not None:
        name = model.removeprefix(MODELS)
        raise AmbiguousName(
            f"An artifact and a model are called {name!r}; write {ARTIFACTS}{asked} or {model_name(asked)}."
        )


def exactly(name: str) -> str:
    """The name of a version as it is meant whatever else is called so."""
    return name if name.startswith(MODELS) else f"{ARTIFACTS}{name}"


def spec(name: str, version: str | int | None = None, rev: str | None = None) -> str:
    """A name with a version or Git revision, as one text: what `find_spec` takes."""
    chosen = rev if version is None else version
    return name if chosen is None else f"{name}@{chosen}"


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
    name = named(refs, name)
    if not version and versions.exists(refs, name):
        return find_version(refs, name)
    start, back = steps_back(version or name)
    if not version and versions.exists(refs, start := named(refs, start)):
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
        if (model := model_too(refs, name)) is not None and with_word(refs, model, start) is not None:
            raise UnknownName(
                f"No version of the artifact {name!r} is {version!r}, but one of the model is; write {model}@{version}."
            ) from None
        happened, mark, advice = str(error).partition("; ")
        raise UnknownName(f"{happened}{perhaps(version, _words(refs, name))}{mark}{advice}") from None
    return find_version_at(refs, name, revision)


def _words(refs: Refs, name: str) -> list[str]:
    """What may be written behind `NAME@` beside numbers: stages and explicit versions."""
    labels = (ref_names.label_of(ref) for ref, _ in refs.items(ref_names.labels_of(name)))
    return [LATEST, *stages.current(refs, name), *itertools.islice(labels, _FEW)]


def near(find: Callable[[str], Iterable[str]], text: str) -> str:
    """` (did you mean …?)`, where a name may be meant; else nothing.

    Args:
        find: Gives the names that start so.
        text: What nothing is called.
    """
    # All where there are not many, else those that start alike.
    starts = ("", text[:1], text[:3])
    return perhaps(text, {name for start in starts for name in itertools.islice(find(start), _LOOKED_AT)})


def no_artifact(refs: Refs, name: str) -> UnknownArtifact:
    """The error that says that there is no artifact of a name, and which may be meant."""
    models = not name.startswith(MODELS)  # then they are known by their names alone

    def known(start: str) -> Iterator[str]:
        yield from (each for each in versions.names(refs, start) if not (models and each.startswith(MODELS)))
        if models:
            yield from (each.removeprefix(MODELS) for each in versions.names(refs, model_name(start)))

    return UnknownArtifact(f"There is no artifact named {name!r}{near(known, name)}; `art ls` lists those there are.")


def pipelines_and_runs(refs: Refs, start: str) -> Iterator[str]:
    """The names of pipelines and runs that start so."""
    yield from (each for each in runs.pipelines(refs) if each.startswith(start))
    yield from itertools.islice(runs.names_like(refs, start), _FEW)


def steps_back(text: str) -> tuple[str, int]:
    """What stands before `~2` or `~~`, and how many steps that goes back. Source: `git help revisions`."""
    found = _STEPS.fullmatch(text)
    if found is None:
        return text, 0
    return found["start"], sum(int(each or 1) for each in found["steps"].split("~")[1:])


def with_word(refs: Refs, name: str, word: str) -> Version | None:
    """The version of a name with this label or number, or in this stage, or the newest for `latest`.

    Raises:
        UnknownName: The version that is in the stage has been deleted.
    """
    found = with_version(refs, name, word)
    if found is None and word == LATEST:
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
    raise no_artifact(refs, prefix)


def find_run(refs: Refs, text: str) -> Run:
    """The run with this id, name, or unique start of either.

    Raises:
        UnknownName: There is none.
        AmbiguousName: There is more than one.
    """
    if (run := runs.by_id(refs, text)) is not None:
        return run
    for matches in (
        _some(runs.named(refs, text)),
        _some(itertools.chain(runs.with_id_like(refs, text), runs.named_like(refs, text))) if text else [],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            shown = ", ".join(f"{run.name} ({run.run[:8]})" for run in matches[: _SHOWN - 1])
            more = ", and more" if len(matches) == _SHOWN else ""
            raise AmbiguousName(f"{text!r} could be {shown}{more}; give its id.")
    hint = near(partial(pipelines_and_runs, refs), text)
    raise UnknownName(f"There is no run {text!r}{hint}; `art log` lists those there are.")


def find_run_spec(refs: Refs, asked: str) -> Run:
    """The run that a text stands for: as `find_run`, or `HEAD` for the newest, or the newest of a pipeline by its name.

    After any of these, `~2` stands for two runs before it: of its pipeline, but for `HEAD`.

    Raises:
        UnknownName: There is none.
        AmbiguousName: There is more than one.
    """
    exact = runs.by_id(refs, asked) or next(runs.named(refs, asked), None)
    start, back = steps_back(asked)
    if exact is not None:
        return find_run(refs, asked)
    if start == _HEAD:
        following = runs.newest_first(refs)
    elif runs.latest(refs, start) is not None:
        following = runs.of_pipeline(refs, start)
    elif back:
        run = find_run(refs, start)
        following = itertools.dropwhile(lambda each: each.run != run.run, runs.of_pipeline(refs, run.pipeline))
    else:
        return find_run(refs, asked)
    found = next(itertools.islice(following, back, None), None)
    if found is None:
        raise UnknownName(f"There are not so many runs that {asked!r} is one; `art log` lists those there are.")
    return found


def _some(found: Iterator[Run]) -> list[Run]:
    """The first few runs, each once."""
    each_once = {run.run: run for run in itertools.islice(found, 2 * _SHOWN)}  # one may be found in two ways
    return list(each_once.values())[:_SHOWN]


def last_execution(refs: Refs, run: Run | None, step: str) -> Commit | None:
    """The newest execution of a step in a run or those of its pipeline before it, of those that can be read.

    Args:
        refs: Where runs are looked up.
        run: The run.
        step: The step's invocation id.
    """
    while run is not None:
        found = run.steps.get(step)
        with suppress(LookupFailed, DamagedError):  # collected, or damaged
            if found is not None and found.commit is not None:
                return refs.record(found.commit, Commit)
        run = runs.by_id(refs, run.previous) if run.previous else None
    return None


def last_commit(run: Run | None, step: str) -> Oid | None:
    """The commit whose outputs a run has of a step, if it has any."""
    found = run.steps.get(step) if run is not None else None
    return found.commit if found is not None else None


def code_of(store: ObjectStore, commit: Commit) -> Fingerprint:
    """The code that an execution ran, part by part."""
    from ..fingerprint import from_json  # costs a hundredth of a second, and what looks up names needs none of it

    return from_json(canonical.loads(store.read(commit.code.source, "blob")))
