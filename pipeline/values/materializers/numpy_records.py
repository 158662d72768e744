"""numpy arrays of records that one .npy file cannot carry, and single records: the dtype, and each field by itself.

They are record arrays, as `DataFrame.to_records` makes them, records with Python objects in them, and records that are
aligned as C does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from . import numpy_dtypes
from .codec import Decoder
from .documents import FILE, DocumentMaterializer
from .files import read_json, reading
from .protocols import Decoding, Encoding, Json


class RecordArrayMaterializer(DocumentMaterializer):
    """Arrays of records."""

    NAME = "artvcs.numpy.records"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (np.ndarray, np.recarray)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """Only arrays of records, with dtypes that JSON can say."""
        return data.dtype.names is not None and numpy_dtypes.fits(data.dtype)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The dtype, the shape and order in memory, and a part for each field."""
        plain = data.view(np.ndarray)
        return {
            "recarray": type(data) is np.recarray,
            "dtype": numpy_dtypes.encode(data.dtype),
            "shape": list(data.shape),
            "fortran": bool(data.flags.f_contiguous and not data.flags.c_contiguous),
            "fields": [encoder.leaf(plain[name]) for name in data.dtype.names],
        }

    def load(self, data_type: type[Any]) -> Any:
        """Puts the fields together."""
        with reading(FILE):
            document, decoder = read_json(self.folder, FILE), Decoder(self)
            dtype = numpy_dtypes.decode(document["dtype"])
            fields = [decoder.decode(field) for field in document["fields"]]
            array = _assemble(dtype, tuple(document["shape"]), document["fortran"], fields)
            return array.view(np.recarray) if document["recarray"] else array

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The first records."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import array

        return writing.write(self.uri, array.of_array(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Shape and dtype."""
        return {"shape": list(data.shape), "dtype": str(data.dtype)}


class RecordItemMaterializer(DocumentMaterializer):
    """A single record, as indexing such an array gives it."""

    NAME = "artvcs.numpy.record"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (np.void,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """Only records of numpy's own types, with dtypes that JSON can say."""
        if data.dtype.names is None or type(data) is not data.dtype.type:
            return False
        return numpy_dtypes.fits(data.dtype)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The dtype and the fields."""
        return {"$record": [numpy_dtypes.encode(data.dtype), [encoder.encode(data[name]) for name in data.dtype.names]]}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The dtype and the record as text."""
        return {"dtype": str(data.dtype), "value": str(data)[:200]}


def decode_record(parts: Json, decoder: Decoding) -> Any:
    """A single record."""
    described, fields = parts
    dtype = numpy_dtypes.decode(described)
    values = [_alone(decoder.decode(field), dtype[at]) for at, field in enumerate(fields)]
    return _assemble(dtype, (1,), False, values)[0]


def _alone(value: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """A column of one item."""
    column = np.empty((1, *dtype.shape), dtype.base)
    column[0] = value
    return column


def _assemble(dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool, fields: Iterable[Any]) -> Any:
    columns = dict(zip(dtype.names or (), fields, strict=True))
    for name, column in columns.items():
        expected = dtype[name]
        if (
            not isinstance(column, np.ndarray)
            or column.shape != (*shape, *expected.shape)
            or column.dtype != expected.base
        ):
            raise ValueError(f"a field {name} that is not what the dtype says")
    array = np.zeros(shape, dtype, order="F" if fortran else "C")
    for name, column in columns.items():
        array[name][...] = column
    return array
