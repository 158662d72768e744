"""numpy arrays of text of any length, of the dtype `StringDType` that came with numpy 2: the texts as a list."""

from __future__ import annotations

import math
import sys
from typing import Any, ClassVar

import numpy as np

from .codec import Decoder
from .documents import FILE, DocumentMaterializer
from .files import read_json, reading
from .protocols import Encoding, Json


class StringArrayMaterializer(DocumentMaterializer):
    """Arrays of StringDType, with what stands for missing texts."""

    NAME = "artvcs.numpy.strings"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (np.ndarray,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """Only arrays of StringDType, where nothing, None, NaN, pandas.NA or a text stands for a missing one."""
        return data.dtype.kind == "T" and data.dtype.metadata is None and all(map(_is_usual, _missing(data.dtype)))

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The shape and order in memory, the texts with null for missing ones, and the details of the dtype."""
        fortran = bool(data.flags.f_contiguous and not data.flags.c_contiguous)
        texts = data.ravel(order="F" if fortran else "C").tolist()
        return {
            "shape": list(data.shape),
            "fortran": fortran,
            "coerce": data.dtype.coerce,
            "missing": encoder.encode(_missing(data.dtype)),
            "texts": encoder.encode([text if type(text) is str else None for text in texts]),
        }

    def load(self, data_type: type[Any]) -> Any:
        """Makes an array of the texts."""
        with reading(FILE):
            document, decoder = read_json(self.folder, FILE), Decoder(self)
            missing = decoder.decode(document["missing"])
            if not all(map(_is_usual, missing)):
                raise ValueError("something else for a missing text")
            texts = [text if text is not None else missing[0] for text in decoder.decode(document["texts"])]
            details = {"na_object": missing[0]} if missing else {}
            flat = np.array(texts, dtype=np.dtypes.StringDType(coerce=document["coerce"], **details))
            return flat.reshape(document["shape"], order="F" if document["fortran"] else "C")

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The first texts."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import array

        return writing.write(self.uri, array.of_array(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Shape and dtype."""
        return {"shape": list(data.shape), "dtype": str(data.dtype)}


def _missing(dtype: Any) -> list[Any]:
    """What stands for a missing text, if anything does."""
    return [dtype.na_object] if hasattr(dtype, "na_object") else []


def _is_usual(missing: Any) -> bool:
    pandas = sys.modules.get("pandas")  # where it was not imported, there is no NA
    if missing is None or (pandas is not None and missing is pandas.NA):
        return True
    return type(missing) is str or (type(missing) is float and math.isnan(missing))
