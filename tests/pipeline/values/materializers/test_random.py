"""Random generators go on with the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import by_name, find_for_value

from .conformance import hashes, refuses_cut_files, reload
from .harness import round_trip, save

NAME = "artvcs.numpy.random"
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def _bits(name: str, seed: Any = 5) -> Any:
    return getattr(np.random, name)(seed)


def samples() -> dict[str, Any]:
    return {
        **{name: _bits(name) for name in BIT_GENERATORS},
        **{f"generator {name}": np.random.Generator(_bits(name)) for name in BIT_GENERATORS},
        **{f"state {name}": np.random.RandomState(_bits(name)) for name in BIT_GENERATORS},
        "legacy": np.random.RandomState(0),
    }


@pytest.mark.parametrize("name", samples())
def test_the_next_numbers_are_the_same(name: str, tmp_path: Path) -> None:
    random = samples()[name]
    _use(random)
    loaded = reload(random, tmp_path, NAME)
    assert _use(loaded) == _use(random)


@pytest.mark.parametrize("name", BIT_GENERATORS)
def test_children_are_the_same(name: str) -> None:
    random = np.random.Generator(_bits(name, np.random.SeedSequence([1, 2], spawn_key=(3,))))
    random.spawn(2)
    assert _use(round_trip(random).spawn(1)[0]) == _use(random.spawn(1)[0])


def test_a_generator_seeded_by_an_array(tmp_path: Path) -> None:
    random = np.random.default_rng(np.array([1, 2]))
    assert _use(reload(random, tmp_path, NAME)) == _use(random)


def test_half_used_numbers_are_kept() -> None:
    old, new = np.random.RandomState(1), np.random.default_rng(1)
    old.normal()
    new.integers(10, dtype=np.uint32)
    assert round_trip(old).normal() == old.normal()
    assert round_trip(new).integers(10, dtype=np.uint32) == new.integers(10, dtype=np.uint32)


def test_two_processes_write_the_same_bytes() -> None:
    assert hashes(__name__, "1") == hashes(__name__, "2")


def test_a_user_s_generator_is_pickled() -> None:
    class Mine(np.random.Generator):
        pass

    assert find_for_value(Mine(_bits("PCG64"))).NAME == "artvcs.pickle"


def test_metadata() -> None:
    facts = find_for_value(np.random.RandomState(0))("").extract_metadata(np.random.RandomState(0))
    assert facts == {"class": "RandomState", "bit_generator": "MT19937"}


@pytest.mark.parametrize("name", ["PCG64", "legacy"])
def test_cut_files(name: str, tmp_path: Path) -> None:
    refuses_cut_files(samples()[name], tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "seed"},
        {"state": {"bit_generator": "set_bit_generator"}},
        {"state": {"bit_generator": "PCG64", "state": {}}},
        {"state": {"bit_generator": "MT19937", "state": {"key": [1], "pos": 0}}},
        {"seeds": {"entropy": "x"}},
    ],
    ids=str,
)
def test_false_states(change: dict[str, Any], tmp_path: Path) -> None:
    save(np.random.default_rng(1), tmp_path)
    path = tmp_path / "value.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))
    with pytest.raises(MaterializerError):
        by_name(NAME)(str(tmp_path)).load(object)


def _use(random: Any) -> list[Any]:
    if hasattr(random, "normal"):
        return [random.normal(), random.bytes(3), random.normal(size=3).tolist()]
    return [int(word) for word in random.random_raw(3)]
