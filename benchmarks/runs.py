"""What many steps and many runs cost beside few, and how much of a small run is the disk's.

Each in a fresh process. `python -m benchmarks runs` prints all.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import measure

REPEATED = 5

COMMON = """
import json, os, tempfile, time
from artvcs import pipeline, step

@step
def make(n: int) -> int:
    return n

@step
def bump(x: int, by: int) -> int:
    return x + by

@pipeline
def chain(n: int, steps: int):
    x = make(n)
    for i in range(steps - 1):
        x = bump(x, i)

def timed(run):
    start = time.perf_counter(); run(); return (time.perf_counter() - start) * 1000

def fresh():
    os.chdir(tempfile.mkdtemp())

fresh(); chain(1, 2)
"""

STEPS = """
found = {}
for steps in (10, 1000):
    fresh()
    found[steps] = [timed(lambda: chain(1, steps)) / steps, timed(lambda: chain(1, steps)) / steps]
print(json.dumps([found[10], found[1000]]))
"""

ONE = """
syncs = 0.0
def counting(sync):
    def counted(fd):
        global syncs
        start = time.perf_counter()
        try:
            return sync(fd)
        finally:
            syncs += (time.perf_counter() - start) * 1000
    return counted
os.fsync, os.fdatasync = counting(os.fsync), counting(os.fdatasync)
fresh(); chain(1, 1); chain(1, 1)
whole, waiting = [], []
for _ in range(50):
    syncs = 0.0
    whole.append(timed(lambda: chain(1, 1)))
    waiting.append(syncs)
print(json.dumps([sorted(whole)[25], sorted(waiting)[25]]))
"""

MANY = """
fresh()
times = [timed(lambda: chain(number, 1)) for number in range(1000)]
part = lambda taken: sorted(taken)[len(taken) // 2]
print(json.dumps([part(times[1:51]), part(times[-50:])]))
"""


def main() -> None:
    """Prints all figures."""
    _steps()
    _one()
    _many()


def _steps() -> None:
    found = [_run(COMMON + STEPS) for _ in range(REPEATED)]
    for number, what in enumerate(("first run", "all cached")):
        few, many = [each[0][number] for each in found], [each[1][number] for each in found]
        measure.compare(f"1,000 steps, {what}, each", 1.0, many, "of 10 steps", few)


def _one() -> None:
    found = [_run(COMMON + ONE) for _ in range(REPEATED)]
    whole, waiting = (statistics.median(each[number] for each in found) for number in (0, 1))
    verdict = "ok" if whole <= 10 else "ABOVE"
    print(
        f"one cached run of one step, in an open process: {whole:.1f} ms (asked ≤ 10) {verdict}, "
        f"of which fsync {waiting:.1f} ms ({waiting / whole:.0%}, asked ≥ half)",
        flush=True,
    )


def _many() -> None:
    found = [_run(COMMON + MANY) for _ in range(REPEATED)]
    measure.compare(
        "1,000 runs, the last 50", 1.2, [each[1] for each in found], "the first 50", [each[0] for each in found]
    )


def _run(code: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "runs_benchmark.py"  # a file, because source code is fingerprinted
        script.write_text(code)
        done = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])
