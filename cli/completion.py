"""What the shell offers when a word is half typed: names of artifacts, runs and steps.

Switch it on with `eval "$(_ART_COMPLETE=bash_source art)"` (or `zsh_source`, `fish_source`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import click

from artvcs.pipelines import lookup
from artvcs.vcs.errors import ArtError
from artvcs.vcs.refs import names
from artvcs.vcs.repository import Repository

_WORD = re.compile(r"[\w@%+=:,./][\w@%+=:,./-]*")
"""What a shell takes as it stands. Other names come in quotes, and a stranger's must not run what it spells."""

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def artifact_names(repository: Repository) -> set[str]:
    """The names that artifacts have."""
    return {names.artifact_name(ref) for ref, _ in repository.refs().items(names.ARTIFACTS)}


def _artifacts_and_runs(repository: Repository) -> set[str]:
    runs = lookup.all_runs(repository.store, repository.refs())
    return artifact_names(repository) | {run.name for run in runs}


def step_names(repository: Repository) -> set[str]:
    """The steps that runs have had."""
    return {step for run in lookup.all_runs(repository.store, repository.refs()) for step in run.steps}


def _completing(find: Callable[[Repository], Iterable[str]]) -> Completer:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            known = find(Repository.discover())
        except ArtError:
            return []  # somebody is typing: this is no time for errors
        return sorted(name for name in known if name.startswith(incomplete) and _WORD.fullmatch(name))

    return complete


names_only = _completing(artifact_names)
names_and_runs = _completing(_artifacts_and_runs)
steps = _completing(step_names)
