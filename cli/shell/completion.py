"""What the shell offers when a word is half typed: names of artifacts, runs and steps, files, pipelines and parameters.

Switch it on with `eval "$(art completion bash)"` (or `zsh`, or `art completion fish | source`).
"""

from __future__ import annotations

import ast
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from artvcs.vcs import ArtError, Repository, runs, stages, versions

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

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


def _names_and_versions(repository: Repository, start: str) -> Iterator[str]:
    """The names that start so; once there is an `@`, the words behind it."""
    name, at, _ = start.partition("@")
    return (f"{name}@{word}" for word in _version_words(repository, name)) if at else artifact_names(repository, name)


def _version_words(repository: Repository, name: str) -> Iterator[str]:
    """What chooses a version of a name: stages, and the labels and numbers, newest first."""
    refs = repository.refs()
    if versions.exists(refs, name):
        yield "latest"
        yield from stages.current(refs, name)
        for each in versions.of(refs, name, reverse=True):
            yield each.label or str(each.number)


def _names_and_runs(repository: Repository, start: str) -> Iterator[str]:
    return itertools.chain(_names_and_versions(repository, start), runs.names_like(repository.refs(), start))


def _completing(find: Finder) -> Completer:
    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            known = set(itertools.islice(find(Repository.discover(), incomplete), _OFFERED))
        except ArtError:
            return []  # somebody is typing: this is no time for errors
        return sorted(_fitting(known, incomplete))

    return complete


def _fitting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete) and _WORD.fullmatch(word)]


def parameters(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`NAME=` for each parameter of the pipeline that is to run, then its values; the file is read and not executed."""
    from click.shell_completion import CompletionItem

    # Half a command is no command: what was not parsed stands in `args`.
    target = context.params.get("target") or next(iter(context.args), "")
    file, _colon, wanted = str(target).partition(":")
    found = {
        argument.arg: (argument.annotation, default)
        for name, function in _pipelines_in(file)
        if wanted in ("", name)
        for argument, default in _arguments(function.args)
    }
    name, equals, typed = incomplete.partition("=")
    if not equals:
        return [CompletionItem(f"{each}=", type="part") for each in found if each.startswith(incomplete)]
    annotation, default = found.get(name, (None, None))
    if annotation is not None and _last_name(annotation) == "Path":
        return [CompletionItem(f"{name}={each.value}", type=each.type) for each in _paths(typed)]
    words = (f"{name}={value}" for value in _values(annotation, default))
    return [CompletionItem(each) for each in _fitting(words, incomplete)]


def pipeline_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Python files and folders; behind `FILE:` the pipelines in it, which is read and not executed."""
    from click.shell_completion import CompletionItem

    file, colon, _ = incomplete.partition(":")
    if colon and not Path(incomplete).exists():
        words = (f"{file}:{name}" for name, _ in _pipelines_in(file))
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]
    return _paths(incomplete, ".py")


def yaml_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """YAML files and folders."""
    return _paths(incomplete, ".yaml", ".yml")


def _paths(incomplete: str, *endings: str) -> list[CompletionItem]:
    """Folders, and the files with one of these endings, or all where there are none."""
    from click.shell_completion import CompletionItem

    if incomplete.startswith(("~", "$")):
        return [CompletionItem(incomplete, type="file")]  # only the shell knows what it stands for
    folder, slash, start = incomplete.rpartition("/")
    try:
        entries = sorted(os.scandir(folder + slash or "."), key=lambda entry: entry.name)
    except OSError:
        return []  # somebody is typing
    shown = (
        each for each in entries if each.name.startswith(start) and (start or not each.name.startswith((".", "__")))
    )
    found = (f"{folder}{slash}{each.name}{'/' if each.is_dir() else ''}" for each in shown)
    # A line break would end the answer in the middle of a name.
    fitting = (each for each in found if each.endswith(("/", *endings)) or not endings)
    return [CompletionItem(each, type="path") for each in fitting if each.isprintable()]


def _pipelines_in(file: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The pipelines that a file defines, by the names that it gives them."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # somebody is typing
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and _is_pipeline(node):
            yield node.name, node


def _is_pipeline(node: ast.FunctionDef) -> bool:
    """Whether a function is marked with `@pipeline`, whatever stands before the name and behind it."""
    return any(
        _last_name(mark.func if isinstance(mark, ast.Call) else mark) == "pipeline" for mark in node.decorator_list
    )


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _arguments(given: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    """The arguments that a function can be given by name, each with its default."""
    positional = [*given.posonlyargs, *given.args]
    missing = [None] * (len(positional) - len(given.defaults))
    yield from zip(positional, [*missing, *given.defaults], strict=True)
    yield from zip(given.kwonlyargs, given.kw_defaults, strict=True)


def _values(annotation: ast.expr | None, default: ast.expr | None) -> list[str]:
    """What a parameter may be as far as its definition says it, as it is written on a command line."""
    if isinstance(annotation, ast.Name) and annotation.id == "bool":
        return ["true", "false"]
    if isinstance(annotation, ast.Subscript) and _last_name(annotation.value) == "Literal":
        choices = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    else:
        choices = [] if default is None else [default]
    return [str(each.value) for each in choices if isinstance(each, ast.Constant) and each.value is not None]


pipelines = _completing(lambda repository, start: (each for each in runs.pipelines(repository.refs())))
names_only = _completing(artifact_names)
names_and_versions = _completing(_names_and_versions)
names_and_runs = _completing(_names_and_runs)
steps = _completing(step_names)
