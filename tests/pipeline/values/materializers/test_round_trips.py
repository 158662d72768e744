"""What is saved comes back, and is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.values.materializers import find_for_value

from .equality import same
from .frames import extension_arrays, frames, series, singles
from .harness import files_of, load, round_trip, save
from .samples import Settings, arrays, containers, scalars

GROUPS = (scalars, containers, arrays, frames, series, extension_arrays, singles)
SAMPLES = {f"{group.__name__}: {name}": value for group in GROUPS for name, value in group().items()}


@pytest.mark.long
@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_comes_back_the_same(name: str) -> None:
    value = SAMPLES[name]
    assert same(value, round_trip(value))


@pytest.mark.long
@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_loaded_is_stored_as_the_same_bytes(name: str, tmp_path: Path) -> None:
    saved = save(SAMPLES[name], tmp_path / "first")
    save(load(tmp_path / "first", saved.NAME, "object"), tmp_path / "again")
    assert files_of(tmp_path / "first") == files_of(tmp_path / "again")


def test_loading_does_not_run_init_again() -> None:
    assert round_trip(Settings("abc")).derived == 3


def test_a_cached_property_is_no_part_of_a_value() -> None:
    settings = Settings("abc")
    assert settings.upper == "ABC"
    assert "upper" not in vars(round_trip(settings))


def test_a_generic_dataclass_keeps_its_arguments() -> None:
    assert round_trip(containers()["generic"]).__orig_class__.__args__ == (int,)


@pytest.mark.parametrize("name", SAMPLES)
def test_metadata_can_be_stored(name: str) -> None:
    from artvcs.vcs.objects import values

    value: Any = SAMPLES[name]
    values.encode(find_for_value(value)("").extract_metadata(value))
