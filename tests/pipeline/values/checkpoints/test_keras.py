"""The callback for Keras, with a real model on whatever backend is set (torch where none is)."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs import Client, pipeline, step

if find_spec("tensorflow") is None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    pytest.importorskip("torch")
keras = pytest.importorskip("keras")

from artvcs.pipelines.checkpoints.keras import ArtifactCheckpoint  # noqa: E402

pytestmark = [pytest.mark.usefixtures("project"), pytest.mark.filterwarnings("ignore")]


def fit(callback: Any, epochs: int = 3, rate: float = 0.1) -> Any:
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse")
    model.fit(np.ones((4, 2)), np.ones(4), batch_size=2, epochs=epochs, verbose=0, callbacks=[callback])
    return model


def versions() -> list[Any]:
    return Client().list_artifact_versions("ckpt", sort="number")


def test_each_epoch_is_a_version() -> None:
    callback = ArtifactCheckpoint("ckpt", tags=["tiny"])
    assert isinstance(callback, keras.callbacks.ModelCheckpoint)
    model = fit(callback)
    made = versions()
    assert [version.metadata["epoch"] for version in made] == [1, 2, 3]
    assert [version.metadata["global_step"] for version in made] == [2, 4, 6]
    assert all(version.metadata["loss"] > 0 for version in made)
    assert made[0].tags == ("tiny",)
    loaded = keras.models.load_model(made[-1].load())
    assert np.array_equal(loaded.predict(np.eye(2), verbose=0), model.predict(np.eye(2), verbose=0))
    assert list(Path().glob("*.keras")) == []


def test_only_what_keras_saves_is_registered() -> None:
    fit(ArtifactCheckpoint("ckpt", monitor="loss", save_best_only=True), rate=0.0)
    assert [version.metadata["epoch"] for version in versions()] == [1]


def test_files_and_batches_and_weights_are_as_keras_has_them() -> None:
    fit(ArtifactCheckpoint("ckpt", "files/{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=2))
    assert [version.load().name for version in versions()] == [path.name for path in sorted(Path("files").iterdir())]
    assert len(versions()) == 3


def test_weights_alone_need_no_path() -> None:
    model = fit(ArtifactCheckpoint("ckpt", save_weights_only=True), epochs=1)
    weights = model.get_weights()
    model.set_weights([np.zeros_like(each) for each in weights])
    model.load_weights(versions()[0].load())
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights, strict=True))


def test_inside_a_step_the_versions_are_of_its_run() -> None:
    @step
    def train() -> None:
        fit(ArtifactCheckpoint("ckpt"))

    @pipeline
    def training() -> None:
        train()

    run = training()
    assert [version.run.id for version in versions()] == [run.id] * 3


def test_training_ends_well_though_nothing_can_be_registered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no space is left")

    monkeypatch.setattr("artvcs.pipelines.functions.register_artifact", refuse)
    fit(ArtifactCheckpoint("ckpt"))
    assert caplog.text.count("no space is left") == 3
    with pytest.raises(OSError, match="no space is left"):
        fit(ArtifactCheckpoint("ckpt", strict=True))
