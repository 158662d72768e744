"""What is meant by a name: an artifact or a model, and what stands behind it; and what may be meant that nothing is."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator

from artvcs.vcs import AmbiguousName, Refs, UnknownArtifact, runs, versions

from ...errors import perhaps

LATEST = "latest"
"""The newest version, behind `NAME@`."""

MODELS = "models/"
"""What the names begin with that the versions of models are stored as."""

ARTIFACTS = "artifacts/"
"""What may be written before the name of an artifact, to say that no model of that name is meant."""

_LOOKED_AT = 1000
"""So many names are compared with one that nothing has."""

FEW = 100
"""So many are compared where there are hardly any or no end of them, as of runs."""

_STEPS = re.compile(r"(?P<start>.*?[^~])(?P<steps>(?:~\d{0,9})+)")


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
    yield from itertools.islice(runs.names_like(refs, start), FEW)


def steps_back(text: str) -> tuple[str, int]:
    """What stands before `~2` or `~~`, and how many steps that goes back. Source: `git help revisions`."""
    found = _STEPS.fullmatch(text)
    if found is None:
        return text, 0
    return found["start"], sum(int(each or 1) for each in found["steps"].split("~")[1:])
