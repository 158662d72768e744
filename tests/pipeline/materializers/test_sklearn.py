"""Models come back without running code where skops can load them, and are marked where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.materializers import PickleFallbackWarning, by_name, find_for_value
from artvcs.vcs import values

from .harness import files_of, load, save

pytest.importorskip("skops")
ensemble = pytest.importorskip("sklearn.ensemble")
linear = pytest.importorskip("sklearn.linear_model")
pipeline = pytest.importorskip("sklearn.pipeline")
preprocessing = pytest.importorskip("sklearn.preprocessing")

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


def _pipeline() -> Any:
    return pipeline.make_pipeline(preprocessing.StandardScaler(), linear.LogisticRegression()).fit(X, Y)


def test_a_pipeline_comes_back_without_pickle(tmp_path: Path) -> None:
    model = _pipeline()
    assert not save(model, tmp_path).runs_code
    loaded = load(tmp_path, "artvcs.sklearn", "sklearn.pipeline.Pipeline")
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_equal_models_are_equal_bytes(tmp_path: Path) -> None:
    save(_pipeline(), tmp_path / "1")
    save(_pipeline(), tmp_path / "2")
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def test_what_skops_does_not_trust_is_pickled_and_marked(tmp_path: Path) -> None:
    model = ensemble.RandomForestClassifier(3, random_state=0).fit(X, Y)
    with pytest.warns(PickleFallbackWarning, match="RandomForestClassifier"):
        assert save(model, tmp_path).runs_code
    loaded = load(tmp_path, "artvcs.pickle", "sklearn.ensemble.RandomForestClassifier")
    assert np.array_equal(loaded.predict(X), model.predict(X))


def test_a_model_with_a_function_in_it_is_pickled() -> None:
    model = preprocessing.FunctionTransformer(lambda x: x)
    assert find_for_value(model).NAME == "artvcs.pickle"


def test_metadata_holds_the_parameters() -> None:
    for model in (linear.LogisticRegression(C=0.5), ensemble.RandomForestClassifier(3)):
        facts = find_for_value(model)("").extract_metadata(model)
        assert facts["class"] == type(model).__name__
        assert facts["parameters"]["C" if "C" in facts["parameters"] else "n_estimators"] in (0.5, 3)
        values.encode(facts)


def test_a_model_that_asks_for_more_than_skops_trusts_is_refused(tmp_path: Path) -> None:
    save(_pipeline(), tmp_path)
    schema = tmp_path / "model" / "schema.json"
    schema.write_text(schema.read_text().replace("sklearn.pipeline", "subprocess").replace('"Pipeline"', '"Popen"'))
    with pytest.raises(MaterializerError):
        by_name("artvcs.sklearn")(str(tmp_path)).load(object)
