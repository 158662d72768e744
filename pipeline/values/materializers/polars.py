"""polars frames and series as Arrow IPC, which carries every polars type but Object."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import polars as pl  # type: ignore[import-not-found, unused-ignore]

from artvcs.pipelines.errors import MaterializerError

from .base import Materializer
from .files import reading

FILE = "table.arrow"


class PolarsFrameMaterializer(Materializer):
    """polars.DataFrame."""

    NAME = "artvcs.polars.DataFrame"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pl.DataFrame,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False where a column holds Python objects."""
        return not any("Object" in str(dtype) for dtype in data.schema.values())

    def save(self, data: Any) -> None:
        """Writes one file.

        Raises:
            MaterializerError: The file would not bring back the same types.
        """
        path = Path(self.uri) / FILE
        data.rechunk().write_ipc(path, compression="uncompressed")
        if pl.read_ipc_schema(path) != dict(data.schema):
            raise MaterializerError("A polars type cannot be stored exactly; cast the column to another one.")

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        with reading(FILE):
            return pl.read_ipc(self.folder.read(FILE))

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The types, missing values and distributions of the columns, and the first rows."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import arrow

        return writing.write(self.uri, arrow.of_polars(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Shape, dtypes of the columns, and how many values are missing in all."""
        columns = {name: str(dtype) for name, dtype in data.schema.items()}
        missing = sum(column.null_count() for column in data.get_columns())
        return {"shape": list(data.shape), "columns": columns, "missing": missing}


class PolarsSeriesMaterializer(PolarsFrameMaterializer):
    """polars.Series, as a frame of one column."""

    NAME = "artvcs.polars.Series"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pl.Series,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False where it holds Python objects."""
        return super().accepts(data.to_frame())

    def save(self, data: Any) -> None:
        """Writes one file."""
        super().save(data.to_frame())

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        return super().load(pl.DataFrame).to_series(0)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The distribution, and the first values."""
        return super().save_visualizations(data.to_frame())

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Length, dtype, and how many values are missing."""
        return {"length": len(data), "dtype": str(data.dtype), "missing": data.null_count()}
