"""Data that enters a pipeline from outside: values, files, and artifacts that exist already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import DefinitionError
from .source import Source


class ExternalArtifact(Source):
    """A value given to a step as an artifact: stored, versioned and in the lineage, unlike a parameter.

    Attributes:
        value: The value, of any type that a materializer can store.
        name: What to call the artifact; by default `pipeline::step::input`.
    """

    def __init__(self, value: Any, name: str | None = None) -> None:
        self.value = value
        self.name = name

    def __repr__(self) -> str:
        return f"ExternalArtifact({type(self.value).__name__})"


class InputFile(Source):
    """A file or folder given to a step as an artifact. The step gets a `pathlib.Path` to a copy of it.

    It is hashed when the run starts: a changed file runs the step again, an unchanged one does not.

    Attributes:
        path: The file or folder; relative paths start from the working directory.
        name: What to call the artifact; by default `pipeline::step::input`.
    """

    def __init__(self, path: str | os.PathLike[str], name: str | None = None) -> None:
        self.path = Path(path)
        self.name = name

    def __repr__(self) -> str:
        return f"InputFile({str(self.path)!r})"


class LazyArtifact(Source):
    """What `Client().get_artifact_version(...)` gives inside a `@pipeline`: looked up when the run starts.

    Attributes:
        name: Artifact name or id prefix.
        version: Number or label; None for the newest.
        rev: A Git revision, see `Client.get_artifact_version`.
    """

    def __init__(self, name: str, version: str | int | None = None, rev: str | None = None) -> None:
        self.name = name
        self.version = version
        self.rev = rev

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise DefinitionError(
            f"The artifact {self.name!r} is looked up when the run starts, so .{name} cannot be read while the "
            "pipeline is being built; do that inside a step."
        )

    def __repr__(self) -> str:
        return f"LazyArtifact({self.name!r})"
