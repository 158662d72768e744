"""numpy's polynomials: the coefficients, the domain, the window and the symbol."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
from numpy import polynomial

from ..documents.materializer import DocumentMaterializer
from ..protocols import Decoding, Encoding, Json

_CLASSES: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        *(polynomial.Polynomial, polynomial.Chebyshev, polynomial.Legendre),
        *(polynomial.Laguerre, polynomial.Hermite, polynomial.HermiteE),
    )
}
_ARRAYS = ("coef", "domain", "window")


class PolynomialMaterializer(DocumentMaterializer):
    """Polynomials in all the bases that numpy has."""

    NAME = "artvcs.numpy.polynomial"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = tuple(_CLASSES.values())

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False where an attribute was added, or set to what the class itself would not have made of it."""
        if not set(vars(data)) <= {*_ARRAYS, "_symbol"}:
            return False
        with suppress(Exception):  # they may have been set to anything
            mine, made = _arrays(data), _arrays(type(data)(**_arrays(data), symbol=data.symbol))
            return all(mine[name].dtype.str == made[name].dtype.str for name in mine)
        return False

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The name of the class, the dtype and items of each array, and the symbol."""
        arrays = {name: [array.dtype.str, encoder.encode(array.tolist())] for name, array in _arrays(data).items()}
        return {"$polynomial": [type(data).__name__, arrays, encoder.encode(data.symbol)]}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The degree."""
        return {"degree": data.degree()}


def decode_polynomial(parts: Json, decoder: Decoding) -> Any:
    """The polynomial of its JSON."""
    name, arrays, symbol = parts
    found = {array: np.array(decoder.decode(items), dtype=dtype) for array, (dtype, items) in arrays.items()}
    return _CLASSES[name](**found, symbol=decoder.decode(symbol))


def _arrays(data: Any) -> dict[str, Any]:
    """The arrays of its own: a domain or window that is not among them is the usual one of the class."""
    return {name: vars(data)[name] for name in _ARRAYS if name in vars(data)}
