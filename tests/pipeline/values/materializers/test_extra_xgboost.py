"""xgboost: the same predictions, and the same training from there on."""

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

xgboost = pytest.importorskip("xgboost")
pytest.importorskip("sklearn")

NAME = "artvcs.xgboost"
X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)


def _with_categories() -> Any:
    frame = pd.DataFrame(X, columns=list("abc"))
    frame["c"] = pd.Categorical(np.where(X[:, 2] > 0, "x", "y"))
    return frame


def samples() -> dict[str, Any]:
    stopped = xgboost.XGBClassifier(n_estimators=5, early_stopping_rounds=2, random_state=0)
    return {
        "classifier": stopped.fit(X, Y, eval_set=[(X, Y)], verbose=False),
        "regressor": xgboost.XGBRegressor(n_estimators=2).fit(X, X[:, 1]),
        "forest": xgboost.XGBRFRegressor(n_estimators=2, random_state=0).fit(X, Y),
        "linear": xgboost.XGBRegressor(booster="gblinear", updater="coord_descent", n_estimators=2).fit(X, Y),
        "not fitted": xgboost.XGBRanker(max_depth=2),
        "booster": xgboost.train({"eta": 0.1, "seed": 1}, xgboost.DMatrix(X, Y), 2),
    }


@pytest.mark.parametrize("name", samples())
def test_models(name: str, tmp_path: Path) -> None:
    model = samples()[name]
    loaded = reload(model, tmp_path, NAME)
    data = xgboost.DMatrix(X) if name == "booster" else X
    if name != "not fitted":
        assert np.array_equal(loaded.predict(data), model.predict(data))
    if name != "booster":
        assert str(loaded.get_params()) == str(model.get_params())


def test_early_stopping_and_its_history_are_kept(tmp_path: Path) -> None:
    model = samples()["classifier"]
    loaded = reload(model, tmp_path, NAME)
    assert loaded.best_iteration == model.best_iteration
    assert loaded.evals_result() == model.evals_result()
    assert list(loaded.classes_) == list(model.classes_)


def test_categories(tmp_path: Path) -> None:
    frame = _with_categories()
    model = xgboost.XGBClassifier(n_estimators=2, enable_categorical=True).fit(frame, Y)
    assert np.array_equal(reload(model, tmp_path, NAME).predict_proba(frame), model.predict_proba(frame))


def test_training_goes_on_with_the_same_settings(tmp_path: Path) -> None:
    booster = samples()["booster"]
    loaded = reload(booster, tmp_path, NAME)
    assert loaded.save_config() == booster.save_config()
    for each in (booster, loaded):
        each.update(xgboost.DMatrix(X, Y), 2)
    assert loaded.save_raw() == booster.save_raw()


def test_two_processes_write_the_same_bytes() -> None:
    assert hashes(__name__, "1") == hashes(__name__, "2")


def test_metadata() -> None:
    facts = find_for_value(samples()["classifier"])("").extract_metadata(samples()["classifier"])
    assert facts["class"] == "XGBClassifier"
    assert facts["parameters"]["n_estimators"] == 5
    assert (facts["features"], facts["objective"]) == (3, "binary:logistic")


def test_a_subclass_is_pickled() -> None:
    class Mine(xgboost.XGBClassifier):  # type: ignore[misc, name-defined, unused-ignore]
        pass

    assert find_for_value(Mine()).NAME == "artvcs.pickle"


def test_a_model_needs_trust(tmp_path: Path) -> None:
    needs_trust(samples()["regressor"], tmp_path)


def test_cut_files(tmp_path: Path) -> None:
    # Not xgboost's own files: it ends the process when they are damaged, which is why it asks for trust.
    refuses_cut_files(samples()["regressor"], tmp_path, "model.ubj", "config.json")


@pytest.mark.parametrize("name", ["Booster", "DMatrix", "os", "sys", "config_context", "nothing", 3])
def test_other_classes_are_refused(name: Any, tmp_path: Path) -> None:
    save(samples()["not fitted"], tmp_path)
    path = tmp_path / "value.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "class": name}))
    with pytest.raises(MaterializerError):
        by_name(NAME)(str(tmp_path)).load(object)
