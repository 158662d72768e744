"""Arrays: an image if they look like one, else a histogram; the figures always."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import wording
from ..summary import Block, Chart, Facts, Summary, Text
from . import distribution
from .pixels import picture

_SAMPLE = 1_000_000
_PRINTED = 200


def of_array(array: np.ndarray[Any, Any]) -> Summary:
    """What there is to say of an array, masked ones included."""
    facts = [("shape", " x ".join(map(str, array.shape)) or "a single value"), ("dtype", _dtype(array))]
    facts.append(("size", f"{wording.count(array.size, 'item')}, {wording.size(array.nbytes)}"))
    blocks: list[Block] = []
    values = array
    if isinstance(array, np.ma.MaskedArray):
        facts.append(("masked", _part(int(np.count_nonzero(np.ma.getmaskarray(array))), array.size)))
        values = array.compressed()
    elif (found := picture(array)) is not None:
        blocks.append(found)
    if values.dtype.kind in "biuf":
        figures, charts = _numbers(values)
        facts += figures
        blocks += charts
    if values.size and (values.size <= _PRINTED or not blocks):
        blocks.append(Text(_printed(array), "Values" if array.size <= _PRINTED else "First values"))
    return Summary(f"numpy.{type(array).__name__}", (Facts(tuple(facts)), *blocks))


def of_sparse(matrix: Any) -> Summary:
    """What there is to say of a scipy.sparse matrix: of what it stores, without filling it up."""
    facts = [("shape", " x ".join(map(str, matrix.shape))), ("dtype", str(matrix.dtype))]
    facts.append(("stored", _part(int(matrix.nnz), int(matrix.shape[0]) * int(matrix.shape[1]))))
    values = np.asarray(matrix.data)
    figures, charts = _numbers(values) if values.dtype.kind in "biuf" else ([], [])
    return Summary(type(matrix).__name__, (Facts((*facts, *figures)), *charts))


def _numbers(values: np.ndarray[Any, Any]) -> tuple[list[tuple[str, str]], list[Block]]:
    chosen = distribution.positions(values.size, _SAMPLE)
    some = values.reshape(-1) if chosen is None else values.flat[chosen]
    facts = list(distribution.statistics(some).items())
    if some.dtype.kind == "f":
        nan, infinite = int(np.count_nonzero(np.isnan(some))), int(np.count_nonzero(np.isinf(some)))
        facts += [("NaN", _part(nan, some.size))] * bool(nan) + [("±inf", _part(infinite, some.size))] * bool(infinite)
    if chosen is not None:
        facts.append(("figures from", f"a sample of {_SAMPLE:,} items"))
    histogram = distribution.histogram(some)
    return facts, [Chart(histogram, "Distribution")] if histogram and some.size > 1 else []


def _part(count: int, total: int) -> str:
    return f"{count:,} ({wording.percent(count / total)})" if count else "0"


def _dtype(array: np.ndarray[Any, Any]) -> str:
    return str(array.dtype) if array.dtype.names is None else f"records of {', '.join(array.dtype.names)}"


def _printed(array: np.ndarray[Any, Any]) -> str:
    if array.dtype == object:
        return "\n".join(wording.value(item) for item in array.reshape(-1)[:20])
    shown = array if array.size <= _PRINTED else array[:20]
    return np.array2string(shown, threshold=_PRINTED, precision=4, suppress_small=True, max_line_width=100)
