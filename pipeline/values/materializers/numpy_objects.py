"""numpy arrays of Python objects: the shape, and the items as a list."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .codec import Decoder
from .documents import FILE, DocumentMaterializer
from .files import read_json, reading
from .protocols import Encoding, Json


class ObjectArrayMaterializer(DocumentMaterializer):
    """Arrays of dtype object, each item kept as the same item in a list would be."""

    NAME = "artvcs.numpy.objects"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (np.ndarray,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """Only arrays of dtype object; records that hold objects are not."""
        return bool(data.dtype == np.dtype(object) and data.dtype.metadata is None)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The shape, the memory order and the items."""
        fortran = bool(data.flags.f_contiguous and not data.flags.c_contiguous)
        items = list(data.ravel(order="F" if fortran else "C"))
        return {"shape": list(data.shape), "fortran": fortran, "items": encoder.encode(items)}

    def load(self, data_type: type[Any]) -> Any:
        """Puts the items back into an array."""
        with reading(FILE):
            data = read_json(self.folder, FILE)
            items = Decoder(self).decode(data["items"])
            flat = np.empty(len(items), dtype=object)
            for index, item in enumerate(items):  # assigning a list would unpack nested sequences
                flat[index] = item
            return flat.reshape(data["shape"], order="F" if data["fortran"] else "C")

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The first items."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import array

        return writing.write(self.uri, array.of_array(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Shape and dtype."""
        return {"shape": list(data.shape), "dtype": "object"}
