"""What it costs to watch a step, and to decide that what it was seen to use has not changed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import fingerprint, measure

REPEATED = 7
FILES = 200

WATCHED = """
import json, os, sys, tempfile, time
import numpy as np
from artvcs import pipeline, step
import work

@step(enable_cache=False)
def busy() -> float:
    start = time.perf_counter(); work.busy(); return time.perf_counter() - start

@step(enable_cache=False)
def numeric() -> float:
    start = time.perf_counter(); work.numeric(); return time.perf_counter() - start

@pipeline
def both():
    busy()
    numeric()

def plain(function):
    start = time.perf_counter(); function(); return time.perf_counter() - start

os.chdir(tempfile.mkdtemp())
both(); plain(work.busy); plain(work.numeric)
found = []
for _ in range(5):
    steps = both().steps
    watched = [steps[name].output.load() for name in ("busy", "numeric")]
    found.append([watched[0], plain(work.busy), watched[1], plain(work.numeric)])
print(json.dumps(found))
"""

WORK = """
import numpy as np

def one(number):
    return number * 2 + 1

class Counter:
    def __init__(self):
        self.total = 0
    def add(self, number):
        self.total += one(number)

def busy():
    counter = Counter()
    for number in range(400_000):
        counter.add(number)
    return counter.total

def numeric():
    values = np.arange(1_000_000, dtype=float)
    for _ in range(40):
        values = np.sqrt(values * values + 1.0)
    return float(values.sum())
"""

DECIDE = f"""
import json, os, sys, time
from pathlib import Path
from artvcs import pipeline, step
import part_0

@step
def read() -> int:
    if len(sys.argv) > 5:
        part_0.work_0_0([])
    return sum(len(Path(f"data/{{number}}.txt").read_text()) for number in range({FILES}))

@pipeline
def flow():
    read()

flow(); time.sleep(0.1); flow()
times = []
for _ in range(9):
    start = time.perf_counter(); run = flow(); times.append((time.perf_counter() - start) * 1000)
    assert run.steps["read"].status == "cached"
print(json.dumps(sorted(times)[4]))
"""


def main() -> None:
    """Prints all figures."""
    found = [measured for _ in range(REPEATED) for measured in _run(WATCHED, {"work.py": WORK})]
    asked = 1.05
    measure.compare(
        "a step of busy Python, watched", asked,
        [each[0] * 1000 for each in found], "not watched", [each[1] * 1000 for each in found],
    )  # fmt: skip
    measure.compare(
        "a step of numpy, watched", 1.01,
        [each[2] * 1000 for each in found], "not watched", [each[3] * 1000 for each in found],
    )  # fmt: skip
    files = {f"data/{number}.txt": f"{number}\n" * 100 for number in range(FILES)}
    taken = min(_run(DECIDE, files, project=True) for _ in range(3))
    functions = fingerprint.MODULES * fingerprint.FUNCTIONS
    verdict = "ok" if taken <= 50 else "ABOVE"
    print(
        f"a cached run with {functions} own functions and {FILES} files read, warm: {taken:.1f} ms "
        f"(asked ≤ 50) {verdict}",
        flush=True,
    )


def _run(code: str, files: dict[str, str], *, project: bool = False) -> Any:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if project:
            fingerprint.write_project(folder)
        for path, text in {"traced_benchmark.py": code, **files}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
        done = subprocess.run(
            [sys.executable, "traced_benchmark.py"], check=True, capture_output=True, text=True, cwd=folder
        )
    return json.loads(done.stdout.splitlines()[-1])
