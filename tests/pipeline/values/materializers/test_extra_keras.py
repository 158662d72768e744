"""Keras: the same predictions and optimizer, and no times in the files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import find_for_value

from .conformance import hashes, needs_trust, refuses_cut_files, reload
from .harness import files_of, load, save

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras needs some library to compute with
keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore")
NAME = "artvcs.keras"
X = np.random.default_rng(0).normal(size=(8, 4))


def samples() -> dict[str, Any]:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    plain = keras.Sequential([layers.Input((4,)), layers.Dense(3, "relu"), layers.Dropout(0.2), layers.Dense(1)])
    plain.compile("adam", "mse")
    plain.fit(X, X[:, 0], epochs=1, verbose=0)
    given = keras.Input((4,))
    shared = layers.Dense(4)
    return {"sequential": plain, "functional": keras.Model(given, shared(shared(given)))}


@pytest.mark.parametrize("name", ["sequential", "functional"])
def test_models(name: str, tmp_path: Path) -> None:
    model = samples()[name]
    loaded = reload(model, tmp_path, NAME)
    assert np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert len(loaded.weights) == len(model.weights)
    if name == "sequential":
        for ours, theirs in zip(loaded.optimizer.variables, model.optimizer.variables, strict=True):
            assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def test_two_processes_write_the_same_bytes() -> None:
    assert hashes(__name__, "1") == hashes(__name__, "2")


def test_no_time_is_stored(tmp_path: Path) -> None:
    save(samples()["functional"], tmp_path)
    assert not any(b"date_saved" in content for content in files_of(tmp_path).values())


def test_a_lambda_comes_back(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    save(model, tmp_path)
    loaded = load(tmp_path, NAME, "object")
    assert np.array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_class_that_keras_cannot_find_is_refused(tmp_path: Path) -> None:
    class Mine(keras.layers.Layer):  # type: ignore[misc, name-defined, unused-ignore]
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(MaterializerError, match="register"):
        save(keras.Sequential([keras.layers.Input((4,)), Mine()]), tmp_path / "value")


def test_metadata() -> None:
    facts = find_for_value(samples()["sequential"])("").extract_metadata(samples()["sequential"])
    assert (facts["class"], facts["parameter_count"], facts["optimizer"]) == ("Sequential", 19, "Adam")
    assert [layer.split(": ")[1] for layer in facts["layers"]] == ["Dense", "Dropout", "Dense"]


def test_a_model_needs_trust(tmp_path: Path) -> None:
    needs_trust(samples()["functional"], tmp_path)


def test_cut_files(tmp_path: Path) -> None:
    refuses_cut_files(samples()["functional"], tmp_path, "metadata.json")
