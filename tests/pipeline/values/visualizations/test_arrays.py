"""Arrays: which look like images, and what is said of the others."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.values.visualizations import terminal
from artvcs.pipelines.values.visualizations.kinds import array, pixels, png
from artvcs.pipelines.values.visualizations.pages import html
from artvcs.pipelines.values.visualizations.summary import Chart, Picture, Summary


def blocks(summary: Summary, kind: type) -> list[Any]:
    return [block for block in summary.blocks if isinstance(block, kind)]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_has_the_pixels_it_was_made_of(channels: int) -> None:
    image = pytest.importorskip("PIL.Image")
    given = np.random.default_rng(0).integers(0, 256, (7, 11, channels), dtype=np.uint8)
    opened = np.asarray(image.open(io.BytesIO(png.encode(given))))
    assert np.array_equal(opened.reshape(given.shape), given)


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((32, 48), np.uint8),
        np.ones((32, 48), bool),
        np.random.default_rng(0).random((32, 48)),
        np.random.default_rng(0).random((32, 48, 3)),
        np.zeros((2000, 1500, 3), np.uint8),
        np.zeros((100, 8, 8)),
        np.arange(1024.0).reshape(32, 32) % 17,
        np.zeros((9, 28, 28, 1), np.int64),
    ],
)
def test_what_looks_like_an_image_is_shown_as_one(given: np.ndarray[Any, Any]) -> None:
    [picture] = blocks(array.of_array(given), Picture)
    assert picture.png.startswith(b"\x89PNG")
    assert max(picture.width, picture.height) <= 600


@pytest.mark.parametrize(
    "given",
    [
        np.random.default_rng(0).normal(size=(32, 48)),
        np.full((32, 32), np.nan),
        np.full((32, 32), 300),
        np.full((32, 32), -1),
        np.zeros((1000, 20)),
        np.zeros((3, 3)),
        np.zeros(100),
        np.zeros((0, 8, 8)),
        np.array(["a"] * 64).reshape(8, 8),
    ],
)
def test_what_does_not_is_not(given: np.ndarray[Any, Any]) -> None:
    assert pixels.picture(given) is None


def test_numbers_get_statistics_and_a_histogram() -> None:
    summary = array.of_array(np.array([1.0, 2.0, 3.0, np.nan, np.inf]))
    text = terminal.render(summary, 80)
    for words in ("5", "float64", "mean", "NaN", "±inf"):
        assert words in text
    assert blocks(summary, Chart)


@pytest.mark.parametrize(
    "given",
    [
        np.array(3.5),
        np.array([]),
        np.array([1 + 2j]),
        np.array(["2020-01-01", "NaT"], "datetime64[D]"),
        np.array([(1, 2.0)], [("a", int), ("b", float)]),
        np.array([{"a": 1}, None, [1]], dtype=object),
        np.ma.MaskedArray([1.0, 2.0], mask=[True, False]),
        np.ma.MaskedArray([1.0], mask=[True]),
        np.array([b"x", b"y"]),
        np.full((3, 3), 1e308),
        np.arange(2_000_000),
        np.zeros((300, 400)).T,
    ],
)
def test_arrays_of_all_kinds_are_shown(given: np.ndarray[Any, Any]) -> None:
    summary = array.of_array(given)
    assert "shape" in html.render(summary)
    assert all(len(line) <= 50 for line in terminal.render(summary, 50).splitlines())


def test_sparse_matrices() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    text = terminal.render(array.of_sparse(sparse.csr_array(np.eye(10))), 80)
    assert "10 (10 %)" in text
