"""Arrays that one .npy file cannot carry: records with objects, aligned ones, text of any length, mapped files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .equality import same
from .harness import load, round_trip, save
from .samples import Plain, arrays

ALIGNED = np.dtype([("a", "i1"), ("b", "<f8")], align=True)


def name_of(value: Any) -> str:
    return find_for_value(value).NAME


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        ("structured", "artvcs.numpy.ndarray"),
        ("padded", "artvcs.numpy.ndarray"),
        ("aligned", "artvcs.numpy.records"),
        ("aligned inside", "artvcs.numpy.records"),
        ("records", "artvcs.numpy.records"),
        ("records seen as an array", "artvcs.numpy.records"),
        ("record", "artvcs.numpy.record"),
        ("mapped", "artvcs.numpy.memmap"),
        ("polynomial", "artvcs.numpy.polynomial"),
    ],
)
def test_which_materializer(sample: str, name: str) -> None:
    assert name_of(arrays()[sample]) == name


def test_a_structure_that_is_aligned_stays_so_and_one_that_is_not_does_not() -> None:
    for dtype in (ALIGNED, np.dtype(ALIGNED.descr)):
        assert round_trip(np.zeros(2, dtype)).dtype.isalignedstruct == dtype.isalignedstruct


def test_what_is_no_part_of_the_items_does_not_count(tmp_path: Path) -> None:
    clean, dirty = (np.frombuffer(bytes([fill]) * 32, ALIGNED).copy() for fill in (0, 255))
    dirty["a"], dirty["b"] = clean["a"], clean["b"]
    save(clean, tmp_path / "clean")
    save(dirty, tmp_path / "dirty")
    for part in ("0/array.npy", "1/array.npy", "value.json"):
        assert (tmp_path / "clean" / part).read_bytes() == (tmp_path / "dirty" / part).read_bytes()


def test_fields_of_a_record_array_are_attributes_again() -> None:
    loaded = round_trip(np.rec.array([(1, "a")], dtype=[("n", "i4"), ("t", "U1")]))
    assert loaded.t.tolist() == ["a"]
    assert loaded[0].n == 1


def test_objects_in_records_are_kept_as_in_a_list(tmp_path: Path) -> None:
    records = np.zeros(1, [("n", "i4"), ("o", "O")])
    records["o"][0] = {"a": (1, [np.float32(2)])}
    assert same(records, round_trip(records))
    records["o"][0] = Plain(1)
    with pytest.warns(match="Plain"):
        assert save(records, tmp_path).runs_code


@pytest.mark.parametrize("change", [{"fields": []}, {"shape": [5]}, {"dtype": "<i4"}, {"fields": [1, 2]}], ids=str)
def test_false_records(change: dict[str, Any], tmp_path: Path) -> None:
    save(arrays()["aligned"], tmp_path)
    path = tmp_path / "value.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))
    with pytest.raises(MaterializerError):
        by_name("artvcs.numpy.records")(str(tmp_path)).load(object)


# Mapped files


def test_a_mapped_array_maps_the_stored_copy(tmp_path: Path) -> None:
    materializer = save(arrays()["mapped"], tmp_path)
    loaded = load(tmp_path, materializer.NAME, "numpy.memmap")
    assert type(loaded) is np.memmap
    assert Path(str(loaded.filename)) == tmp_path / "array.npy"
    loaded[0, 0] = 99  # changes the copy in memory alone
    assert load(tmp_path, materializer.NAME, "numpy.memmap")[0, 0] == 0


def test_a_container_says_that_a_mapped_array_goes_on_using_the_files(tmp_path: Path) -> None:
    save({"a": [arrays()["mapped"]]}, tmp_path)
    reader = by_name("artvcs.container")(str(tmp_path))
    reader.load(dict)
    assert reader.keeps_files


# Text of any length

needs_strings = pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="numpy 1 has no StringDType")


@needs_strings
@pytest.mark.parametrize("change", [{"texts": ["a", None]}, {"shape": [3]}, {"missing": [{"$set": []}]}], ids=str)
def test_false_strings(change: dict[str, Any], tmp_path: Path) -> None:
    save(np.array(["a", "b"], np.dtypes.StringDType()), tmp_path)
    path = tmp_path / "value.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))
    with pytest.raises(MaterializerError):
        by_name("artvcs.numpy.strings")(str(tmp_path)).load(object)


@needs_strings
def test_a_missing_text_of_a_user_s_class_is_pickled() -> None:
    made: Any = np.dtypes.StringDType
    assert name_of(np.array(["a"], made(na_object=None))) == "artvcs.numpy.strings"
    assert name_of(np.array(["a"], made(na_object=Plain(1)))) == "artvcs.pickle"


# Polynomials


def test_polynomials_can_be_used_and_compared() -> None:
    line = np.polynomial.Polynomial([1, 2], domain=[0, 5], symbol="t")
    loaded = round_trip(line)
    assert loaded == line
    assert loaded(3) == line(3)
    assert str(loaded) == str(line)


class Mine(np.polynomial.Polynomial):
    """A user's polynomial."""


def test_polynomials_of_users_and_with_more_to_them_are_pickled() -> None:
    noted = np.polynomial.Polynomial([1])
    noted.note = "x"  # type: ignore[attr-defined]
    changed, broken = np.polynomial.Polynomial([1]), np.polynomial.Polynomial([1])
    changed.coef = np.array([1])
    broken.coef = "x"  # type: ignore[assignment]
    for value in (Mine([1]), noted, changed, broken):
        assert name_of(value) == "artvcs.pickle"
