"""pyarrow tables, batches, arrays and schemas, metadata of the schema included.

How a table is cut into chunks is not kept: it is no part of what `Table.equals` compares.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.ipc

from . import parquet
from .base import Materializer
from .files import reading

_COLUMN = "values"


class TableMaterializer(Materializer):
    """Tables: Parquet if that keeps every type, else Arrow IPC."""

    NAME = "artvcs.pyarrow.Table"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pa.Table,)

    def save(self, data: Any) -> None:
        """Writes one file."""
        parquet.write_exact(self.folder, data)

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        with reading(parquet.IPC):
            return parquet.read_exact(self.folder)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The types, missing values and distributions of the columns, and the first rows."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import arrow

        return writing.write(self.uri, arrow.of_table(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Shape and the types of the columns."""
        columns = [[name, str(kind)] for name, kind in zip(data.schema.names, data.schema.types, strict=True)]
        return {"shape": [data.num_rows, data.num_columns], "columns": columns}


class RecordBatchMaterializer(TableMaterializer):
    """Record batches, as a table of one chunk."""

    NAME = "artvcs.pyarrow.RecordBatch"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pa.RecordBatch,)

    def save(self, data: Any) -> None:
        """Writes one file."""
        super().save(pa.Table.from_batches([data]))

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        table = super().load(pa.Table).combine_chunks()
        batches = table.to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


class ChunkedArrayMaterializer(Materializer):
    """Chunked arrays, as a table of one column."""

    NAME = "artvcs.pyarrow.ChunkedArray"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pa.ChunkedArray,)

    def save(self, data: Any) -> None:
        """Writes one file."""
        parquet.write_exact(self.folder, pa.table({_COLUMN: data}))

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        with reading(parquet.IPC):
            return parquet.read_exact(self.folder).column(0)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The distribution, and the first values."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import arrow

        return writing.write(self.uri, arrow.of_array(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Length, type, and how many values are missing."""
        return {"length": len(data), "type": str(data.type), "missing": data.null_count}


class ArrayMaterializer(ChunkedArrayMaterializer):
    """Arrays of any type, as a table of one column."""

    NAME = "artvcs.pyarrow.Array"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pa.Array,)

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        column = super().load(pa.ChunkedArray)
        return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [_empty(column)])


class SchemaMaterializer(Materializer):
    """Schemas, as an Arrow IPC message."""

    NAME = "artvcs.pyarrow.Schema"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pa.Schema,)

    def save(self, data: Any) -> None:
        """Writes one file."""
        self.folder.write("schema.arrow", data.serialize().to_pybytes())

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        with reading("schema.arrow"):
            return pa.ipc.read_schema(pa.BufferReader(self.folder.read("schema.arrow")))

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The fields."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import arrow

        return writing.write(self.uri, arrow.of_schema(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Names and types of the columns."""
        return {"columns": [[field.name, str(field.type)] for field in data]}


def _empty(column: Any) -> Any:
    return pa.array([], type=column.type)
