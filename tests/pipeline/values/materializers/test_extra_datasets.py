"""Hugging Face datasets: rows, features, split and format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .conformance import hashes, refuses_cut_files, reload
from .harness import save

datasets = pytest.importorskip("datasets")

NAME = "artvcs.datasets.Dataset"


def _dataset() -> Any:
    features = datasets.Features(
        {
            "number": datasets.Value("int8"),
            "text": datasets.Value("string"),
            "list": datasets.Sequence(datasets.Value("float32")),
            "label": datasets.ClassLabel(names=["no", "yes"]),
        }
    )
    rows = {"number": [1, 2, None], "text": ["x", None, "é"], "list": [[1.5], [], [2, 3]], "label": [0, 1, 0]}
    info = datasets.DatasetInfo(description="Three rows", citation="none", features=features)
    return datasets.Dataset.from_dict(rows, features=features, info=info, split="train")


def samples() -> dict[str, Any]:
    whole = _dataset()
    matrix = datasets.Features({"m": datasets.Array2D((2, 2), "int32")})
    return {
        "whole": whole,
        "chosen": whole.shuffle(seed=1).select([2, 0]),
        "formatted": whole.with_format("numpy", columns=["number"], output_all_columns=True),
        "concatenated": datasets.concatenate_datasets([whole, whole]),
        "no rows": whole.select([]),
        "nothing": datasets.Dataset.from_dict({}),
        "matrix": datasets.Dataset.from_dict({"m": [[[1, 2], [3, 4]]]}, features=matrix),
        "splits": datasets.DatasetDict({"train": whole, "test": whole.select([1])}),
    }


@pytest.mark.parametrize("name", sorted(samples().keys() - {"splits"}))
def test_datasets(name: str, tmp_path: Path) -> None:
    data = samples()[name]
    loaded = reload(data, tmp_path, NAME)
    assert loaded.features == data.features
    assert loaded.info == data.info
    assert (loaded.split, loaded.format) == (data.split, data.format)
    assert loaded.with_format(None)[:] == data.with_format(None)[:]


def test_splits(tmp_path: Path) -> None:
    data = samples()["splits"]
    loaded = reload(data, tmp_path, "artvcs.datasets.DatasetDict")
    assert list(loaded) == ["train", "test"]
    assert loaded["test"][:] == data["test"][:]


def test_how_rows_are_cut_into_chunks_changes_nothing(tmp_path: Path) -> None:
    whole = _dataset()
    parts = datasets.concatenate_datasets([whole.select([0]), whole.select([1, 2])], info=whole.info, split="train")
    save(whole, tmp_path / "1")
    save(parts, tmp_path / "2")
    assert (tmp_path / "1" / "table.parquet").read_bytes() == (tmp_path / "2" / "table.parquet").read_bytes()


def test_loading_gives_the_same_name_to_caches(tmp_path: Path) -> None:
    save(_dataset(), tmp_path)
    first, second = (by_name(NAME)(str(tmp_path)).load(object) for _ in range(2))
    assert first._fingerprint == second._fingerprint


def test_two_processes_write_the_same_bytes() -> None:
    assert hashes(__name__, "1") == hashes(__name__, "2")


def test_metadata() -> None:
    facts = find_for_value(_dataset())("").extract_metadata(_dataset())
    assert facts["rows"] == 3
    assert facts["split"] == "train"
    assert ["number", "int8"] in facts["features"]
    assert ["label", "ClassLabel"] in facts["features"]


def test_loading_runs_no_code(tmp_path: Path) -> None:
    assert not save(samples()["splits"], tmp_path).runs_code


def test_cut_files(tmp_path: Path) -> None:
    refuses_cut_files(_dataset(), tmp_path)


def test_an_unknown_part_of_a_format_is_refused(tmp_path: Path) -> None:
    save(_dataset(), tmp_path)
    path = tmp_path / "value.json"
    path.write_text(path.read_text().replace("_format_columns", "_fingerprint"))
    with pytest.raises(MaterializerError):
        by_name(NAME)(str(tmp_path)).load(object)
