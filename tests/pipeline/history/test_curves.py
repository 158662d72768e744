"""Curves: what a step notes step by step of a training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs import log_metadata, pipeline, step
from artvcs.pipelines.errors import ParameterError, PipelineError, RunFailed
from artvcs.pipelines.history import curves
from artvcs.pipelines.history.curves import Point
from artvcs.pipelines.history.views import PipelineRun
from artvcs.vcs import DamagedError, Repository, fsck


@step
def train(epochs: int, fails: bool = False) -> int:
    for epoch in range(epochs):
        log_metadata({"loss": 1 / (epoch + 1), "rate": np.float32(0.5)}, step=epoch)
    if fails:
        raise ValueError("diverged")
    return epochs


@pipeline
def training(epochs: int = 3, fails: bool = False) -> None:
    train(epochs, fails)


@pytest.mark.usefixtures("project")
def test_a_step_notes_a_curve() -> None:
    run = training()
    noted = run.steps["train"]
    assert noted.curves["loss"].steps == [0, 1, 2]
    assert noted.curves["loss"].values == [1.0, 0.5, 1 / 3]
    assert noted.curves["loss"].moments == sorted(noted.curves["loss"].moments)
    assert noted.metadata == {"loss": 1 / 3, "rate": 0.5}  # the last value stands for the curve
    again = training().steps["train"]
    assert (again.cached, again.curves) == (True, noted.curves)
    assert list(fsck(Repository.discover().layout.folder)) == []


@pytest.mark.usefixtures("project")
def test_the_curve_of_a_training_that_failed_is_kept() -> None:
    with pytest.raises(RunFailed) as told:
        training(5, fails=True)
    assert isinstance(told.value.run, PipelineRun)
    assert len(told.value.run.steps["train"].curves["loss"].values) == 5


@pytest.mark.usefixtures("project")
def test_what_is_no_point_is_refused() -> None:
    with pytest.raises(PipelineError, match="works only inside a running step"):
        log_metadata({"loss": 1}, step=1)

    @step
    def text() -> None:
        with pytest.raises(ParameterError, match="'loss' is a str, and a curve needs numbers"):
            log_metadata({"loss": "low"}, step=1)
        with pytest.raises(ParameterError, match="count with whole numbers"):
            log_metadata({"loss": 1.0}, step=1.5)  # type: ignore[arg-type]

    @pipeline
    def texts() -> None:
        text()

    assert texts().steps["text"].curves == {}


points = st.builds(Point, st.integers(), st.floats(), st.integers(0, 2**50))


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.lists(points, min_size=1), max_size=3))
def test_curves_come_back_as_they_were(noted: dict[str, list[Point]]) -> None:
    found = curves.decode(curves.encode(noted))
    assert found.keys() == noted.keys()
    for name, curve in found.items():
        assert [curve.steps, curve.moments] == [[p.step for p in noted[name]], [p.moment for p in noted[name]]]
        for got, was in zip(curve.values, noted[name], strict=True):
            assert got == was.value or (math.isnan(got) and math.isnan(was.value))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{", b'{"a":1}', b'{"a":{"steps":[1],"values":[],"moments":[1]}}',
        b'{"a":{"steps":["1"],"values":[1],"moments":[1]}}', b'{"a":{"steps":[1],"values":["x"],"moments":[1]}}',
        b'{"a":{"steps":[1],"values":[null],"moments":[1]}}', b'{"a":{"steps":[true],"values":[1],"moments":[1]}}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_curve_is_damaged(data: bytes) -> None:
    with pytest.raises(DamagedError):
        curves.decode(data)
