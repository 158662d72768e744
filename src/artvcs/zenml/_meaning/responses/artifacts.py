"""Artifacts and their versions."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self
from uuid import UUID

from artvcs.pipelines.define.handles import Source
from artvcs.pipelines.errors import MaterializerError, UntrustedData
from artvcs.pipelines.history.tables import Named, Pictures, Versions
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.pipelines.units import count
from artvcs.pipelines.values import store
from artvcs.pipelines.values.materializers import by_name
from artvcs.vcs import Repository, versions, worktree

from ...enums import ArtifactSaveType, ArtifactType
from .. import ids
from ..valued import valued
from .base import ImportPath, Named_, Response, response

_SAVED: Mapping[str, ArtifactSaveType] = {
    "step": ArtifactSaveType.STEP_OUTPUT,
    "saved": ArtifactSaveType.MANUAL,
    "registered": ArtifactSaveType.PREEXISTING,
    "external": ArtifactSaveType.EXTERNAL,
    "file": ArtifactSaveType.EXTERNAL,
}

TYPE = "artifact_type"
"""As what it is noted that somebody says what kind of artifact one is."""

_MODELS = ("sklearn", "xgboost", "lightgbm", "catboost", "torch", "tensorflow", "keras", "transformers", "lightning")
"""The packages whose objects are models."""


class ArtifactVersionResponse(Response, Source):
    """An artifact version.

    Attributes:
        found: The version as ours.
    """

    CALLED = "An artifact version"
    SAID = ("id", "name", "version", "type", "data_type", "tags", "created", "run_metadata")
    INSTEAD: ClassVar[Mapping[str, str]] = {
        "uri": "its files are packed: .load() gives its value, .open() its bytes",
    }

    def __init__(self, found: ArtifactVersion) -> None:
        self.found = found

    def _where(self) -> Repository:
        return self.found.repository

    def _author(self) -> str:
        return self.found.commit.author if self.found.commit else super()._author()

    def __cache_identity__(self) -> Any:
        """What a step depends on that holds it: see `values.identity`."""
        return self.found.__cache_identity__()

    @property
    def id(self) -> UUID:
        """The version's id."""
        return ids.of(self.found.record)

    @property
    def name(self) -> str:
        """The artifact's name."""
        return self.found.name

    @property
    def version(self) -> str:
        """The explicit version, else the number, as text."""
        return self.found.version

    @property
    def number(self) -> int:
        """The version's number under its name."""
        return self.found.number

    @property
    def tags(self) -> tuple[Named_, ...]:
        """Its tags, each with its name."""
        return tuple(map(Named_, self.found.tags))

    @property
    def created(self) -> Any:
        """When it was first made or saved."""
        return self.found.created

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self.found.size

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What was extracted from the value, and what is noted with it."""
        return valued({name: fact for name, fact in self.found.metadata.items() if name != TYPE})

    run_metadata = metadata

    @property
    def artifact(self) -> ArtifactResponse:
        """The artifact that it is a version of."""
        return ArtifactResponse(self.found.repository, self.name)

    @property
    def artifact_id(self) -> str:
        """The artifact's name."""
        return self.name

    @property
    def type(self) -> ArtifactType:
        """What kind of artifact it is: as somebody says, or as its materializer does, or its type."""
        if (noted := self.found.metadata.get(TYPE)) in list(ArtifactType):
            return ArtifactType(noted)
        try:
            said = getattr(by_name(self.materializer), "ASSOCIATED_ARTIFACT_TYPE", ArtifactType.BASE)
        except (MaterializerError, UntrustedData):  # its module is not imported
            said = ArtifactType.BASE
        if said != ArtifactType.BASE:
            return ArtifactType(said)
        return ArtifactType.MODEL if self.found.type.partition(".")[0] in _MODELS else ArtifactType.DATA

    @property
    def data_type(self) -> ImportPath:
        """The value's type."""
        return ImportPath(self.found.type)

    @property
    def materializer(self) -> ImportPath:
        """What wrote it."""
        return ImportPath(self.found.artifact.materializer)

    @property
    def content_hash(self) -> str:
        """The artifact's id, which is a hash of what it is."""
        return self.found.id

    @property
    def save_type(self) -> ArtifactSaveType:
        """How it came to be stored."""
        return _SAVED.get(self.found.record.origin, ArtifactSaveType.MANUAL)

    @property
    def run(self) -> Any:
        """The run in which it was first made or saved."""
        return response(self.found.run)

    @property
    def step(self) -> Any:
        """The step that first made it."""
        return response(self.found.producer)

    @property
    def producer_pipeline_run_id(self) -> str | None:
        """The id of the run in which it was first made or saved."""
        return self.found.record.run

    @property
    def producer_step_run_id(self) -> str | None:
        """The id of the step that first made it."""
        return None if self.step is None else str(self.step.id)

    artifact_store_id = None
    item_count = None

    def load(self) -> Any:
        """The value, made anew at each call. Raises as `ArtifactVersion.load`."""
        return self.found.load()

    materialize = read = load

    def download_files(self, path: str, overwrite: bool = False) -> None:
        """Writes the files that it is stored as into a ZIP file; `art checkout` writes them as they are.

        Args:
            path: The ZIP file.
            overwrite: Whether what is there is written over.

        Raises:
            ValueError: The path does not end with `.zip`.
            FileExistsError: Something is there, and `overwrite` is False.
        """
        target = Path(path)
        if target.suffix != ".zip":
            raise ValueError(f"The files of an artifact are written as a ZIP file; let {path!r} end with .zip.")
        if target.exists() and not overwrite:
            raise FileExistsError(f"{path!r} is there already; pass overwrite=True to write over it.")
        found = self.found
        store.bring_here(found.repository, {found.id: f"{found.name}@{found.version}"})
        with tempfile.TemporaryDirectory() as folder, found.repository.reading():
            worktree.write_tree(found.repository.store, found.artifact.payload, Path(folder))
            packed = shutil.make_archive(str(Path(folder).with_suffix(".files")), "zip", folder)
        shutil.move(packed, target)

    @property
    def visualizations(self) -> Visualizations:
        """Pictures of the value."""
        return Visualizations(self.found.visualizations)

    def visualize(self, title: str | None = None) -> Any:
        """Shows the value: as a page in a notebook, as text in a terminal."""
        return self.found.visualize(title)

    # ZenML has a list where a step may have several outputs of a name, and ours has the one.
    def __getitem__(self, index: int) -> Self:
        if index not in (0, -1):
            raise IndexError("there is one")
        return self

    def __iter__(self) -> Iterator[Self]:
        return iter((self,))

    def __len__(self) -> int:
        return 1

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name != "found" and name not in self.INSTEAD and hasattr(self.found, name):
            return getattr(self.found, name)  # what ours can do besides
        return super().__getattr__(name)

    def _repr_html_(self) -> str:
        return self.found._repr_html_()

    def __repr__(self) -> str:
        return repr(self.found)


@response.register
def _(found: ArtifactVersion) -> ArtifactVersionResponse:
    return ArtifactVersionResponse(found)


class Visualizations(Sequence[Any]):
    """The pictures of a value, drawn when they are looked at; ZenML has a list, and ours are made by a call."""

    def __init__(self, make: Callable[[], list[Any]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Pictures:
        return Pictures(self._make())

    def __call__(self) -> Pictures:
        """The pictures."""
        return self._made

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, index: Any) -> Any:
        return self._made[index]

    def _repr_html_(self) -> str:
        return self._made._repr_html_()

    def __repr__(self) -> str:
        return repr(self._made)


class ByName(dict[str, Any]):
    """Versions, or lists of versions, by name, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        def ours(each: Any) -> Any:
            return [one.found for one in each] if isinstance(each, list) else each.found

        return Named({name: ours(each) for name, each in self.items()})._repr_html_()


class WithVersions(Response):
    """What has versions, of which `found` is the newest."""

    SAID = ("id", "name", "created", "tags", "latest_version_name", "latest_version_id")
    found: ArtifactVersion

    metadata = Response.body

    def _where(self) -> Repository:
        return self.found.repository

    @property
    def created(self) -> Any:
        """When the newest version was made."""
        return self.found.created

    @property
    def latest_version_name(self) -> str:
        """The newest version."""
        return self.found.version

    @property
    def latest_version_id(self) -> UUID:
        """The newest version's id."""
        return ids.of(self.found.record)

    @property
    def tags(self) -> tuple[Named_, ...]:
        """The newest version's tags, each with its name."""
        return tuple(map(Named_, self.found.tags))


class ArtifactResponse(WithVersions):
    """An artifact by its name, with its versions."""

    CALLED = "An artifact"

    def __init__(self, repository: Repository, name: str) -> None:
        newest = versions.newest(repository.refs(), name)
        assert newest is not None, "whoever asks has found the name"
        self.found = ArtifactVersion(repository, newest)
        self.name = self.id = name

    @property
    def versions(self) -> dict[str, ArtifactVersionResponse]:
        """Version → the version, oldest first."""
        repository = self.found.repository
        found = (ArtifactVersion(repository, each) for each in versions.of(repository.refs(), self.name))
        return {each.version: ArtifactVersionResponse(each) for each in found}

    @property
    def has_custom_name(self) -> bool:
        """Whether somebody has named it, and not `pipeline::step::output`."""
        return "::" not in self.name

    def _repr_html_(self) -> str:
        return Versions(each.found for each in self.versions.values())._repr_html_()

    def __repr__(self) -> str:
        return f"<artifact {self.name}, {count(len(self.versions), 'version')}>"
