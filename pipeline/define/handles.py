"""What a step can take as an artifact: another step's output, a value, a file, an artifact there is already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DefinitionError


class Source:
    """Something a step can take as an artifact: another step's output, or data from outside."""


@dataclass(frozen=True, eq=False)
class StepOutput(Source):
    """Handle of one output of a step in the pipeline being built. It has no value yet.

    Attributes:
        invocation: Which use of which step.
        output: The output's name, as declared; None for a step that returns nothing.
    """

    invocation: str
    output: str | None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise DefinitionError(
            f"The output of {self.invocation!r} has no value while the pipeline is being built, so .{name} cannot be "
            "read; do that inside a step."
        )

    def __iter__(self) -> Iterator[Any]:
        raise DefinitionError(
            f"The step {self.invocation!r} has one output here, so it cannot be unpacked; annotate it as a tuple and "
            "return a literal `a, b` to get several."
        )

    def __bool__(self) -> bool:
        raise DefinitionError(
            f"The output of {self.invocation!r} has no value while the pipeline is being built, so it cannot be a "
            "condition; decide inside a step."
        )

    def _refuse_operator(self, *_: Any) -> Any:
        raise DefinitionError(
            f"The output of {self.invocation!r} has no value while the pipeline is being built, so nothing can be "
            "computed with it or compared; do that inside a step."
        )

    def __eq__(self, other: object) -> bool:
        return self is other if isinstance(other, Source) else bool(self._refuse_operator())

    __hash__ = Source.__hash__
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __len__ = __getitem__ = __call__ = _refuse_operator
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = __rmatmul__ = _refuse_operator
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse_operator
    __pow__ = __rpow__ = __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _refuse_operator
    __neg__ = __pos__ = __abs__ = __invert__ = __int__ = __float__ = __index__ = __round__ = _refuse_operator


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


class ModelArtifact(Source):
    """An artifact of the model that a step works on: looked up when the step begins.

    Attributes:
        name: The artifact's name.
        version: Number or label; None for the one that was added last.
    """

    def __init__(self, name: str, version: str | int | None = None) -> None:
        self.name = name
        self.version = version

    def __repr__(self) -> str:
        return f"ModelArtifact({self.name!r})"


class ModelFact(Source):
    """What is noted of the model that a step works on: looked up when the step begins, and given to it as a value.

    Attributes:
        name: What the fact is noted as.
        of: The artifact of the model that it is noted of; None for the model itself.
    """

    def __init__(self, name: str, of: ModelArtifact | None = None) -> None:
        self.name = name
        self.of = of

    def __repr__(self) -> str:
        return f"ModelFact({self.name!r})"


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
