"""Loading a user's file and finding the pipeline in it, as `python FILE` would find its modules."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import click

from artvcs.pipelines.errors import DefinitionError, ParameterError, perhaps
from artvcs.pipelines.pipelines import Pipeline
from artvcs.pipelines.run import observer, scheduler
from artvcs.pipelines.typing import coerce
from artvcs.vcs import ArtError, UnknownName
from artvcs.vcs.tracebacks import OURS, library_of

from ..main import terminal
from ..terminal import drawing

_READY = scheduler
"""Imported before the user's folder comes first on the path: a module of theirs must not stand in for one of ours."""

_GUARD = 'if __name__ == "__main__":'

_OURS_ALONE = ("click", "rich")
"""What the command imports and a run does not: under plain Python, a module of the user's has that name."""


def load_pipeline(spec: str) -> Pipeline[...]:
    """The pipeline that `FILE` or `FILE:NAME` stands for.

    Raises:
        UnknownName: There is no such file or pipeline.
        DefinitionError: The file cannot be loaded, or holds several pipelines and none was named.
    """
    file, _, name = spec.partition(":") if not Path(spec).exists() else (spec, "", "")
    path = Path(file)
    if not path.is_file():
        what = f"{file!r} is a folder" if path.is_dir() else f"There is no file {file!r}"
        raise UnknownName(f"{what}; give the path of a Python file with a pipeline.")
    found = _pipelines(_load(path))
    if name:
        if name not in found:
            hint = perhaps(name, set(found))
            raise UnknownName(f"{file} has no pipeline {name!r}{hint}; it has {', '.join(found) or 'none'}.")
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
        ParameterError: A name is unknown or given twice, or a value is not of its type.
    """
    annotations = {entry.name: entry.annotation for entry in pipeline.inputs()}
    params: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"-p {text}: write it as name=value.")
        if name not in annotations:
            hint, known = perhaps(name, set(annotations)), ", ".join(annotations) or "none"
            raise ParameterError(f"The pipeline {pipeline.name!r} has no parameter {name!r}{hint}; it has {known}.")
        if name in texts:
            raise ParameterError(f"-p {texts[name]} and -p {text} give the parameter {name!r} twice; leave one out.")
        texts[name] = text
        try:
            params[name] = coerce.parse_text(value, annotations[name], f"the parameter {name!r}")
        except ParameterError as error:
            raise ParameterError(f"-p {text}: {error}") from None
    return params


def not_run(what: str, error: Exception) -> ArtError:
    """The sentence to say when the user's own code raised outside of a step."""
    if isinstance(error, SyntaxError):
        return DefinitionError(f"{_shown(error.filename)}, line {error.lineno}: {error.msg}; mend it and run again.")
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return DefinitionError(f"{what}: {reason}{where(error)}; mend it and run again.")


def is_theirs(error: BaseException) -> bool:
    """Whether the user's code raised an error, or called what did: then it is nothing to report to us."""
    libraries = [library_of(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    told = [library for library in libraries if library in (None, OURS)]
    return bool(told) and told[-1] is None


def where(error: BaseException) -> str:
    """` (FILE:LINE)` of the user's code in which an error was raised; empty where it was in nobody's of theirs."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f" ({_shown(frame.filename)}:{frame.lineno})" for frame in frames if library_of(frame.filename) is None]
    return places[-1] if places else ""


def _shown(filename: str | None) -> str:
    """A file as people call it here."""
    path = filename or "?"
    return min(path, os.path.relpath(path), key=len)


def _load(path: Path) -> ModuleType:
    place = Path(os.path.abspath(path))  # without `..`: code is found by the file that it says it is of
    folder = place.parent
    for library in _OURS_ALONE:
        if any((folder / name).is_file() for name in (f"{library}.py", f"{library}/__init__.py")):
            sys.modules.pop(library, None)  # what we imported of it stays ours; their `import` finds theirs
            drawing.leave(library)
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_of_the_user"
    spec = importlib.util.spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise DefinitionError(f"{path} is not a Python file; give one that ends in .py.")
    if type(spec.loader) is SourceFileLoader:
        spec.loader = _AsItStands(name, str(place))
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder))
    sys.modules[name] = module
    sys.argv = [str(path)]
    try:
        with observer.observed_by(_Loading(path)):
            spec.loader.exec_module(module)
    except SystemExit as error:
        del sys.modules[name]
        raise DefinitionError(
            f"{path} ends the process as it is loaded{where(error)}; put that under {_GUARD}"
        ) from error
    except Exception as error:  # the user's own code
        del sys.modules[name]
        raise not_run(f"{path} cannot be loaded", error) from error
    return module


class _AsItStands(SourceFileLoader):
    """Loads a file as `python FILE` does: compiled anew.

    What Python has compiled before it knows by size and second: an edit in the second of a run may be missed.
    """

    def get_code(self, fullname: str) -> CodeType:
        """See `importlib.abc.InspectLoader.get_code`."""
        return self.source_to_code(self.get_data(self.path), self.path)


class _Loading(observer.Logged):
    """Says that a file runs a pipeline as it is loaded: nobody asked for that."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def run_started(self, name: str, steps: list[str], groups: Mapping[str, Sequence[str]]) -> None:
        """Says so."""
        terminal().warn(f"{self._path} makes the run {name} as it is loaded; put that call under {_GUARD}")


def _pipelines(module: ModuleType) -> dict[str, Pipeline[...]]:
    found: dict[str, Pipeline[...]] = {}
    for name, value in vars(module).items():
        # Imported pipelines count only where the file has none of its own.
        if isinstance(value, Pipeline) and value not in found.values():
            found[name] = value
    own = {name: value for name, value in found.items() if value.function.__module__ == module.__name__}
    return own or found
