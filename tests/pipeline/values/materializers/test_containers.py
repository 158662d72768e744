"""What containers refuse, and what they do with values that JSON cannot carry."""

from __future__ import annotations

import collections
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import PickleFallbackWarning

from .equality import same
from .harness import load, round_trip, save
from .samples import Frozen, Plain


def _pickled(value: Any, folder: Path) -> Any:
    with pytest.warns(PickleFallbackWarning):
        save(value, folder)
    return load(folder, "artvcs.container", "builtins.list")


def test_cycles_are_refused() -> None:
    cyclic: list[Any] = [1]
    cyclic.append({"again": cyclic})
    with pytest.raises(MaterializerError, match="contains itself"):
        round_trip(cyclic)


def test_a_cycle_through_a_dataclass_is_refused() -> None:
    items: list[Any] = []
    items.append(Frozen(1, items))
    with pytest.raises(MaterializerError, match="contains itself"):
        round_trip(Frozen(2, items))


def test_deep_nesting_is_refused_or_exact() -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    assert round_trip(value) == value
    for _ in range(100_000):
        value = [value]
    with pytest.raises(MaterializerError, match="nested"):
        round_trip(value)


def test_a_shared_item_is_loaded_twice() -> None:
    shared = [1]
    loaded = round_trip([shared, shared])
    assert loaded == [[1], [1]]
    assert loaded[0] is not loaded[1]


def test_shared_pickled_objects_stay_shared(tmp_path: Path) -> None:
    shared = Plain("x")
    loaded = _pickled([Plain(shared), {"b": Plain(shared)}], tmp_path)
    assert loaded[0].value is loaded[1]["b"].value


def test_subclasses_are_not_flattened(tmp_path: Path) -> None:
    class Text(str):
        pass

    loaded = _pickled([Text("a"), collections.UserDict(a=1)], tmp_path)
    assert type(loaded[0]).__name__ == "Text"


def test_a_pattern_that_prints_when_it_is_made_is_pickled(tmp_path: Path) -> None:
    loaded = _pickled([re.compile("a", re.DEBUG)], tmp_path)
    assert loaded[0].flags & re.DEBUG


def test_a_dictionary_with_a_strange_factory_is_pickled(tmp_path: Path) -> None:
    loaded = _pickled([collections.defaultdict(lambda: 5)], tmp_path)
    assert loaded[0]["missing"] == 5


@pytest.mark.parametrize(
    "value",
    [(item for item in "ab"), threading.Lock(), sys.stdout],
    ids=["generator", "lock", "stream"],
)
def test_what_cannot_be_pickled_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(MaterializerError, match="cannot be stored"):
        save([value], tmp_path / "stored")


def test_the_warning_names_type_version_and_risk(tmp_path: Path) -> None:
    with pytest.warns(PickleFallbackWarning, match=r"samples\.Plain .* Python 3\.\d+: loading it runs code"):
        save(Plain(1), tmp_path)


def test_a_set_of_arrays_and_objects(tmp_path: Path) -> None:
    loaded = _pickled([{Plain(1), Plain("a"), np.float32(2)}], tmp_path)
    assert loaded == [{Plain(1), Plain("a"), np.float32(2)}]


def test_large_lists_are_fast() -> None:
    for items in (list(range(200_000)), [n / 7 for n in range(200_000)], [f"row {n}" for n in range(200_000)]):
        start = time.perf_counter()
        assert same(items[:100], round_trip(items)[:100])
        assert time.perf_counter() - start < 2  # a tenth of that on an idle machine


@pytest.mark.parametrize(
    "value", [[1, True, 1.0], [2**63, 1], [float("nan"), 1.0], [-(2**63), 0], ["a", "\udc00"], [None, 1, "x", 2.5]]
)
def test_lists_that_only_look_plain(value: Any) -> None:
    assert same(value, round_trip(value))
