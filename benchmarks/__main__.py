"""Runs every benchmark, or those named: `python -m benchmarks steps startup`."""

from __future__ import annotations

import importlib
import sys

ALL = ("steps", "startup", "writers", "growth", "fingerprint", "roundtrips", "folders")


def main() -> None:
    """Runs the benchmarks named on the command line, or all."""
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
