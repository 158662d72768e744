"""scipy's sparse matrices and arrays: one .npy for each array they are made of."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import scipy.sparse

from .base import Materializer
from .files import read_json, reading, write_json
from .numpy import fits_npy, read_array, write_array

_HEADER = "sparse.json"
_PARTS = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
}
_CLASSES: dict[str, Any] = {
    f"{form}_{kind}": getattr(scipy.sparse, f"{form}_{kind}") for form in _PARTS for kind in ("array", "matrix")
}


class SparseMaterializer(Materializer):
    """Matrices and arrays of the forms CSR, CSC, BSR, COO and DIA."""

    NAME = "artvcs.scipy.sparse"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = tuple(_CLASSES.values())

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for other forms, other than two dimensions, and dtypes that .npy cannot carry."""
        return _CLASSES.get(type(data).__name__) is type(data) and data.ndim == 2 and fits_npy(data.dtype)

    def save(self, data: Any) -> None:
        """Writes the arrays."""
        write_json(self.folder, _HEADER, {"class": type(data).__name__, "shape": [int(size) for size in data.shape]})
        for name in _PARTS[data.format]:
            write_array(self.folder, f"{name}.npy", np.asarray(getattr(data, name)))

    def load(self, data_type: type[Any]) -> Any:
        """Puts them together."""
        with reading(_HEADER):
            header = read_json(self.folder, _HEADER)
            cls, shape = _CLASSES[header["class"]], tuple(header["shape"])
            form = header["class"].split("_")[0]
            parts = {name: read_array(self.folder, f"{name}.npy") for name in _PARTS[form]}
            return _assemble(cls, form, parts, shape)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """How full it is, and a histogram of the stored values."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import array

        return writing.write(self.uri, array.of_sparse(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Shape, dtype and the number of stored values."""
        return {"shape": [int(size) for size in data.shape], "dtype": str(data.dtype), "stored": int(data.nnz)}


def _assemble(cls: Any, form: str, parts: dict[str, Any], shape: tuple[int, ...]) -> Any:
    data, *places = parts.values()
    if form == "coo":
        return cls((data, tuple(places)), shape=shape)
    matrix = cls((data, *places), shape=shape)
    if form != "dia":
        matrix.check_format(full_check=True)  # an index out of range would read foreign memory
        matrix.indices, matrix.indptr = places  # the constructor may narrow their type
    return matrix
