"""What the shell offers when a word is half typed: names of artifacts, runs and steps.

Switch it on with `eval "$(art completion bash)"` (or `zsh`, or `art completion fish | source`).
"""

from __future__ import annotations

import ast
import heapq
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from artvcs.vcs import ArtError, Repository, runs, versions

_WORD = re.compile(r"[\w@%+=:,./][\w@%+=:,./-]*")
"""What a shell takes as it stands. Other names come in quotes, and a stranger's must not run what it spells."""

_OFFERED = 1000
"""More words are no help."""

Completer = Callable[[click.Context, click.Parameter, str], list[str]]
Finder = Callable[[Repository, str], Iterator[str]]


def artifact_names(repository: Repository, start: str = "") -> Iterator[str]:
    """The names of artifacts that start so, in order."""
    return versions.names(repository.refs(), start)


def step_names(repository: Repository, start: str = "") -> Iterator[str]:
    """The names of steps in runs that start so, in order."""
    return repository.catalog().runs.step_names(start)


def fact_names(repository: Repository, start: str = "") -> Iterator[str]:
    """What is noted of versions that starts so, by its name, in order."""
    return repository.catalog().versions.fact_names(start)


def near(find: Finder, repository: Repository, text: str) -> set[str]:
    """Names that may have been meant by a text: all where there are not many, else those that start alike."""
    starts = ("", text[:1], text[:3])
    return {name for start in starts for name in itertools.islice(find(repository, start), _OFFERED)}


def _artifacts_and_runs(repository: Repository, start: str) -> Iterator[str]:
    return heapq.merge(artifact_names(repository, start), runs.names_like(repository.refs(), start))


def _completing(find: Finder) -> Completer:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            known = set(itertools.islice(find(Repository.discover(), incomplete), _OFFERED))
        except ArtError:
            return []  # somebody is typing: this is no time for errors
        return sorted(name for name in known if name.startswith(incomplete) and _WORD.fullmatch(name))

    return complete


def parameters(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """`NAME=` for each parameter of the pipeline that is to run; its file is read and not executed."""
    if "=" in incomplete:
        return []
    # Half a command is no command: what was not parsed stands in `args`.
    target = context.params.get("target") or next(iter(context.args), "")
    file, _colon, name = str(target).partition(":")
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []  # somebody is typing
    found = [
        argument.arg
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and name in ("", node.name) and _is_pipeline(node)
        for argument in (*node.args.args, *node.args.kwonlyargs)
    ]
    return [f"{each}=" for each in dict.fromkeys(found) if each.startswith(incomplete)]


def _is_pipeline(node: ast.FunctionDef) -> bool:
    """Whether a function is marked with `@pipeline`, whatever stands before the name and behind it."""
    marks = (mark.func if isinstance(mark, ast.Call) else mark for mark in node.decorator_list)
    return any(ast.unparse(mark).rpartition(".")[2] == "pipeline" for mark in marks)


pipelines = _completing(lambda repository, start: (each for each in runs.pipelines(repository.refs())))
names_only = _completing(artifact_names)
names_and_runs = _completing(_artifacts_and_runs)
steps = _completing(step_names)
