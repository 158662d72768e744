"""Loading a user's file and finding the pipeline in it, as `python FILE` would find its modules."""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import click

import artvcs

# Imported before the user's folder comes first on the path: a module of theirs must not stand in for one of ours.
from artvcs.pipelines import parameters, runner
from artvcs.pipelines.errors import DefinitionError, ParameterError
from artvcs.pipelines.pipelines import Pipeline
from artvcs.vcs.errors import ArtError, UnknownName

_READY = runner


def load_pipeline(spec: str) -> Pipeline[...]:
    """The pipeline that `FILE` or `FILE:NAME` stands for.

    Raises:
        UnknownName: There is no such file or pipeline.
        DefinitionError: The file cannot be loaded, or holds several pipelines and none was named.
    """
    file, _, name = spec.partition(":") if not Path(spec).exists() else (spec, "", "")
    path = Path(file)
    if not path.is_file():
        raise UnknownName(f"There is no file {file!r}; give the path of a Python file with a pipeline.")
    found = _pipelines(_load(path))
    if name:
        if name not in found:
            raise UnknownName(f"{file} has no pipeline {name!r}; it has {', '.join(found) or 'none'}.")
        return found[name]
    if not found:
        raise DefinitionError(f"{file} has no pipeline; mark a function that calls steps with @pipeline.")
    if len(found) > 1:
        raise DefinitionError(
            f"{file} has several pipelines; name one: {', '.join(f'{file}:{each}' for each in found)}."
        )
    return next(iter(found.values()))


def bind(pipeline: Pipeline[...], given: tuple[str, ...]) -> dict[str, Any]:
    """Parameters from `name=value` texts.

    Raises:
        ParameterError: A name is unknown or a value is not of its type.
    """
    annotations = {entry.name: entry.annotation for entry in pipeline.inputs()}
    params = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"-p {text}: write it as name=value.")
        if name not in annotations:
            known = ", ".join(annotations) or "none"
            raise ParameterError(f"The pipeline {pipeline.name!r} has no parameter {name!r}; it has {known}.")
        try:
            params[name] = parameters.parse_text(value, annotations[name])
        except ParameterError as error:
            raise ParameterError(f"-p {text}: {error}") from None
    return params


def _load(path: Path) -> ModuleType:
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_of_the_user"
    spec = importlib.util.spec_from_file_location(name, path.absolute())
    if spec is None or spec.loader is None:
        raise DefinitionError(f"{path} is not a Python file; give one that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.absolute().parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's own code
        del sys.modules[name]
        raise _not_loaded(path, error) from error
    return module


def _not_loaded(path: Path, error: Exception) -> ArtError:
    if isinstance(error, SyntaxError):
        return DefinitionError(f"{error.filename}, line {error.lineno}: {error.msg}; mend it and run again.")
    return DefinitionError(
        f"{path} cannot be loaded: {type(error).__name__}: {error}{where(error)}; mend it and run again."
    )


def where(error: BaseException) -> str:
    """` (FILE:LINE)` of the user's code in which an error was raised; empty where it was in nobody's of theirs."""
    places = [
        f" ({frame.filename}:{frame.lineno})"
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not any(root in Path(frame.filename).parents for root in _NOT_THEIRS)
    ]
    return places[-1] if places else ""


_NOT_THEIRS = [
    *(Path(root) for root in sysconfig.get_paths().values() if root),
    Path(artvcs.__file__).parent,
]


def _pipelines(module: ModuleType) -> dict[str, Pipeline[...]]:
    found: dict[str, Pipeline[...]] = {}
    for name, value in vars(module).items():
        # Imported pipelines count only where the file has none of its own.
        if isinstance(value, Pipeline) and value not in found.values():
            found[name] = value
    own = {name: value for name, value in found.items() if value.function.__module__ == module.__name__}
    return own or found
