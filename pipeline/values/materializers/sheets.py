"""One Parquet file and the JSON in its header: where the parts of a pandas object go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from . import parquet
from .base import Materializer
from .codec import Decoder, Encoder
from .files import dump_json
from .protocols import Json

FORMAT = 1


class SheetWriter:
    """Gathers columns of one length.

    Attributes:
        encoder: For what goes into the header, or into folders beside the file.
    """

    def __init__(self, owner: Materializer) -> None:
        self.encoder = Encoder(owner)
        self._path = Path(owner.uri) / parquet.PARQUET
        self._arrays: list[Any] = []
        self._names: dict[str, int] = {}
        self._needs_schema = False

    def add(self, array: Any, name: str, needs_schema: bool = False) -> int:
        """Adds an Arrow array and returns its number.

        Args:
            array: The array.
            name: What to call the column for those who open the file with other programs.
            needs_schema: The array's type is one that Parquet alone would forget.
        """
        number = len(self._arrays)
        self._arrays.append(array)
        self._names[name if name and name not in self._names else f"#{number}"] = number
        self._needs_schema |= needs_schema
        return number

    def write(self, header: Json) -> None:
        """Writes the file."""
        self.encoder.finish()
        fields = [
            pa.field(name, array.type, nullable=array.null_count > 0)
            for name, array in zip(self._names, self._arrays, strict=True)
        ]
        table = pa.Table.from_arrays(self._arrays, schema=pa.schema(fields))
        content = dump_json({"format": FORMAT, **header})
        parquet.write_parquet(self._path, table, self._needs_schema, content)


class SheetReader:
    """Gives the columns back.

    Attributes:
        decoder: For what is in the header.
        header: What `SheetWriter.write` was given.
    """

    def __init__(self, owner: Materializer) -> None:
        self.decoder = Decoder(owner)
        self._table, content = parquet.read_parquet(Path(owner.uri) / parquet.PARQUET)
        self.header: Json = json.loads(content)
        if self.header["format"] != FORMAT:
            raise ValueError(f"format {self.header['format']} of a newer artvcs")

    def chunked(self, number: int) -> Any:
        """A column, possibly in several chunks."""
        return self._table.column(number)

    def array(self, number: int) -> Any:
        """A column as one Arrow array."""
        column = self._table.column(number)
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
