"""Files and folders that a step returns as a Path: what the path points at is stored.

Nothing is copied here: the store reads the file or folder where it lies. Loading gives the path of the
file or folder as it was checked out, name kept.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from artvcs.pipelines.errors import MaterializerError
from artvcs.vcs import storage_errors

from ..base import Materializer

_FOLDER = "path"


class PathMaterializer(Materializer):
    """A `pathlib.Path` that exists: the file or folder it points at."""

    NAME = "artvcs.path"
    KEEPS_FILES = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (Path,)

    def save(self, data: Path) -> None:
        """Makes the file or folder part of what is stored.

        Raises:
            MaterializerError: There is nothing at the path, or neither a file nor a folder.
            StorageError: It cannot be read.
        """
        with storage_errors(f"reading {data}"):
            target = _existing(data)
            if not target.is_dir() and not target.is_file():
                raise MaterializerError(f"{data} is neither a file nor a folder; give the path of one.")
        name = Path(os.path.abspath(data)).name or target.name
        if not name:
            raise MaterializerError(f"{data} is the root of the file system; return the path of a folder in it.")
        (Path(self.uri) / _FOLDER).mkdir()
        self.include(target, f"{_FOLDER}/{name}")

    def load(self, data_type: type[Any]) -> Any:
        """The path of the file or folder below `self.uri`."""
        folder = Path(self.uri) / _FOLDER
        found = list(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []
        if len(found) != 1 or found[0].is_symlink():
            raise MaterializerError("A stored path does not hold exactly one file or folder; run `art fsck`.")
        return found[0]

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """What is in a folder; a file as what its ending says it is."""
        from artvcs.pipelines.values.visualizations.kinds import files

        return files.write_path(self.uri, data)

    def extract_metadata(self, data: Path) -> dict[str, Any]:
        """The name, and the size of a file or the number of files in a folder."""
        [(files, size)] = self.extents.values()
        with storage_errors(f"reading {data}"):
            if data.is_dir():
                return {"name": data.resolve().name, "files": files, "size": size}
            return {"name": data.name, "size": size}


def _existing(data: Path) -> Path:
    try:
        return data.resolve(strict=True)
    except PermissionError:
        raise
    except (OSError, RuntimeError) as error:
        raise MaterializerError(
            f"There is nothing to store at {data} ({type(error).__name__}); create the file before returning its "
            "path, or return a PurePath to store the path itself."
        ) from error
