"""Tables of all libraries: schema with a distribution for each column, and the first rows.

Only the first columns are looked at, and of many rows a sample, so that a table of any size takes a moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .. import wording
from ..summary import Block, Cell, Facts, Summary, Table
from . import columns, distribution

MAX_COLUMNS = 100
HEAD_ROWS = 5
_HEAD_COLUMNS = 20


@dataclass(frozen=True)
class Tabular:
    """What tables of all libraries have in common.

    Attributes:
        kind: What it is called, such as `pandas.DataFrame`.
        shape: Rows and columns of the whole.
        names: Names of the first `MAX_COLUMNS` columns.
        dtypes: Their types, in the words of their library.
        missing: How many of their values are missing, of all rows; None where that would take long.
        extremes: Their smallest and largest value of all rows, where that is known.
        sample: Values of these columns from some of the rows.
        head: The first rows of these columns, labelled by their index if that says anything.
    """

    kind: str
    shape: tuple[int, int]
    names: Sequence[str]
    dtypes: Sequence[str]
    missing: Sequence[int | None]
    extremes: Sequence[tuple[Any, Any] | None]
    sample: pd.DataFrame
    head: pd.DataFrame


def of_frame(frame: pd.DataFrame, kind: str = "pandas.DataFrame") -> Summary:
    """What there is to say of a DataFrame."""
    first = frame.iloc[:, :MAX_COLUMNS]
    chosen = distribution.positions(len(frame))
    every = [first.iloc[:, at] for at in range(first.shape[1])]
    return summarise(
        Tabular(
            kind,
            (len(frame), frame.shape[1]),
            [label_of(label) for label in first.columns],
            [str(column.dtype) for column in every],
            [_missing(column, chosen is None) for column in every],
            [_extremes(column) if chosen is not None else None for column in every],
            first if chosen is None else first.iloc[chosen],
            first.head(HEAD_ROWS),
        )
    )


def of_series(series: pd.Series) -> Summary:
    """What there is to say of a Series."""
    name = "values" if series.name is None else series.name
    return of_frame(series.to_frame(name=name), "pandas.Series")


def of_index(index: pd.Index) -> Summary:
    """What there is to say of an Index."""
    names = ["values" if label is None else label for label in index.names]
    if isinstance(index, pd.MultiIndex):
        frame = index.to_frame(index=False, name=names, allow_duplicates=True)
    else:
        frame = index.to_frame(index=False, name=names[0])
    return of_frame(frame, f"pandas.{type(index).__name__}")


def summarise(table: Tabular) -> Summary:
    """What there is to say of a table."""
    rows, width = table.shape
    title = f"{table.kind}: {wording.count(rows, 'row')} x {wording.count(width, 'column')}"
    known = [count for count in table.missing if count is not None]
    facts = Facts((("missing values", f"{sum(known):,}" if len(known) == width else f"at least {sum(known):,}"),))
    blocks: list[Block] = [facts] if rows and width else []
    if width:
        blocks.append(_schema(table))
    if rows and width:
        blocks.append(_head(table))
    return Summary(title, tuple(blocks))


def label_of(label: Any) -> str:
    """A column's name; the levels of one that has several joined."""
    return " / ".join(map(str, label)) if isinstance(label, tuple) else wording.value(label, 60)


def _schema(table: Tabular) -> Table:
    rows = []
    for at, (name, dtype) in enumerate(zip(table.names, table.dtypes, strict=True)):
        picture, figures = columns.describe(table.sample.iloc[:, at])
        rows.append((name, dtype, _missing_text(table, at), picture, _with_extremes(figures, table.extremes[at])))
    notes = []
    if len(table.sample) < table.shape[0]:
        exact = "; the extremes of numbers from all of them" if any(table.extremes) else ""
        notes.append(f"Distributions from {len(table.sample):,} of {table.shape[0]:,} rows{exact}.")
    if len(rows) < table.shape[1]:
        notes.append(f"{wording.count(table.shape[1] - len(rows), 'more column')} not shown.")
    heads = ("column", "type", "missing", "distribution", "figures")
    return Table(heads, tuple(rows), numeric=frozenset({2}), note=" ".join(notes), wrapped=frozenset({4}))


def _missing_text(table: Tabular, at: int) -> str:
    count, rows = table.missing[at], table.shape[0]
    if count is None:
        sample = table.sample.iloc[:, at]
        return f"≈ {wording.percent(float(sample.isna().mean()))}"
    return f"{count:,} ({wording.percent(count / rows)})" if count else "0"


def _with_extremes(figures: str, extremes: tuple[Any, Any] | None) -> str:
    if extremes is None or not figures.startswith("min "):
        return figures
    exact = {"min": extremes[0], "max": extremes[1]}
    words = [each.split(" ", 1) for each in figures.split(" · ")]
    return " · ".join(f"{name} {columns.text_of(exact[name]) if name in exact else word}" for name, word in words)


def _head(table: Tabular) -> Table:
    head = table.head.iloc[:, :_HEAD_COLUMNS]
    labelled = not isinstance(head.index, pd.RangeIndex)
    rows: list[tuple[Cell, ...]] = []
    for row, label in enumerate(head.index):
        cells = [columns.text_of(head.iat[row, at]) for at in range(head.shape[1])]
        rows.append((label_of(label), *cells) if labelled else tuple(cells))
    names = tuple(table.names[:_HEAD_COLUMNS])
    index = " / ".join(str(name) for name in head.index.names if name is not None)
    numeric = frozenset(at + labelled for at in range(head.shape[1]) if _is_numeric(head.dtypes.iloc[at]))
    hidden = table.shape[1] - head.shape[1]
    note = f"{wording.count(hidden, 'more column')} not shown." if hidden else ""
    return Table(((index, *names) if labelled else names), tuple(rows), "First rows", numeric, note)


def _is_numeric(dtype: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype))


def _missing(column: pd.Series, small: bool) -> int | None:
    if not small and column.dtype == object:
        return None  # each one is a Python object to look at
    return int(np.count_nonzero(column.isna()))


def _extremes(column: pd.Series) -> tuple[Any, Any] | None:
    values = column.to_numpy() if isinstance(column.dtype, np.dtype) else None
    if values is None or values.dtype.kind not in "iuf" or not len(values):
        return None
    return np.fmin.reduce(values), np.fmax.reduce(values)
