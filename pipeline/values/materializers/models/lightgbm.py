"""lightgbm boosters and models in lightgbm's own text format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import lightgbm

from .native import NativeModelMaterializer

_FILE = "model.txt"
_HANDLE = "_handle"


class LightGBMMaterializer(NativeModelMaterializer):
    """Boosters and scikit-learn-like models of lightgbm."""

    NAME = "artvcs.lightgbm"
    LIBRARY: ClassVar[Any] = lightgbm
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (lightgbm.Booster, lightgbm.LGBMModel)

    def write_booster(self, booster: Any) -> Any:
        """Writes the trees as text; as in lightgbm's own pickles, the data trained on is left out."""
        state = booster.__getstate__()
        (Path(self.uri) / _FILE).write_text(state.pop(_HANDLE), encoding="utf-8", newline="")
        return state

    def read_booster(self, attributes: Any) -> Any:
        """Reads them."""
        text = (Path(self.uri) / _FILE).read_bytes().decode()
        booster = lightgbm.Booster.__new__(lightgbm.Booster)
        booster.__setstate__({**attributes, _HANDLE: text})
        return booster

    def booster_metadata(self, booster: Any) -> dict[str, Any]:
        """Trees and features."""
        return {"trees": int(booster.num_trees()), "features": int(booster.num_feature())}
