"""pandas' arrays by themselves, as `series.array` gives them: each is stored as the index of it would be."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd

from . import extensions
from .frames import IndexMaterializer

_TIMES = (pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray)


class ArrayMaterializer(IndexMaterializer):
    """Arrays of pandas' own dtypes, and of times."""

    NAME = "artvcs.pandas.array"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.api.extensions.ExtensionArray,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for arrays of other libraries, and of two dimensions."""
        if data.ndim != 1:
            return False
        if isinstance(data.dtype, np.dtype):
            return type(data) in _TIMES
        if type(data) is not data.dtype.construct_array_type():
            return False
        return isinstance(data, pd.arrays.IntervalArray) or extensions.fits(data)

    def save(self, data: Any) -> None:
        """Writes `table.parquet`, and a folder for each part that it cannot carry."""
        super().save(pd.Index(data))

    def load(self, data_type: type[Any]) -> Any:
        """Reads it."""
        return super().load(pd.Index).array.copy()

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The distribution, and the first items."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import frame

        column = pd.Series(data, name="values").to_frame()
        return writing.write(self.uri, frame.of_frame(column, f"pandas.{type(data).__name__}"))
