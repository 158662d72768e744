"""What the shell offers when a word is half typed, of what a repository knows: names, runs, measures, remotes.

Switch it on with `eval "$(art completion bash)"` (or `zsh`, or `art completion fish | source`).

Each time a process begins, looks, and ends: what there may be ten thousand of is looked for from where a word starts,
and not read to its end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from artvcs.pipelines.history.finding import meant
from artvcs.vcs import ArtError, Repository, RepositoryNotFound, runs, stages, versions

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from artvcs.vcs import Catalog

_WORD = re.compile(r"[\w@%+=:,./][\w@%+=:,./-]*")
"""What a shell takes as it stands. Other names come in quotes, and a stranger's must not run what it spells."""

_OFFERED = 1000
"""More words are no help."""

_CAUGHT_UP = 300
"""So many new records are read for an answer; of what is further behind, as in a new clone, the old state answers."""

_USUAL_STAGES = ("staging", "production")

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
Asked = Callable[[Repository, str, click.Context], Iterable[str]]
"""Finds words that start so, for a command that is half typed."""


def artifact_names(repository: Repository, start: str = "") -> Iterator[str]:
    """The names of artifacts that start so, in order."""
    return versions.names(repository.refs(), start)


def step_names(repository: Repository, start: str = "") -> Iterator[str]:
    """The names of steps in runs that start so, in order."""
    return repository.catalog().runs.step_names(start)


def _catalog(repository: Repository) -> Catalog:
    return repository.catalog(most=_CAUGHT_UP)


def completing(find: Asked) -> Completer:
    """Offers what is found in the repository here, if there is one. A word that ends in a slash goes on."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            known = set(itertools.islice(find(Repository.discover(), incomplete, context), _OFFERED))
        except ArtError:
            return []  # somebody is typing: this is no time for errors
        return _items(known, incomplete)

    return complete


def one_of(*words: str) -> Completer:
    """Offers these words."""
    return lambda context, parameter, incomplete: _items(words, incomplete)


def fitting(words: Iterable[str], incomplete: str) -> list[str]:
    """The words that start so and that a shell takes as they are."""
    return [word for word in words if word.startswith(incomplete) and _WORD.fullmatch(word)]


def typed_before(context: click.Context, argument: str, position: int = 0) -> str:
    """What has been typed already for an argument of one word, or the first of several; empty where nothing has.

    Args:
        context: The command.
        argument: The argument.
        position: How many arguments stand before it.
    """
    found = context.params.get(argument)
    if not found:
        # Half a command is no command: what was not parsed stands in `args`.
        return next(iter(context.args[position:]), "")
    return str(found[0] if isinstance(found, tuple) else found)


def _items(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    found = sorted(fitting(words, incomplete))
    return [CompletionItem(each, type="part" if each.endswith("/") else "plain") for each in found]


def find_names_and_versions(repository: Repository, start: str, _: click.Context) -> Iterator[str]:
    """The names that start so; once there is an `@`, the words behind it."""
    name, at, _version = start.partition("@")
    return (f"{name}@{word}" for word in _version_words(repository, name)) if at else _names(repository, name)


def _names(repository: Repository, start: str) -> Iterator[str]:
    """Names that start so, those of models with and without what they are stored under."""
    models = artifact_names(repository, meant.model_name(start))
    return itertools.chain((name.removeprefix(meant.MODELS) for name in models), artifact_names(repository, start))


def _version_words(repository: Repository, name: str) -> Iterator[str]:
    """What chooses a version of a name: stages, and the labels and numbers, newest first."""
    refs = repository.refs()
    stored = meant.named(refs, name)
    if versions.exists(refs, stored):
        yield meant.LATEST
        yield from stages.current(refs, stored)
        for each in versions.of(refs, stored, reverse=True):
            yield each.called


def _names_and_runs(repository: Repository, start: str, context: click.Context) -> Iterator[str]:
    return itertools.chain(find_names_and_versions(repository, start, context), _run_names(repository, start))


def _run_names(repository: Repository, start: str) -> Iterator[str]:
    return runs.names_like(repository.refs(), start)


def _pipelines(repository: Repository, start: str) -> Iterator[str]:
    return runs.pipelines(repository.refs(), start)


def _runs_with_step(repository: Repository, start: str, context: click.Context) -> Iterable[str]:
    """The runs that have the step that is named; all, where none is yet."""
    pipeline, _, step = typed_before(context, "step").rpartition("::")
    if not step:
        return _run_names(repository, start)
    return _catalog(repository).runs.names_with(step, start, _OFFERED, pipeline or None)


def _stages(repository: Repository, start: str, context: click.Context) -> Iterator[str]:
    """The stages that a version of the name can be taken from, or else the usual ones and those of all names."""
    refs = repository.refs()
    name = meant.named(refs, typed_before(context, "target").partition("@")[0])
    yield from stages.current(refs, name)
    if not context.params.get("take"):
        yield from _USUAL_STAGES
        yield from (stage for _, stage in itertools.islice(stages.used(refs), _OFFERED))


def _parameters_and_measures(repository: Repository, start: str, context: click.Context) -> list[str]:
    """Those of all runs, or of the runs of the pipeline that is named after a measure."""
    return _in_runs(repository, start, typed_before(context, "targets", 1))


def _in_runs(repository: Repository, start: str, pipeline: str) -> list[str]:
    return _catalog(repository).versions.names_in_runs(start, _OFFERED, pipeline or None)


def _columns(repository: Repository, start: str, context: click.Context) -> Iterator[str]:
    from artvcs.pipelines.history.experiments import OWN, SHORT

    yield from (*OWN, *SHORT)
    yield from _in_runs(repository, start, typed_before(context, "pipeline"))


def columns(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Columns of runs, after those that are named already and a comma."""
    from click.shell_completion import CompletionItem

    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{each.value}") for each in column(context, parameter, last)]


def remotes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The repositories elsewhere that are known here, also to a project that has no repository yet."""
    known: Iterable[str] = ()
    with suppress(ArtError):  # somebody is typing
        known = _remotes()
    return _items(known, incomplete)


def _remotes() -> Iterable[str]:
    from artvcs.vcs import config

    try:
        return config.read(Repository.discover()).remotes
    except RepositoryNotFound:
        return config.read_shared(Path.cwd()).remotes


pipelines = completing(lambda repository, start, _: _pipelines(repository, start))
runs_and_pipelines = completing(
    lambda repository, start, _: itertools.chain(_pipelines(repository, start), _run_names(repository, start))
)
names_only = completing(lambda repository, start, _: _names(repository, start))
names_and_versions = completing(find_names_and_versions)
names_and_runs = completing(_names_and_runs)
steps = completing(lambda repository, start, _: _catalog(repository).runs.step_names(start))
runs_with_step = completing(_runs_with_step)
stage_names = completing(_stages)
measures = completing(
    lambda repository, start, _: _catalog(repository).versions.names_in_runs(start, _OFFERED, measures=True)
)
parameters_and_measures = completing(_parameters_and_measures)
column = completing(_columns)
