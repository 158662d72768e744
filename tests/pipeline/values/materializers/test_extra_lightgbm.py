"""lightgbm: the same predictions and the same attributes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .conformance import hashes, needs_trust, refuses_cut_files, reload
from .harness import save

pytest.importorskip("sklearn")
lightgbm = pytest.importorskip("lightgbm")

NAME = "artvcs.lightgbm"
FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
FRAME["c"] = pd.Categorical(np.where(FRAME["c"] > 0, "x", "y"))
Y = np.where(FRAME["a"] > 0, "yes", "no")
QUIET = {"verbose": -1, "n_jobs": 1}


def samples() -> dict[str, Any]:
    stop = [lightgbm.early_stopping(2, verbose=False)]
    regressor = lightgbm.LGBMRegressor(n_estimators=5, **QUIET)
    classifier = lightgbm.LGBMClassifier(n_estimators=3, **QUIET).fit(FRAME, Y)
    return {
        "classifier": classifier,
        "regressor": regressor.fit(FRAME, FRAME["b"], eval_set=[(FRAME, FRAME["b"])], callbacks=stop),
        "booster": classifier.booster_,
        "not fitted": lightgbm.LGBMRanker(),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["classifier", "regressor", "booster", "not fitted"])
def test_models(name: str, tmp_path: Path) -> None:
    model = samples()[name]
    loaded = reload(model, tmp_path, NAME)
    if name != "not fitted":
        assert np.array_equal(loaded.predict(FRAME), model.predict(FRAME))
    if name == "classifier":
        assert list(loaded.classes_) == ["no", "yes"]
        assert loaded.get_params() == model.get_params()
    if name == "regressor":
        assert (loaded.best_iteration_, loaded.evals_result_) == (model.best_iteration_, model.evals_result_)


@pytest.mark.filterwarnings("ignore")
def test_two_processes_write_the_same_bytes() -> None:
    assert hashes(__name__, "1") == hashes(__name__, "2")


def test_metadata() -> None:
    facts = find_for_value(samples()["classifier"])("").extract_metadata(samples()["classifier"])
    assert (facts["class"], facts["parameters"]["n_estimators"]) == ("LGBMClassifier", 3)
    assert (facts["trees"], facts["features"]) == (3, 3)


def test_a_model_needs_trust(tmp_path: Path) -> None:
    needs_trust(samples()["classifier"], tmp_path)


def test_cut_files(tmp_path: Path) -> None:
    # Not the model's own file: lightgbm ends the process when that is damaged, which is why it asks for trust.
    refuses_cut_files(samples()["classifier"], tmp_path, "model.txt")


@pytest.mark.parametrize("name", ["Dataset", "basic", "LGBMModel.fit", "nothing", None])
def test_other_classes_are_refused(name: Any, tmp_path: Path) -> None:
    save(samples()["not fitted"], tmp_path)
    path = tmp_path / "value.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "class": name}))
    with pytest.raises(MaterializerError):
        by_name(NAME)(str(tmp_path)).load(object)
