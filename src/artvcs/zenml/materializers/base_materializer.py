"""What a materializer of ZenML's inherits from."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from typing import Any, ClassVar

from artvcs.pipelines.values.materializers import Materializer, by_name, find_builtin

from .._names import finder
from ..enums import ArtifactType
from ..io import fileio

_WRITTEN_BY = "written-by.txt"
"""Says which built-in materializer wrote the other files."""


class BaseMaterializer(Materializer):
    """Writes values of its ASSOCIATED_TYPES below `self.uri`, and reads them."""

    ASSOCIATED_ARTIFACT_TYPE: ClassVar[Any] = ArtifactType.BASE
    SKIP_REGISTRATION: ClassVar[bool] = False

    def load(self, data_type: type[Any]) -> Any:
        """See `Materializer.load`; ZenML's old name for it is `handle_input`."""
        return self.handle_input(data_type)

    def save(self, data: Any) -> None:
        """See `Materializer.save`; ZenML's old name for it is `handle_return`."""
        self.handle_return(data)

    def handle_input(self, data_type: type[Any]) -> Any:
        """What ZenML called `load`. Nothing, as ZenML's own does, which is called as super().handle_input(…)."""
        return None

    def handle_return(self, data: Any) -> None:
        """What ZenML called `save`."""

    @property
    def artifact_store(self) -> LocalFiles:
        """What ZenML's materializers read and write with."""
        return LocalFiles()

    @property
    def artifact(self) -> Any:
        """The artifact, of which only the place is known while it is written."""
        return self

    def get_temporary_directory(
        self, delete_at_exit: bool = True, delete_after_step_execution: bool = True
    ) -> TemporaryFolder:
        """A folder of its own outside of the artifact: its path, or for a `with` what gives it."""
        made = TemporaryFolder(tempfile.mkdtemp(prefix="artvcs-"))
        made.ends = delete_at_exit
        if delete_at_exit or delete_after_step_execution:
            atexit.register(shutil.rmtree, made, ignore_errors=True)
        return made


class TemporaryFolder(str):
    """The path of a folder, which a `with` gives too.

    Attributes:
        ends: Whether the folder goes at the end of a `with`.
    """

    ends = True

    def __enter__(self) -> str:
        return str(self)

    def __exit__(self, *_: object) -> None:
        if self.ends:
            shutil.rmtree(self, ignore_errors=True)


class OfTheType(BaseMaterializer):
    """Writes values as the built-in materializer of their type does: what ZenML's own materializers are here."""

    def save(self, data: Any) -> None:
        """See `Materializer.save`."""
        inner = find_builtin(data)(self.folder)
        inner.save(data)
        self.included |= inner.included
        self.runs_code, self.names_modules = inner.runs_code, inner.names_modules
        self.folder.write(_WRITTEN_BY, f"{inner.NAME}\n".encode())

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """See `Materializer.extract_metadata`."""
        return find_builtin(data)(self.folder).extract_metadata(data)

    def load(self, data_type: type[Any]) -> Any:
        """See `Materializer.load`."""
        inner = by_name(self.folder.read(_WRITTEN_BY).decode().strip(), self.trust)(self.folder)
        inner.trust = self.trust
        found = inner.load(data_type)
        self.keeps_files = inner.keeps_files
        return found


class LocalFiles:
    """ZenML's store of artifacts as its materializers see it: here the files are local."""

    @property
    def path(self) -> str:
        """A folder for files of your own."""
        return os.getcwd()

    def __getattr__(self, name: str) -> Any:
        return getattr(fileio, name)


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
