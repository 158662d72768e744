"""numpy arrays and scalars, as .npy files that never hold a pickle.

An array of another dtype than .npy can carry goes to `numpy_objects`.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from artvcs.pipelines.values.folder import SMALL, Folder

from . import numpy_dtypes
from .base import Materializer
from .documents import DocumentMaterializer
from .files import read_json, reading, write_json
from .protocols import Decoding, Encoding, Json

FILE = "array.npy"
# From here on mapping is cheaper than reading; the mapping outlives the file's name.
MAP_BYTES = 1 << 20
MAX_STATISTICS = 10_000_000
# Structured dtypes have long headers; numpy's own limit is for untrusted literals of any kind.
_MAX_HEADER = 1 << 20


def fits_npy(dtype: np.dtype[Any]) -> bool:
    """Whether a .npy file brings back exactly this dtype."""
    if dtype.hasobject or dtype.kind == "T" or numpy_dtypes.has_metadata(dtype):
        return False
    try:
        found = np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype))
    except (TypeError, ValueError):
        return False
    return numpy_dtypes.same(found, dtype)


def write_array(folder: Folder, name: str, array: np.ndarray[Any, Any]) -> None:
    """Writes an array that `fits_npy`; equal arrays give equal bytes."""
    if array.nbytes > SMALL:
        with (folder.path / name).open("wb") as file:
            _write_to(file, array)
    else:
        buffer = io.BytesIO()
        _write_to(buffer, array)
        folder.write(name, buffer.getvalue())


def _write_to(file: Any, array: np.ndarray[Any, Any]) -> None:
    np.lib.format.write_array(file, without_padding(array), _npy_version(array.dtype), allow_pickle=False)


def _npy_version(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The oldest version of the format that can say the dtype; left to choose, numpy warns."""
    header = repr(np.lib.format.dtype_to_descr(dtype))
    if not header.isascii():
        return (3, 0)
    return (2, 0) if len(header) > 60_000 else (1, 0)


def read_array(folder: Folder, name: str) -> np.ndarray[Any, Any]:
    """Reads an array that may be written to; large ones are mapped copy-on-write."""
    if folder.held is not None and (array := _array_of(folder.read(name))) is not None:
        return array
    path = folder.path / name
    # Always mapped first: it checks the size that the header claims against the file's.
    array = map_array(path)
    array = array.view(np.ndarray) if array.shape else np.asarray(array)
    return array if path.stat().st_size >= MAP_BYTES else array.copy(order="K")


def _array_of(content: bytes) -> np.ndarray[Any, Any] | None:
    """The array in a .npy file; None for a version of the format whose header numpy reads from files alone."""
    file = io.BytesIO(content)
    read_header = _HEADERS.get(np.lib.format.read_magic(file))
    if read_header is None:
        return None
    shape, fortran, dtype = read_header(file, max_header_size=_MAX_HEADER)
    if dtype.hasobject:
        raise ValueError("an array of objects")
    # With a buffer, because that checks the size that the header claims.
    array = np.ndarray(shape, dtype, content, file.tell(), order="F" if fortran else "C")
    return array.copy(order="K")


_HEADERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def map_array(path: Path) -> np.ndarray[Any, Any]:
    """Maps an array copy-on-write."""
    array = np.load(path, mmap_mode="c", allow_pickle=False, max_header_size=_MAX_HEADER)
    if not isinstance(array, np.ndarray):
        raise ValueError("not a .npy file")
    return array


def without_padding(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array with zeros where memory between or inside its items means nothing."""
    dtype = array.dtype
    if dtype.kind in "fc" and np.dtype(dtype.char).itemsize > 8 * (1 + (dtype.kind == "c")):
        return _without_long_double_padding(array)
    if dtype.names is None or _is_packed(dtype):
        return array
    # Not zeros_like: that copies a zero into each field, and leaves the gaps as they are.
    clean = np.zeros(array.shape, dtype, order="F" if array.flags.fnc else "C")
    for name in dtype.names:
        clean[name] = without_padding(array[name])
    return clean


class NdarrayMaterializer(Materializer):
    """Arrays of numbers, times, text and records, as .npy."""

    NAME = "artvcs.numpy.ndarray"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (np.ndarray,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for dtypes that .npy cannot carry."""
        return fits_npy(data.dtype)

    def save(self, data: np.ndarray[Any, Any]) -> None:
        """Writes `array.npy`."""
        write_array(self.folder, FILE, data)

    def load(self, data_type: type[Any]) -> Any:
        """Reads `array.npy`."""
        with reading(FILE):
            return read_array(self.folder, FILE)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The image that it looks like, else a histogram; statistics."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import array

        return writing.write(self.uri, array.of_array(data))

    def extract_metadata(self, data: np.ndarray[Any, Any]) -> dict[str, Any]:
        """Shape, dtype, and the statistics of numbers unless there are very many."""
        return array_metadata(data)


class MemmapMaterializer(NdarrayMaterializer):
    """Arrays that are mapped from a file; a loaded one maps the stored file, copy-on-write."""

    NAME = "artvcs.numpy.memmap"
    KEEPS_FILES = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (np.memmap,)

    def load(self, data_type: type[Any]) -> Any:
        """Maps `array.npy`."""
        with reading(FILE):
            return map_array(self.folder.path / FILE)


class MaskedArrayMaterializer(Materializer):
    """Masked arrays: the data, the mask, the fill value and whether the mask is hard."""

    NAME = "artvcs.numpy.masked"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (np.ma.MaskedArray,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for dtypes that .npy cannot carry, and for arrays with extra attributes."""
        return fits_npy(data.dtype) and type(data._baseclass) is type and not data._optinfo

    def save(self, data: np.ma.MaskedArray[Any, Any]) -> None:
        """Writes one .npy for each part there is."""
        fill: Any = getattr(data, "_fill_value", None)
        write_json(self.folder, "masked.json", {"hard": bool(data.hardmask)})
        write_array(self.folder, "data.npy", data.data)
        if data.mask is not np.ma.nomask:
            write_array(self.folder, "mask.npy", np.asarray(data.mask))
        if fill is not None:
            write_array(self.folder, "fill.npy", np.asarray(fill))

    def load(self, data_type: type[Any]) -> Any:
        """Puts the parts together."""
        with reading("masked.json"):
            hard = read_json(self.folder, "masked.json")["hard"]
            mask = read_array(self.folder, "mask.npy") if self.folder.has("mask.npy") else np.ma.nomask
            array: Any = np.ma.MaskedArray(read_array(self.folder, "data.npy"), mask=mask, hard_mask=hard)
            if self.folder.has("fill.npy"):
                array.fill_value = read_array(self.folder, "fill.npy")[()]
            return array

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """A histogram and statistics of what is not masked."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import array

        return writing.write(self.uri, array.of_array(data))

    def extract_metadata(self, data: np.ma.MaskedArray[Any, Any]) -> dict[str, Any]:
        """Shape, dtype and the number of masked items."""
        return {"shape": list(data.shape), "dtype": str(data.dtype), "masked": int(np.count_nonzero(data.mask))}


class NumpyScalarMaterializer(DocumentMaterializer):
    """numpy's own numbers, such as `numpy.float64`: dtype and bytes."""

    NAME = "artvcs.numpy.scalar"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (np.generic,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for subclasses of numpy's types and for dtypes that .npy cannot carry."""
        return type(data) is data.dtype.type and data.dtype.names is None and fits_npy(data.dtype)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The dtype, the bytes, and the text of the value for those who read the file."""
        content = without_padding(np.asarray(data)).tobytes()[: data.dtype.itemsize]  # an array has no empty items
        return {"$numpy": [np.lib.format.dtype_to_descr(data.dtype), base64.b64encode(content).decode()]}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The dtype and the value as text."""
        return {"dtype": str(data.dtype), "value": str(data)[:200]}


def decode_scalar(parts: Json, decoder: Decoding) -> Any:
    """A numpy scalar."""
    descr, content = parts
    dtype = np.lib.format.descr_to_dtype(descr)
    if dtype.hasobject:
        raise ValueError("a numpy scalar that holds objects")
    raw = base64.b64decode(content, validate=True)
    if len(raw) != dtype.itemsize:
        raise ValueError("a numpy scalar of the wrong size")
    return np.ndarray((), dtype, buffer=bytearray(raw) if raw else None)[()]


def array_metadata(data: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Shape, dtype, and the statistics of numbers unless there are very many."""
    facts: dict[str, Any] = {"shape": list(data.shape), "dtype": str(data.dtype)}
    if data.dtype.kind in "iufb" and 0 < data.size <= MAX_STATISTICS:
        with np.errstate(all="ignore"):
            facts |= {"min": _number(data.min()), "max": _number(data.max())}
            facts |= {"mean": float(data.mean(dtype=np.float64)), "std": float(data.std(dtype=np.float64))}
    return facts


def _number(value: Any) -> int | float:
    number = value.item()
    return number if isinstance(number, int) else float(number)  # a long double stays one under item()


def _is_packed(dtype: np.dtype[Any]) -> bool:
    if dtype.names is None or dtype.fields is None:
        return dtype.kind not in "fc" or dtype.itemsize <= 16
    inner = [dtype.fields[name][0] for name in dtype.names]
    return sum(field.itemsize for field in inner) == dtype.itemsize and all(map(_is_packed, inner))


def _without_long_double_padding(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    order: Any = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    clean = np.zeros_like(array, order=order, subok=False)
    clean[...] = array
    size = np.dtype(np.longdouble).itemsize
    flat = clean.reshape(-1, order=order).view(np.uint8).reshape(-1, size)
    flat[:, np.finfo(np.longdouble).nmant // 8 + 3 :] = 0
    return clean
