"""Making a fork safe for GNU's OpenMP, which scikit-learn and PyTorch bring along.

Its pool of threads is lost in a forked child, which then waits forever for threads that it has not. Without a pool, the
child makes one of its own when it first needs it, and so does the parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

_HARD = 2
"""`omp_pause_hard`, see https://www.openmp.org/spec-html/5.0/openmpsu165.html"""


def pause() -> None:
    """Gives up the pools of the calling thread. What nobody has loaded has none."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for path in {line.rpartition(" ")[2].rstrip("\n") for line in maps if "/libgomp" in line}:
            with contextlib.suppress(OSError, AttributeError):  # it is gone, or older than GCC 9
                ctypes.CDLL(path).omp_pause_resource_all(_HARD)
