"""pandas objects as one Parquet file each.

Every column is written as the nearest Arrow array, and the header of the file says how to make the
column of it again: the route through `DataFrame.to_parquet` would forget frequencies, categories' types,
attributes, and the difference between None and NaN. The dtype decides how, so that saving needs no
comparison; only columns of objects are looked through, and what they hold beyond text and bytes is kept
as the items of a list are. Why Parquet: see `parquet`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ..arrow import parquet
from ..base import Materializer
from ..files import reading
from ..protocols import Json
from . import labels
from .columns import decode_column, encode_column
from .index import decode_index, encode_index
from .sheets import SheetReader, SheetWriter


class DataFrameMaterializer(Materializer):
    """DataFrames."""

    NAME = "artvcs.pandas.DataFrame"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.DataFrame,)
    _apart: tuple[pd.DataFrame, list[tuple[Any, Any]]] | None = None

    def save(self, data: pd.DataFrame) -> None:
        """Writes `table.parquet`, and a folder for each part that it cannot carry."""
        sheet = SheetWriter(self)
        cells = [
            encode_column(values, label if isinstance(label, str) else "", sheet)
            for label, values in self._columns_of(data)
        ]
        header = {"columns": labels.encode(data.columns, sheet.encoder), "cells": cells}
        sheet.write({**header, "index": encode_index(data.index, sheet), **_encode_extras(data, sheet)})

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        with reading(parquet.PARQUET):
            sheet = SheetReader(self)
            index = decode_index(sheet.header["index"], sheet)
            columns = [decode_column(spec, sheet) for spec in sheet.header["cells"]]
            if any(len(values) != len(index) for values in columns):
                raise ValueError("columns of different lengths")
            cells = [_typed(values, index) for values in columns]
            frame = pd.DataFrame(dict(enumerate(cells)), index=index, copy=True)
            frame.columns = labels.decode(sheet.header["columns"], sheet.decoder)
            return _decode_extras(frame, sheet)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The types, missing values and distributions of the columns, and the first rows."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import frame

        return writing.write(self.uri, frame.of_frame(data))

    def extract_metadata(self, data: pd.DataFrame) -> dict[str, Any]:
        """Shape, dtypes of the columns, and how many values are missing in all."""
        found, self._apart = self._columns_of(data), None
        columns = [(str(label), str(values.dtype)) for label, values in found]
        unique = len({label for label, _ in columns}) == len(columns)
        return {
            "shape": list(data.shape),
            "columns": dict(columns) if unique else [list(column) for column in columns],
            "missing": sum(_missing(values) for _, values in found),
        }

    def _columns_of(self, data: pd.DataFrame) -> list[tuple[Any, Any]]:
        """The columns, each with its label; taking a frame apart costs as much as writing it."""
        apart = self._apart
        if apart is None or apart[0] is not data:
            apart = self._apart = data, [(label, _values(column)) for label, column in data.items()]
        return apart[1]


class SeriesMaterializer(Materializer):
    """Series."""

    NAME = "artvcs.pandas.Series"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.Series,)

    def save(self, data: pd.Series) -> None:
        """Writes `table.parquet`, and a folder for each part that it cannot carry."""
        sheet = SheetWriter(self)
        name = data.name if isinstance(data.name, str) else ""
        header = {"cell": encode_column(_values(data), name, sheet), "name": sheet.encoder.encode(data.name)}
        sheet.write({**header, "index": encode_index(data.index, sheet), **_encode_extras(data, sheet)})

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        with reading(parquet.PARQUET):
            sheet = SheetReader(self)
            index = decode_index(sheet.header["index"], sheet)
            values = decode_column(sheet.header["cell"], sheet)
            name = sheet.decoder.decode(sheet.header["name"])
            return _decode_extras(pd.Series(values, index=index, dtype=values.dtype, name=name, copy=True), sheet)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The distribution, and the first values."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import frame

        return writing.write(self.uri, frame.of_series(data))

    def extract_metadata(self, data: pd.Series) -> dict[str, Any]:
        """Length, dtype, and how many values are missing."""
        return {"length": len(data), "dtype": str(data.dtype), "missing": _missing(_values(data))}


class IndexMaterializer(Materializer):
    """Indexes of all kinds."""

    NAME = "artvcs.pandas.Index"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.Index,)

    def save(self, data: pd.Index) -> None:
        """Writes `table.parquet`, and a folder for each part that it cannot carry."""
        sheet = SheetWriter(self)
        sheet.write({"index": encode_index(data, sheet)})

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        with reading(parquet.PARQUET):
            sheet = SheetReader(self)
            return decode_index(sheet.header["index"], sheet)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The distribution, and the first labels."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import frame

        return writing.write(self.uri, frame.of_index(data))

    def extract_metadata(self, data: pd.Index) -> dict[str, Any]:
        """Length and dtype."""
        return {"length": len(data), "dtype": str(data.dtype)}


def _values(column: pd.Series) -> Any:
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.array


def _typed(values: Any, index: pd.Index) -> Any:
    # pandas would look through a bare array of objects, and make a column of text of it.
    return pd.Series(values, index=index, dtype=object) if values.dtype == object else values


def _missing(values: Any) -> int:
    if isinstance(values, np.ndarray) and values.dtype.kind in "biu":
        return 0
    return int(pd.isna(values).sum())  # which fills no gaps of a sparse column


def _encode_extras(data: pd.DataFrame | pd.Series, sheet: SheetWriter) -> dict[str, Json]:
    extras: dict[str, Json] = {}
    if data.attrs:
        extras["attrs"] = sheet.encoder.encode(data.attrs)
    if not data.flags.allows_duplicate_labels:
        extras["unique_labels"] = True
    return extras


def _decode_extras(data: Any, sheet: SheetReader) -> Any:
    if "attrs" in sheet.header:
        data.attrs = sheet.decoder.decode(sheet.header["attrs"])
    if sheet.header.get("unique_labels"):
        data.flags.allows_duplicate_labels = False
    return data
