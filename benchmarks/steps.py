"""Ten steps on 1,000-row frames: a first run, and one where everything is cached, beside joblib.Memory.

Each measurement is a fresh process with a fresh store. Imports are done before the clock starts, on both sides, and
both have handled one frame in another store: what is measured is what each run costs.
"""

from __future__ import annotations

import json
import subprocess
import sys

from . import measure

RUNS = 9

COMMON = """
import json, os, sys, tempfile, time
import numpy as np, pandas as pd

def frame(n):
    return pd.DataFrame({'a': np.arange(n), 'b': np.arange(n) * 1.5, 'c': [f's{i}' for i in range(n)]})

def timed(run):
    start = time.perf_counter(); run(); return (time.perf_counter() - start) * 1000
"""

OURS = (
    COMMON
    + """
import artvcs
from artvcs import pipeline, step

@step
def make(n: int) -> pd.DataFrame:
    return frame(n)

@step
def bump(df: pd.DataFrame, by: int) -> pd.DataFrame:
    df['a'] = df['a'] + by
    return df

@pipeline
def chain(n: int = 1000, steps: int = 9):
    df = make(n)
    for i in range(steps):
        df = bump(df, i)

os.chdir(tempfile.mkdtemp()); chain(10, 1)
os.chdir(tempfile.mkdtemp())
print(json.dumps([timed(chain), timed(chain)]))
"""
)

JOBLIB = (
    COMMON
    + """
import joblib

def chain(memory, n=1000, steps=9):
    df = memory.cache(make)(n)
    for i in range(steps):
        df = memory.cache(bump)(df, i)

def make(n):
    return frame(n)

def bump(df, by):
    df = df.copy()
    df['a'] = df['a'] + by
    return df

chain(joblib.Memory(tempfile.mkdtemp(), verbose=0), 10, 1)
memory = joblib.Memory(tempfile.mkdtemp(), verbose=0)
print(json.dumps([timed(lambda: chain(memory)), timed(lambda: chain(memory))]))
"""
)


def main() -> None:
    """Prints both figures."""
    ours, peer = [], []
    for _ in range(RUNS):
        ours.append(_run(OURS))
        peer.append(_run(JOBLIB))
    for number, (title, limit) in enumerate((("ten steps, first run", 1.5), ("ten steps, all cached", 0.8))):
        measure.compare(title, limit, [pair[number] for pair in ours], "joblib.Memory", [pair[number] for pair in peer])


def _run(code: str) -> list[float]:
    import tempfile
    from pathlib import Path

    # A file, because both fingerprint source code.
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "chain_benchmark.py"
        script.write_text(code)
        done = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
    times: list[float] = json.loads(done.stdout.splitlines()[-1])
    return times
