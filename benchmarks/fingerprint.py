"""What a code fingerprint costs: the first step of a big project, one more step, a warm pipeline."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES, FUNCTIONS, STEPS = 40, 50, 50
WARM_RUNS = 5

_FUNCTION = '''
def work_{module}_{number}(rows, scale=SCALE_{number}):
    """Cleans rows and hands them on."""
    total = 0
    for position, row in enumerate(rows):
        if row > {number} and position % 2:  # every other one
            total += row * scale + math.sqrt(abs(row))
    return {following}([each for each in rows if each != total]) + total
'''


def write_project(folder: Path) -> None:
    """Writes `MODULES` files of `FUNCTIONS` functions each, all of which every step reaches."""
    for module in range(MODULES):
        lines = ["import math"]
        lines += (
            [f"from part_{module + 1} import work_{module + 1}_0"]
            if module + 1 < MODULES
            else [f"work_{MODULES}_0 = sum"]
        )
        lines += [f"SCALE_{number} = {number}" for number in range(FUNCTIONS)]
        for number in range(FUNCTIONS):
            last = number + 1 == FUNCTIONS
            following = f"work_{module + 1}_0" if last else f"work_{module}_{number + 1}"
            lines.append(_FUNCTION.format(module=module, number=number, following=following))
        (folder / f"part_{module}.py").write_text("\n".join(lines))
    steps = ["import part_0", "from part_7 import work_7_3 as work"]
    steps += [f"\ndef step_{i}(rows):\n    return part_0.work_0_0(rows) + work(rows) + {i}\n" for i in range(STEPS)]
    (folder / "pipeline.py").write_text("\n".join(steps))


@contextmanager
def project() -> Iterator[ModuleType]:
    """The imported pipeline of a generated project."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".git").mkdir()
        write_project(folder)
        sys.path.insert(0, name)
        spec = importlib.util.spec_from_file_location("bench_pipeline", folder / "pipeline.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        try:
            yield module
        finally:
            sys.path.remove(name)


def milliseconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    from artvcs.pipelines.fingerprint import fingerprint

    with project() as module:
        steps = [getattr(module, f"step_{number}") for number in range(STEPS)]
        lines = sum(path.read_text().count("\n") for path in Path(module.__file__ or "").parent.glob("*.py"))
        cold = milliseconds(lambda: fingerprint(steps[0]))
        second = milliseconds(lambda: fingerprint(steps[1]))
        rest = milliseconds(lambda: [fingerprint(step) for step in steps])
        again = min(milliseconds(lambda: fingerprint(steps[0])) for _ in range(WARM_RUNS))
        warm = min(milliseconds(lambda: [fingerprint(step) for step in steps]) for _ in range(WARM_RUNS))
    print(f"cold, {MODULES * FUNCTIONS} functions in {lines} lines: {cold:.0f} ms (target 300)")
    print(f"the same step again, files unchanged: {again:.2f} ms (target 1)")
    print(f"a pipeline of {STEPS} steps, warm: {warm:.1f} ms (target 20)")
    print(f"another step of the same process, first time: {second:.1f} ms; all {STEPS}: {rest:.0f} ms")


if __name__ == "__main__":
    main()
