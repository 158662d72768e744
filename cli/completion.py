"""What the shell offers when a word is half typed: names of artifacts, runs and steps.

Switch it on with `eval "$(_ART_COMPLETE=bash_source art)"` (or `zsh_source`, `fish_source`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import click

from artvcs.vcs.errors import ArtError
from artvcs.vcs.maps import runs, versions
from artvcs.vcs.repository import Repository

_WORD = re.compile(r"[\w@%+=:,./][\w@%+=:,./-]*")
"""What a shell takes as it stands. Other names come in quotes, and a stranger's must not run what it spells."""

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def artifact_names(repository: Repository) -> set[str]:
    """The names that artifacts have."""
    return set(versions.names(repository.refs()))


def _artifacts_and_runs(repository: Repository) -> set[str]:
    return artifact_names(repository) | {run.name for run in runs.newest_first(repository.refs())}


def step_names(repository: Repository) -> set[str]:
    """The steps that runs have had."""
    return {step for run in runs.newest_first(repository.refs()) for step in run.steps}


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
