"""xgboost boosters and models in xgboost's own binary JSON, with the configuration to train on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import xgboost

from .native import NativeModelMaterializer

_FILE = "model.ubj"
_CONFIG = "config.json"


class XGBoostMaterializer(NativeModelMaterializer):
    """Boosters and scikit-learn-like models of xgboost."""

    NAME = "artvcs.xgboost"
    LIBRARY: ClassVar[Any] = xgboost
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (xgboost.Booster, xgboost.XGBModel)

    def write_booster(self, booster: Any) -> Any:
        """Writes the trees, and the configuration, which xgboost does not hold to be a part of the model."""
        folder = Path(self.uri)
        (folder / _FILE).write_bytes(booster.save_raw("ubj"))
        (folder / _CONFIG).write_text(booster.save_config())
        return {name: value for name, value in vars(booster).items() if name != "handle"}

    def read_booster(self, attributes: Any) -> Any:
        """Reads both."""
        folder = Path(self.uri)
        booster = xgboost.Booster()
        booster.load_model(bytearray((folder / _FILE).read_bytes()))
        booster.load_config((folder / _CONFIG).read_text())
        vars(booster).update({name: value for name, value in attributes.items() if name != "handle"})
        return booster

    def booster_metadata(self, booster: Any) -> dict[str, Any]:
        """Rounds, features and objective."""
        config = json.loads(booster.save_config())["learner"]
        return {
            "rounds": int(booster.num_boosted_rounds()),
            "features": int(booster.num_features()),
            "objective": str(config["objective"]["name"]),
        }
