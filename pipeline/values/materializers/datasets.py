"""Hugging Face datasets: the table as Parquet or Arrow, what it is said to be as JSON.

Rows that were selected or shuffled are stored as they are seen. Cached files and the fingerprint, by which
the library names them, are no part of the value.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

import datasets
import datasets.table

from . import parquet
from .base import Materializer
from .codec import Decoder, Encoder
from .documents import FILE
from .files import read_json, reading, write_json
from .protocols import Json

_FORMAT = ("_format_type", "_format_kwargs", "_format_columns", "_output_all_columns")


class DatasetMaterializer(Materializer):
    """Datasets with random access."""

    NAME = "artvcs.datasets.Dataset"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (datasets.Dataset,)

    def save(self, data: Any) -> None:
        """Writes table, description and format."""
        encoder = Encoder(self)
        table = data.with_format("arrow")[:] if len(data) else data.data.table.slice(0, 0)
        parquet.write_exact(self.folder, table.cast(data.features.arrow_schema))
        data.info.write_to_directory(self.uri)
        document = {
            "split": None if data.split is None else str(data.split),
            "format": encoder.encode({name: getattr(data, name) for name in _FORMAT}),
        }
        encoder.finish()
        write_json(self.folder, FILE, document)

    def load(self, data_type: type[Any]) -> Any:
        """Puts them together."""
        with reading(FILE):
            document = read_json(self.folder, FILE)
            table = parquet.read_exact(self.folder)
            found = datasets.Dataset(
                datasets.table.InMemoryTable(table),
                info=datasets.DatasetInfo.from_directory(self.uri),
                split=None if document["split"] is None else datasets.Split(document["split"]),
                fingerprint=_fingerprint(self.folder.path),
            )
            return _with_format(found, Decoder(self).decode(document["format"]))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Rows and features."""
        features = [[str(name), _feature(feature)] for name, feature in data.features.items()]
        facts: dict[str, Any] = {"rows": len(data), "features": features}
        return facts if data.split is None else {**facts, "split": str(data.split)}


class DatasetDictMaterializer(Materializer):
    """Dictionaries of datasets, usually the splits of one."""

    NAME = "artvcs.datasets.DatasetDict"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (datasets.DatasetDict,)

    def save(self, data: Any) -> None:
        """Writes a folder for each."""
        encoder = Encoder(self)
        document = encoder.encode(dict(data))
        encoder.finish()
        write_json(self.folder, FILE, document)

    def load(self, data_type: type[Any]) -> Any:
        """Reads them."""
        with reading(FILE):
            return datasets.DatasetDict(Decoder(self).decode(read_json(self.folder, FILE)))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The rows of each."""
        return {"rows": {str(name): len(part) for name, part in data.items()}}


def _with_format(found: Any, kept: Json) -> Any:
    unknown = set(kept) - set(_FORMAT)
    if unknown:
        raise ValueError(f"{sorted(unknown)} is no part of a format")
    if kept["_format_type"] is None and kept["_format_columns"] is None:
        return found
    return found.with_format(
        kept["_format_type"], kept["_format_columns"], kept["_output_all_columns"], **kept["_format_kwargs"]
    )


def _fingerprint(folder: Path) -> str:
    """A name for cached results, from the bytes of the table; the library would make a random one."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.iterdir()):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _feature(feature: Any) -> str:
    return str(feature.dtype) if type(feature) is datasets.Value else type(feature).__name__
