"""Files that were not written by `save` are refused with one kind of error, and nothing else happens."""

from __future__ import annotations

import json
import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from artvcs.pipelines.errors import MaterializerError, UntrustedData
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .frames import extension_arrays, frames
from .harness import files_of, save
from .samples import Plain, arrays, containers, scalars

MODULE = __name__


def _record(format_: Any, **changed: Any) -> dict[str, Any]:
    """The dtype of a record of one field, with something changed."""
    layout = {"names": ["a"], "titles": [None], "formats": [format_], "offsets": [0], "itemsize": 16}
    return {**layout, "aligned": False, "record": False, **changed}


def _nested(depth: int) -> Any:
    dtype: Any = "<i4"
    for _ in range(depth):
        dtype = {"items": dtype, "shape": [1]}
    return dtype


DOCUMENTS: list[Any] = [
    {"$unknown": 1},
    {"$int": "x"},
    {"$int": 3},
    {"$float": "1.0"},
    {"$bytes": "?"},
    {"$tuple": 3},
    {"$dict": [[1], []]},
    {"$dict": [[[1]], [1]]},
    {"$set": [[1]]},
    {"$datetime": ["x", 0, None]},
    {"$datetime": ["2020-01-01T00:00:00", 7, None]},
    {"$zone": "../../etc/passwd"},
    {"$zone": "/etc/passwd"},
    {"$pattern": ["(", 32]},
    {"$pattern": ["a", 1 << 20]},
    {"$pattern": ["a", "i"]},
    {"$pattern": ["a", 32 | re.DEBUG]},
    {"$pattern": [{"$bytes": "?"}, 0]},
    {"$pattern": [3, 32]},
    {"$pattern": ["(" * 100_000, 32]},
    {"$defaultdict": ["subprocess:Popen", [], []]},
    {"$defaultdict": ["os:system", [], []]},
    {"$enum": ["os:system", "x"]},
    {"$enum": ["builtins:int", "real"]},
    {"$enum": ["enum:Enum", "mro"]},
    {"$flag": ["re:RegexFlag", "x"]},
    {"$namedtuple": ["builtins:tuple", ["a"], [1]]},
    {"$namedtuple": ["os:system", [], []]},
    {"$dataclass": ["subprocess:Popen", {"args": "true"}]},
    {"$dataclass": ["nowhere:Nothing", {}]},
    {"$dataclass": [3, {}]},
    {"$stored": ["../0", "artvcs.scalar", "builtins.int"]},
    {"$stored": ["/etc", "artvcs.scalar", "builtins.int"]},
    {"$stored": ["0", "os:system", "builtins.int"]},
    {"$stored": ["0", "artvcs.scalar", "builtins.int"]},
    {"$stored": []},
    {"$stored": [[], {}, 1]},
    {"$pickled": 0},
    {"$pickled": -1},
    {"$numpy": ["O", "AAAAAAAAAAA="]},
    {"$numpy": ["<f8", "AAAA"]},
    {"$numpy": [[["a", "O"]], ""]},
    {"$record": [{"names": ["a"]}, [1]]},
    {"$record": [_record("<i4"), []]},
    {"$record": [_record("<i4"), [1, 2]]},
    {"$record": [_record("<i4"), ["x"]]},
    {"$record": [_record("<i4", itemsize=2), [1]]},
    {"$record": [_record("O", offsets=[-8]), [1]]},
    {"$record": [_record("O", names=["a", "b"], titles=[None, None], formats=["O", "<i8"], offsets=[0, 4]), [1, 2]]},
    {"$record": [_record("no such"), [1]]},
    {"$record": [_record({"items": "<i4", "shape": [2]}), [[1, 2, 3]]]},
    {"$record": ["<i4", [1]]},
    {"$record": [_nested(100), [1]]},
    {"$polynomial": ["poly1d", {"coef": ["<f8", [1.0]]}, "x"]},
    {"$polynomial": ["Polynomial", {"coef": ["<f8", ["x"]]}, "x"]},
    {"$polynomial": ["Polynomial", {"coef": ["<f8", [[1.0]]]}, "x"]},
    {"$polynomial": ["Polynomial", {"coef": ["<f8", []]}, "x"]},
    {"$polynomial": ["Polynomial", {"coef": ["<f8", [1.0]]}, "a b"]},
    {"$polynomial": ["Polynomial", {"coef": ["<f8", [1.0]], "window": ["<f8", [1.0]]}, "x"]},
    {"$polynomial": ["Polynomial", {}, "x"]},
    {"$pandas": ["Timestamp", 1]},
    {"$pandas": ["os"]},
    {"$pandas": ["Period", "x", "D"]},
    {"$pandas": ["Period", 1, "no such"]},
    {"$pandas": ["Period", {"$int": hex(2**70)}, "D"]},
    {"$pandas": ["Interval", "a", "b", "right"]},
    {"$pandas": ["Interval", 2, 1, "right"]},
    {"$pandas": ["Interval", 0, 1, "open"]},
    {"$categorical": [["a"], True]},
    {"$categorical": [{"kind": "labels", "dtype": "int64", "items": [1, 1], "name": None}, True]},
    {"$categorical": [None, "yes"]},
    {"$offset": ["BaseOffset", {}]},
    {"$offset": ["system", {}]},
    {"$offset": ["Day", {"n": "x"}]},
    {"$offset": ["Day", {"n": 1, "command": "x"}]},
    {"$offset": ["Day", [1]]},
    {"$offset": ["DateOffset", {"weekday": {"$tuple": [9, 1]}}]},
    {"$offset": ["CustomBusinessDay", {"calendar": {"$pandas": ["NaT"]}}]},
    {"$offset": ["CustomBusinessDay", {"weekmask": "Someday"}]},
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: json.dumps(document)[:60])
def test_documents(document: Any, tmp_path: Path) -> None:
    (tmp_path / "value.json").write_text(json.dumps([document, {}]))
    with pytest.raises(MaterializerError):
        by_name("artvcs.container")(str(tmp_path)).load(object)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'"\\ud800', b"nan"])
def test_no_documents(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "value.json").write_bytes(content)
    with pytest.raises(MaterializerError):
        by_name("artvcs.scalar")(str(tmp_path)).load(object)


NAMES = [
    "artvcs.scalar artvcs.bytes artvcs.path artvcs.text artvcs.pickle artvcs.numpy.ndarray artvcs.numpy.masked",
    "artvcs.numpy.objects artvcs.pandas.DataFrame artvcs.pandas.Series artvcs.pandas.Index artvcs.pyarrow.Table",
    "artvcs.numpy.records artvcs.numpy.record artvcs.numpy.strings artvcs.numpy.memmap artvcs.numpy.polynomial",
    "artvcs.pandas.array artvcs.pandas.scalar artvcs.pandas.offset artvcs.pandas.CategoricalDtype",
    "artvcs.pyarrow.RecordBatch artvcs.pyarrow.Array artvcs.pyarrow.ChunkedArray artvcs.pyarrow.Schema artvcs.sklearn",
]


@pytest.mark.parametrize("name", " ".join(NAMES).split())
def test_an_empty_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(MaterializerError):
        by_name(name)(str(tmp_path)).load(object)


DAMAGED = {
    "array": np.arange(3.0),
    "masked": arrays()["masked"],
    "objects": arrays()["objects"],
    "records": arrays()["records"],
    "mapped": arrays()["mapped"],
    "polynomial": arrays()["polynomial"],
    "frame": pd.DataFrame({"a": [1, 2], "c": pd.Categorical(["x", "y"])}),
    "series": pd.Series([1], name="s"),
    "sparse": frames()["sparse"],
    "period array": extension_arrays()["period array"],
    "table": arrays()["table"],
    "dictionary": arrays()["dictionary"],
    "schema": arrays()["schema"],
    "record": containers()["dataclass"],
    "enum": scalars()["enum"],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_cut_files(name: str, tmp_path: Path) -> None:
    save(DAMAGED[name], tmp_path)
    found = find_for_value(DAMAGED[name])
    for path, content in files_of(tmp_path).items():
        for length in {0, 1, len(content) // 2, len(content) - 1}:
            (tmp_path / path).write_bytes(content[:length])
            with pytest.raises(MaterializerError):
                found(str(tmp_path)).load(object)
        (tmp_path / path).write_bytes(content)


def test_an_array_that_claims_to_be_huge(tmp_path: Path) -> None:
    save(np.arange(3.0), tmp_path)
    content = (tmp_path / "array.npy").read_bytes()
    (tmp_path / "array.npy").write_bytes(content.replace(b"(3,), }" + b" " * 15, b"(99999999999999999,), }"[:22]))
    with pytest.raises(MaterializerError):
        by_name("artvcs.numpy.ndarray")(str(tmp_path)).load(object)


def test_a_pickle_in_an_array_is_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.array([Plain(1)], dtype=object), allow_pickle=True)
    with pytest.raises(MaterializerError):
        by_name("artvcs.numpy.ndarray")(str(tmp_path)).load(object)


def test_a_pickle_instead_of_an_array_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "array.npy").write_bytes(pickle.dumps([1]))
    with pytest.raises(MaterializerError):
        by_name("artvcs.numpy.ndarray")(str(tmp_path)).load(object)


def test_a_part_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    save(1, tmp_path / "elsewhere")
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "0").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "v" / "value.json").write_text('[{"$stored":["0","artvcs.scalar","builtins.int"]}]')
    with pytest.raises(MaterializerError):
        by_name("artvcs.container")(str(tmp_path / "v")).load(list)


def test_pickled_parts_need_trust(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert save({"a": [Plain(1)]}, tmp_path).runs_code
    materializer = by_name("artvcs.container")(str(tmp_path))
    materializer.trusted = False
    with pytest.raises(UntrustedData, match="trust"):
        materializer.load(dict)
    materializer.trusted = True
    assert materializer.load(dict) == {"a": [Plain(1)]}


def test_a_class_that_has_other_fields_now(tmp_path: Path) -> None:
    path = find_for_value(containers()["dataclass"])
    save(containers()["dataclass"], tmp_path)
    document = (tmp_path / "value.json").read_text().replace('"derived"', '"removed"')
    (tmp_path / "value.json").write_text(document)
    with pytest.raises(MaterializerError, match="had the fields"):
        path(str(tmp_path)).load(object)
