"""pandas' categorical dtype by itself, as a step that prepares data hands it on."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from ..documents.materializer import DocumentMaterializer
from ..protocols import Decoding, Encoding, Json
from . import labels


class CategoricalDtypeMaterializer(DocumentMaterializer):
    """CategoricalDtype: the categories, if there are any yet, and whether they are ordered."""

    NAME = "artvcs.pandas.CategoricalDtype"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.CategoricalDtype,)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The labels and the order."""
        categories = None if data.categories is None else labels.encode(data.categories, encoder)
        return {"$categorical": [categories, data.ordered]}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The number of categories, and whether they are ordered."""
        counted = {} if data.categories is None else {"categories": len(data.categories)}
        return {**counted, "ordered": bool(data.ordered)}


def decode_categorical(parts: Json, decoder: Decoding) -> Any:
    """The dtype of its JSON."""
    categories, ordered = parts
    return pd.CategoricalDtype(None if categories is None else labels.decode(categories, decoder), ordered)
