"""Runs every benchmark, or those named: `python -m benchmarks steps startup`."""

from __future__ import annotations

import importlib
import os
import sys

ALL = (
    "steps",
    "runs",
    "executors",
    "clusters",
    "traces",
    "startup",
    "writers",
    "growth",
    "upkeep",
    "fingerprint",
    "roundtrips",
    "folders",
    "remotes",
)


def main() -> None:
    """Runs the benchmarks named on the command line, or all."""
    # As it is where the package is installed: no process compiles the modules again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
