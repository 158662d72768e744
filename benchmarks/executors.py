"""Steps side by side: four that sleep, what one more step costs on each executor, and one step over many inputs.

Beside it stands `concurrent.futures.ProcessPoolExecutor`, which stores nothing and records nothing. What an executor
costs is what a step takes on it more than inline, where the same is stored and recorded.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

RUNS = 5

CODE = """
import json, os, sys, tempfile, time, warnings
from concurrent.futures import ProcessPoolExecutor
from artvcs import pipeline, step

@step(enable_cache=False)
def nap(number: int) -> int:
    time.sleep(0.5)
    return number

@step(enable_cache=False)
def tiny(number: int) -> int:
    return number

@step
def item(number: int) -> int:
    time.sleep(0.002)
    return number

@pipeline
def naps():
    nap.map(range(4))

@pipeline
def many(count: int):
    tiny.map(range(count))

@pipeline
def fan(count: int):
    item.map(range(count))

def bare(number):
    time.sleep(0.002)
    return number

def timed(run, *arguments):
    start = time.perf_counter(); run(*arguments); return time.perf_counter() - start

def on(flow, executor, jobs):
    return flow.with_options(executor=executor, jobs=None if executor == "inline" else jobs)

def pool(count):
    with ProcessPoolExecutor(2) as workers:
        list(workers.map(bare, range(count)))

if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp())
    on(many, "inline", 1)(5)
    found = {"4 naps, " + name: timed(on(naps, name, 4)) for name in ("inline", "threads", "processes")}
    for name in ("inline", "threads", "processes"):
        found["step, " + name] = (timed(on(many, name, 2), 220) - timed(on(many, name, 2), 20)) / 200
    found["fan-out, bare pool"] = timed(pool, 1000)
    found["fan-out, processes"] = timed(on(fan, "processes", 2), 1000)
    found["fan-out, cached"] = timed(on(fan, "processes", 2), 1000)
    print(json.dumps(found))
"""


def main() -> None:
    """Prints the medians beside what is asked."""
    runs = []
    for _ in range(RUNS):
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    for name in ("inline", "threads", "processes"):
        print(f"4 steps of 0.5 s, {name:<10} {middle['4 naps, ' + name]:6.2f} s   (asked on 4 slots ≤ 0.6)")
    print(f"one more step, inline      {middle['step, inline'] * 1000:6.2f} ms")
    for name, limit in (("threads", 1), ("processes", 5)):
        more = statistics.median(run["step, " + name] - run["step, inline"] for run in runs) * 1000
        print(f"one more step, {name:<10}  {more:6.2f} ms more   (asked ≤ {limit})")
    ratio = statistics.median(run["fan-out, processes"] / run["fan-out, bare pool"] for run in runs)
    print(
        f"1,000 items of 2 ms, 2 processes {middle['fan-out, processes']:6.2f} s   bare pool "
        f"{middle['fan-out, bare pool']:6.2f} s   ratio {ratio:5.2f}   cached again {middle['fan-out, cached']:6.2f} s"
    )


if __name__ == "__main__":
    main()
