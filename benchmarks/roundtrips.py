"""At least 10,000 generated values saved and loaded: how many came back different without a word.

Python, numpy and pandas values are those of the property tests, compared in everything a user could notice.
Values of other libraries are made from seeds; two of those are the same if they are of one type, write the
same bytes and, where they predict, predict the same. Libraries that are not installed are left out.
"""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.values.materializers import find_for_value
from tests.pipeline.values.materializers import library_values, strategies
from tests.pipeline.values.materializers.equality import same
from tests.pipeline.values.materializers.harness import files_of, load, save

TARGET = 10_000
_GENERATED: tuple[tuple[Callable[[], st.SearchStrategy[Any]], int], ...] = (
    (strategies.values, 3000),
    (strategies.homogeneous, 1500),
    (strategies.arrays, 2500),
    (strategies.series, 1500),
    (strategies.frames, 1000),
    (library_values.tables, 500),
    (strategies.hashables, 400),
    (lambda: strategies.indexes(3), 200),
    (lambda: st.binary(max_size=200), 200),
)


class Tally:
    """How often each materializer was used, and what came of it."""

    def __init__(self) -> None:
        self.stored: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.different: Counter[str] = Counter()

    def check(self, value: Any, is_same: Callable[[Any, Any], bool]) -> None:
        """Saves and loads one value."""
        name = find_for_value(value).NAME
        with tempfile.TemporaryDirectory() as folder:
            try:
                save(value, Path(folder, "value"))
                loaded = load(Path(folder, "value"), name, "object")
            except MaterializerError:
                self.refused[name] += 1
                return
            self.stored[name] += 1
            if not is_same(value, loaded):
                self.different[name] += 1
                print(f"DIFFERENT, by {name}: {value!r:.300} became {loaded!r:.300}", flush=True)

    def print(self, seconds: float) -> None:
        """The table, and the sum."""
        for name, count in sorted(self.stored.items()):
            print(f"{name:<32} {count:>6} stored {self.refused[name]:>5} refused {self.different[name]:>3} different")
        total, wrong = self.stored.total(), self.different.total()
        verdict = "ok" if total >= TARGET and not wrong else "NOT WHAT WAS ASKED"
        print(f"{total} values in {seconds:.0f} s, {wrong} silent differences (asked: {TARGET}, 0) {verdict}")


def generate(strategy: st.SearchStrategy[Any], count: int, take: Callable[[Any], None]) -> None:
    """Calls `take` with so many values."""
    fixed = settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    fixed(given(strategy)(take))()


def written_the_same(one: Any, two: Any) -> bool:
    """Whether two values are of one type, write the same bytes, and predict the same."""
    if type(one) is not type(two):
        return False
    with tempfile.TemporaryDirectory() as folder:
        save(one, Path(folder, "1"))
        save(two, Path(folder, "2"))
        equal = files_of(Path(folder, "1")) == files_of(Path(folder, "2"))
    return equal and _predictions(one) == _predictions(two)


def _predictions(value: Any) -> bytes | None:
    if not hasattr(value, "predict") or not hasattr(value, "fit"):
        return None
    quiet = {"verbose": 0} if type(value).__module__.startswith("keras") else {}
    return np.asarray(value.predict(library_values.samples(99)[0], **quiet)).tobytes()


def _same_state(one: Any, two: Any) -> bool:
    states = [each.state_dict() if hasattr(each, "state_dict") else each for each in (one, two)]
    equal = list(states[0]) == list(states[1]) and all(map(_same_tensors, *(state.values() for state in states)))
    return type(one) is type(two) and repr(one) == repr(two) and equal


def _drawn_the_same(one: Any, two: Any) -> bool:
    drawer, drawn = find_for_value(one), []
    for figure in (one, two):
        with tempfile.TemporaryDirectory() as folder:
            drawer(folder).save_visualizations(figure)
            drawn.append(files_of(Path(folder)))
    return drawn[0] == drawn[1]


def _same_tensors(one: Any, two: Any) -> bool:
    import torch

    if (type(one), one.dtype, one.shape) != (type(two), two.dtype, two.shape):
        return False
    bits = [torch.empty(each.numel(), dtype=each.dtype).copy_(each.reshape(-1)) for each in (one, two)]
    return bool(torch.equal(bits[0].view(torch.uint8), bits[1].view(torch.uint8)))


_SEEDED: tuple[tuple[Callable[[int], Iterator[Any]], int, Callable[[Any, Any], bool]], ...] = (
    (library_values.scientific, 60, written_the_same),
    (library_values.documents, 60, written_the_same),
    (library_values.models, 12, written_the_same),
    (library_values.networks, 4, written_the_same),
    (library_values.modules, 30, _same_state),
    (library_values.figures, 6, _drawn_the_same),
)


def main() -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    warnings.simplefilter("ignore")
    tally, start = Tally(), time.perf_counter()
    for make, count in _GENERATED:
        generate(make(), count, lambda value: tally.check(value, same))
    if library_values.has("torch") and library_values.has("safetensors"):
        generate(library_values.tensors(), 600, lambda value: tally.check(value, _same_tensors))
    for family, seeds, is_same in _SEEDED:
        for seed in range(seeds):
            for value in family(seed):
                tally.check(value, is_same)
    tally.print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
