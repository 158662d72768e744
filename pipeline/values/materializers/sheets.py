"""One Parquet file and the JSON in its header: where the parts of a pandas object go.

What a column has that is not as long as the rows goes, together with that of other columns, into arrays beside the
file: a frame may have thousands of sparse columns, and is not to become thousands of files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from . import parquet
from .base import Materializer
from .codec import Decoder, Encoder
from .files import dump_json
from .protocols import Json

FORMAT = 1


@dataclass
class _Group:
    """Loose arrays of one dtype, which are stored as one."""

    number: int
    length: int = 0
    arrays: list[np.ndarray[Any, Any]] = field(default_factory=list)


class SheetWriter:
    """Gathers columns of one length.

    Attributes:
        encoder: For what goes into the header, or into folders beside the file.
    """

    def __init__(self, owner: Materializer) -> None:
        self.encoder = Encoder(owner)
        self._folder = owner.folder
        self._arrays: list[Any] = []
        self._names: dict[str, int] = {}
        self._needs_schema = False
        self._loose: dict[np.dtype[Any], _Group] = {}

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

    def add_loose(self, array: np.ndarray[Any, Any]) -> Json:
        """Adds an array of any length, and returns how `SheetReader.loose` finds it."""
        group = self._loose.setdefault(array.dtype, _Group(len(self._loose)))
        start = group.length
        group.arrays.append(array)
        group.length += len(array)
        return [group.number, start, group.length]

    def write(self, header: Json) -> None:
        """Writes the file, and the loose arrays beside it."""
        # With its dtype, because numpy would turn the bytes of other machines round.
        joined = (np.concatenate(group.arrays, dtype=dtype) for dtype, group in self._loose.items())
        loose = [self.encoder.leaf(array) for array in joined]
        self.encoder.finish()
        fields = [
            pa.field(name, array.type, nullable=array.null_count > 0)
            for name, array in zip(self._names, self._arrays, strict=True)
        ]
        table = pa.Table.from_arrays(self._arrays, schema=pa.schema(fields))
        content = dump_json({"format": FORMAT, **header, **({"loose": loose} if loose else {})})
        parquet.write_parquet(self._folder, table, self._needs_schema, content)


class SheetReader:
    """Gives the columns back.

    Attributes:
        decoder: For what is in the header.
        header: What `SheetWriter.write` was given.
    """

    def __init__(self, owner: Materializer) -> None:
        self.decoder = Decoder(owner)
        self._table, content = parquet.read_parquet(owner.folder)
        self.header: Json = json.loads(content)
        if self.header["format"] != FORMAT:
            raise ValueError(f"format {self.header['format']} of a newer artvcs")
        self._loose = self.decoder.decode(self.header.get("loose", []))

    def chunked(self, number: int) -> Any:
        """A column, possibly in several chunks."""
        return self._table.column(number)

    def loose(self, place: Json) -> np.ndarray[Any, Any]:
        """An array of any length."""
        group, start, end = place
        joined = self._loose[group]
        if not isinstance(joined, np.ndarray) or joined.ndim != 1:
            raise ValueError("loose items that are no column")
        return joined[start:end].copy()

    def array(self, number: int) -> Any:
        """A column as one Arrow array."""
        column = self._table.column(number)
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
