"""Tables of pyarrow and polars, as `frame` sees them. Their types are named in their own words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..summary import Summary, Table
from . import distribution
from .frame import HEAD_ROWS, MAX_COLUMNS, Tabular, summarise


def of_table(table: Any, kind: str = "pyarrow.Table") -> Summary:
    """What there is to say of a pyarrow Table or RecordBatch."""
    first = _whole(table).select(list(range(min(MAX_COLUMNS, table.num_columns))))
    chosen = distribution.positions(table.num_rows)
    sample = first if chosen is None else _rows(first, chosen)
    return summarise(
        Tabular(
            kind,
            (table.num_rows, table.num_columns),
            first.schema.names,
            [str(field.type) for field in first.schema],
            [column.null_count for column in first.columns],
            [None if chosen is None else _extremes(column) for column in first.columns],
            _to_pandas(sample),
            _to_pandas(first.slice(0, HEAD_ROWS)),
        )
    )


def of_array(array: Any) -> Summary:
    """What there is to say of a pyarrow Array or ChunkedArray."""
    return of_table(pa.table({"values": array}), f"pyarrow.{type(array).__name__}")


def of_schema(schema: Any) -> Summary:
    """The fields of a pyarrow Schema."""
    rows = tuple((field.name, str(field.type), "yes" if field.nullable else "no") for field in schema)
    return Summary("pyarrow.Schema", (Table(("field", "type", "nullable"), rows),))


def of_polars(frame: Any) -> Summary:
    """What there is to say of a polars DataFrame."""
    first = frame[:, :MAX_COLUMNS]
    chosen = distribution.positions(frame.height)
    sample = first if chosen is None else first[chosen]
    return summarise(
        Tabular(
            "polars.DataFrame",
            frame.shape,
            first.columns,
            [str(dtype) for dtype in first.dtypes],
            [column.null_count() for column in first.get_columns()],
            [None if chosen is None else _polars_extremes(column) for column in first.get_columns()],
            _to_pandas(sample.to_arrow()),
            _to_pandas(first.head(HEAD_ROWS).to_arrow()),
        )
    )


def _whole(table: Any) -> Any:
    return table if isinstance(table, pa.Table) else pa.Table.from_batches([table])


def _rows(table: Any, chosen: np.ndarray[Any, Any]) -> Any:
    """Some rows. Column by column, since one whose type cannot be taken from must not spoil the others."""
    return pa.table([_taken(column, chosen) for column in table.columns], names=table.schema.names)


def _taken(column: Any, chosen: np.ndarray[Any, Any]) -> Any:
    try:
        return column.take(pa.array(chosen))
    except (pa.ArrowException, NotImplementedError):
        return pa.nulls(len(chosen))


def _to_pandas(table: Any) -> pd.DataFrame:
    frame = pd.DataFrame({at: _values(column) for at, column in enumerate(table.columns)})
    return frame if table.num_columns else pd.DataFrame(index=pd.RangeIndex(table.num_rows))


def _values(column: Any) -> Any:
    """A column as pandas knows it best; what it does not know as Python objects."""
    try:
        return column.to_pandas(timestamp_as_object=False)
    except (pa.ArrowException, ValueError, TypeError, NotImplementedError, OverflowError):
        return pd.Series([value.as_py() for value in column], dtype=object)


def _extremes(column: Any) -> tuple[Any, Any] | None:
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    found = pc.min_max(column).as_py()
    return None if found["min"] is None else (found["min"], found["max"])


def _polars_extremes(column: Any) -> tuple[Any, Any] | None:
    low, high = (column.min(), column.max()) if column.dtype.is_numeric() else (None, None)
    return None if low is None else (low, high)
