"""pandas' categorical dtype by itself, as a step that prepares data hands it on."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd

from . import pandas_labels
from .documents import DocumentMaterializer
from .protocols import Decoding, Encoding, Json


class CategoricalDtypeMaterializer(DocumentMaterializer):
    """CategoricalDtype: the categories, if there are any yet, and whether they are ordered."""

    NAME = "artvcs.pandas.CategoricalDtype"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pd.CategoricalDtype,)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The labels and the order."""
        labels = None if data.categories is None else pandas_labels.encode(data.categories, encoder)
        return {"$categorical": [labels, data.ordered]}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The number of categories, and whether they are ordered."""
        counted = {} if data.categories is None else {"categories": len(data.categories)}
        return {**counted, "ordered": bool(data.ordered)}


def decode_categorical(parts: Json, decoder: Decoding) -> Any:
    """The dtype of its JSON."""
    labels, ordered = parts
    return pd.CategoricalDtype(None if labels is None else pandas_labels.decode(labels, decoder), ordered)
