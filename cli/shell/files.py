"""What the shell offers of files: those that can be run, the pipelines in them, and what these may be given."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .completion import fitting, typed_before

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def parameters(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`NAME=` for each parameter of the pipeline that is to run, then its values; the file is read and not executed."""
    from click.shell_completion import CompletionItem

    file, _colon, wanted = typed_before(context, "target").partition(":")
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
    return [CompletionItem(each) for each in fitting(words, incomplete)]


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
