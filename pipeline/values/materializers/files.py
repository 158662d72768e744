"""Writing and reading the files of materializers: JSON bytes, and errors that a user can act on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.folder import Folder
from artvcs.vcs import ArtError

from .protocols import Json


def dump_json(document: Json) -> bytes:
    """JSON data as bytes: compact, UTF-8, keys in their order."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)
    return text.encode()


def write_json(folder: Folder, name: str, document: Json) -> None:
    """Writes JSON data as a file."""
    folder.write(name, dump_json(document))


def read_json(folder: Folder, name: str) -> Json:
    """Reads JSON data."""
    return json.loads(folder.read(name))


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turns whatever goes wrong while reading a file into an error that the user can act on.

    Raises:
        MaterializerError: The file is not what `save` wrote.
    """
    try:
        yield
    except ArtError:
        raise
    except Exception as error:  # hostile bytes can make a library raise anything
        raise MaterializerError(
            f"The stored file {name} cannot be understood ({type(error).__name__}: {error}); run `art fsck`, "
            "or load it with the version that stored it."
        ) from error
