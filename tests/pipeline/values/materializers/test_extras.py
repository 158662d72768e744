"""Libraries that are used only when they are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value
from artvcs.vcs.objects import values

from .harness import files_of, round_trip, save


def _check_metadata(value: Any) -> None:
    values.encode(find_for_value(value)("").extract_metadata(value))


def test_pydantic_models() -> None:
    pytest.importorskip("pydantic")
    from .pydantic_models import Item, Order

    order = Order.model_validate({"items": [Item(name="x", price=1.5)], "note": "n", "unknown": (1, 2)})
    order._seen = {3}
    loaded = round_trip(order)
    assert loaded == order
    assert type(loaded.items[0]) is Item
    assert (loaded.model_fields_set, loaded.model_extra) == ({"items", "note", "unknown"}, {"unknown": (1, 2)})
    assert loaded._seen == {3}
    assert round_trip({"a": [order]}) == {"a": [order]}
    _check_metadata(order)


def test_a_class_that_is_no_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pydantic")
    (tmp_path / "value.json").write_text('{"$pydantic":["subprocess:Popen",{},[],null,null]}')
    with pytest.raises(MaterializerError):
        by_name("artvcs.pydantic")(str(tmp_path)).load(object)


def test_polars() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {"i": [1, None], "s": ["a", "b"], "l": [[1], []], "c": pl.Series(["x", "y"], dtype=pl.Categorical)}
    ).with_columns(t=pl.datetime(2020, 1, 1, time_zone="Europe/Berlin"), e=pl.lit("a", pl.Enum(["b", "a"])))
    loaded = round_trip(frame)
    assert loaded.schema == frame.schema
    assert loaded.equals(frame)
    assert round_trip(frame["i"]).equals(frame["i"], check_names=True)
    assert round_trip(pl.DataFrame()).equals(pl.DataFrame())
    assert find_for_value(pl.DataFrame({"o": [object()]})).NAME == "artvcs.pickle"
    _check_metadata(frame)


@pytest.mark.parametrize("name", ["csr_matrix", "csc_array", "bsr_array", "coo_matrix", "coo_array", "dia_array"])
def test_sparse(name: str, tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = getattr(sparse, name)(np.array([[0, 1.5, 0, 0], [2, 0, 0, -0.0]]))
    loaded = round_trip(matrix)
    assert type(loaded) is type(matrix)
    assert loaded.dtype == matrix.dtype
    assert np.array_equal(loaded.toarray(), matrix.toarray())
    _check_metadata(matrix)


def test_a_sparse_matrix_with_an_index_out_of_range_is_refused(tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    save(sparse.csr_matrix(np.eye(3)), tmp_path)
    np.save(tmp_path / "indices.npy", np.array([0, 1, 2**30], dtype=np.int32))
    with pytest.raises(MaterializerError):
        by_name("artvcs.scipy.sparse")(str(tmp_path)).load(object)


def test_images(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    picture = image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    picture.info["dpi"] = (72, 72)
    loaded = round_trip(picture)
    assert (loaded.mode, loaded.size, loaded.info) == (picture.mode, picture.size, picture.info)
    assert loaded.tobytes() == picture.tobytes()
    save(picture, tmp_path / "1")
    save(picture, tmp_path / "2")
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")
    _check_metadata(picture)
