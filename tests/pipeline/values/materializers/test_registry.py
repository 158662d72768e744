"""Which materializer a value gets."""

from __future__ import annotations

import collections
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import (
    Materializer,
    base,
    by_name,
    find_for_type,
    find_for_value,
    register,
    registry,
    resolve_type,
    table,
    type_name,
)

from .harness import load, save
from .samples import Frozen, Plain


class Animal:
    """A user's class."""


class Dog(Animal):
    """A user's derived class."""


class Marked(list):  # type: ignore[type-arg]
    """A list with a meaning."""


@pytest.fixture(autouse=True)
def _forget_declarations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_users", registry._Users())
    monkeypatch.setattr(base, "declared", [])
    monkeypatch.setattr(registry, "declared", base.declared)


def _declare(*types: type) -> type[Materializer]:
    class Mine(Materializer):
        ASSOCIATED_TYPES = types

        def save(self, data: Any) -> None:
            (Path(self.uri) / "mine").write_text("x")

        def load(self, data_type: type[Any]) -> Any:
            return data_type()

    return Mine


def test_importing_the_package_imports_no_library() -> None:
    program = "import sys, artvcs.pipelines.values.materializers; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "pyarrow", "cloudpickle", "sklearn"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "artvcs.scalar"),
        ([1], "artvcs.container"),
        (b"", "artvcs.bytes"),
        (Path(), "artvcs.path"),
        (Frozen(1), "artvcs.record"),
        (np.arange(2), "artvcs.numpy.ndarray"),
        (np.array([None]), "artvcs.numpy.objects"),
        (np.float32(1), "artvcs.numpy.scalar"),
        (pd.DataFrame(), "artvcs.pandas.DataFrame"),
        (pd.RangeIndex(2), "artvcs.pandas.Index"),
        (Plain(1), "artvcs.pickle"),
        (Marked(), "artvcs.pickle"),
        (collections.defaultdict(lambda: 1), "artvcs.pickle"),
        (np.matrix([[1]]), "artvcs.pickle"),
    ],
)
def test_builtin(value: Any, name: str) -> None:
    found = find_for_value(value)
    assert name == found.NAME
    assert by_name(name) is found


def test_the_most_derived_type_wins() -> None:
    derived, general = _declare(Dog), _declare(Animal)
    assert find_for_value(Dog()) is derived
    assert find_for_value(Animal()) is general


def test_a_base_class_is_enough() -> None:
    mine = _declare(Animal)
    assert find_for_value(Dog()) is mine


def test_the_later_declaration_wins() -> None:
    first, second = _declare(Animal), _declare(Animal)
    assert find_for_value(Animal()) is second
    register(first)
    assert find_for_value(Animal()) is first


def test_a_user_beats_a_builtin_and_a_flattened_base() -> None:
    mine = _declare(list)
    assert find_for_value([]) is mine
    assert find_for_value(Marked()) is mine
    assert find_for_value(()).NAME == "artvcs.container"


def test_a_declaration_counts_for_types_met_before() -> None:
    assert find_for_value(Animal()).NAME == "artvcs.pickle"
    mine = _declare(Animal)
    assert find_for_value(Animal()) is mine


def test_a_user_for_object_leaves_dataclasses_alone() -> None:
    mine = _declare(object)
    assert find_for_value(Plain(1)) is mine
    assert find_for_value(Frozen(1)).NAME == "artvcs.record"


def test_user_values_inside_containers(tmp_path: Path) -> None:
    _declare(Animal)
    save({"a": [Dog()]}, tmp_path)
    assert (tmp_path / "0" / "mine").exists()
    assert type(load(tmp_path, "artvcs.container", "builtins.dict")["a"][0]) is Dog


def test_by_type() -> None:
    assert find_for_type(pd.Series) is by_name("artvcs.pandas.Series")
    assert find_for_type(Plain) is None


@pytest.mark.parametrize("name", ["nowhere:Nothing", "os:system", "json:JSONDecoder", "", ":", "artvcs.unknown"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(MaterializerError, match="not here"):
        by_name(name)


@pytest.mark.parametrize("cls", [int, dict, pd.DataFrame, np.ndarray, Plain, collections.OrderedDict])
def test_type_names_lead_back(cls: type) -> None:
    assert resolve_type(type_name(cls)) is cls


def test_type_names_are_public() -> None:
    assert type_name(pd.DataFrame()) == "pandas.DataFrame"
    assert resolve_type("pandas.core.frame.DataFrame") is pd.DataFrame
    assert resolve_type("no.such.Thing") is object
    assert resolve_type("os.path") is object


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(entry: Any) -> Any:
        if entry.name == "artvcs.pandas.DataFrame":
            raise ModuleNotFoundError("No module named 'skops'")
        return there(entry)

    there = registry.load_builtin
    monkeypatch.setattr(registry, "load_builtin", missing)
    assert find_for_value(pd.DataFrame()).NAME == "artvcs.pickle"
    assert registry.how_to_keep(pd.DataFrame).startswith("install")
    assert registry.how_to_keep(set) == "write a Materializer for it to"
    with pytest.raises(MaterializerError, match="install"):
        by_name("artvcs.pandas.DataFrame")


def test_every_built_in_is_where_the_table_says() -> None:
    folder = Path(registry.__file__).parent
    for entry in table.BUILTINS:
        text = folder.joinpath(*entry.module.split(".")).with_suffix(".py").read_text()
        assert f"class {entry.cls}(" in text
        assert f'"{entry.name}"' in text
