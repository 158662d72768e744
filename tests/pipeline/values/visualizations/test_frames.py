"""Tables of all libraries: what is said of each column, and how quickly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from artvcs.pipelines.values.visualizations import terminal
from artvcs.pipelines.values.visualizations.kinds import arrow, distribution, frame
from artvcs.pipelines.values.visualizations.pages import html
from artvcs.pipelines.values.visualizations.summary import Histogram, Shares, Summary, Table

ROWS = 500


def people() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": generator.integers(18, 90, ROWS),
            "income": generator.normal(30_000, 9_000, ROWS),
            "city": ["Paris", "Rome", "Rome", "Oslo", "Rome"] * (ROWS // 5),
            "member": [True, False] * (ROWS // 2),
            "joined": pd.date_range("2020-01-01", periods=ROWS, freq="D"),
            "name": [f"user {number}" for number in range(ROWS)],
        }
    )
    table.loc[:49, "income"] = np.nan
    return table


def schema(summary: Summary) -> dict[str, tuple[Any, ...]]:
    [found] = [block for block in summary.blocks if isinstance(block, Table) and block.heads[0] == "column"]
    return {str(row[0]): row[1:] for row in found.rows}


def test_every_column_has_type_missing_distribution_and_figures() -> None:
    summary = frame.of_frame(people())
    assert summary.title == "pandas.DataFrame: 500 rows x 6 columns"
    rows = schema(summary)
    assert rows["income"][1] == "50 (10 %)"
    assert isinstance(rows["age"][2], Histogram)
    assert "mean" in rows["age"][3]
    assert rows["city"][2] == Shares((("Rome", 0.6), ("Oslo", 0.2), ("Paris", 0.2)))
    assert rows["joined"][3] == "2020-01-01 … 2021-05-14"
    assert rows["name"][3] == "all distinct"


def test_figures_are_right() -> None:
    words = schema(frame.of_frame(pd.DataFrame({"x": [1.0, 2.0, 3.0, np.nan]})))["x"][3]
    assert words == "min 1 · mean 2 · max 3 · std 0.8165"


def test_the_first_rows_are_shown_with_an_index_that_says_something() -> None:
    table = pd.DataFrame({"x": range(9)}, index=pd.Index(list("abcdefghi"), name="key"))
    head = frame.of_frame(table).blocks[-1]
    assert isinstance(head, Table)
    assert head.heads == ("key", "x")
    assert head.rows[1] == ("b", "1")
    assert len(head.rows) == frame.HEAD_ROWS


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame(),
        pd.DataFrame({"x": []}),
        pd.DataFrame(index=range(3)),
        pd.DataFrame([[1, 2], [3, 4]], columns=["same", "same"]),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
        pd.DataFrame({"x": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
        pd.DataFrame({"x": [[1], [2]], "y": [{}, {"a": 1}], "z": [object(), None]}),
        pd.DataFrame({"x": [np.inf, -np.inf, np.nan]}),
        pd.DataFrame({"x": [1 + 2j, 3]}),
        pd.DataFrame({"x": [-(2**63), 2**63 - 1]}),
        pd.DataFrame({"x": [1e308, -1e308]}),
        pd.DataFrame({"x": pd.Categorical(["a", None], ["a", "b"])}),
        pd.DataFrame({"x": pd.array([1, None], dtype="Int64"), "y": pd.array([True, None], dtype="boolean")}),
        pd.DataFrame({"x": pd.period_range("2020", periods=2, freq="D"), "y": pd.interval_range(0, 2)}),
        pd.DataFrame({"x": pd.date_range("2020", periods=2, tz="Asia/Tokyo"), "y": pd.to_timedelta([1, 2], "h")}),
        pd.DataFrame({"x": [pd.NaT, pd.NaT], "y": [None, None]}),
        pd.DataFrame({"x": ["\ud800", "b"]}, dtype=object),
        pd.DataFrame(np.zeros((2, 300))),
    ],
)
def test_strange_frames_are_shown_too(table: pd.DataFrame) -> None:
    summary = frame.of_frame(table)
    html.render(summary).encode("utf-8", "strict")
    assert terminal.render(summary, 60)


@pytest.mark.parametrize(
    ("index", "names"),
    [
        (pd.Index([1.5, 2.5]), {"values"}),
        (pd.date_range("2020", periods=2, name="day"), {"day"}),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", None]), {"x", "values"}),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]), {"values"}),
    ],
)
def test_an_index_is_shown_as_a_table(index: pd.Index, names: set[str]) -> None:
    assert set(schema(frame.of_index(index))) == names


def test_more_columns_than_anyone_reads_are_counted() -> None:
    text = terminal.render(frame.of_frame(pd.DataFrame(np.zeros((2, 300)))), 120)
    assert "200 more columns not shown." in text


def test_extreme_numbers_have_a_histogram() -> None:
    assert distribution.histogram(np.array([-(2**63), 0, 2**63 - 1])) is not None
    found = distribution.histogram(np.array([-1e308, 0.0, 1e308, np.nan, np.inf]))
    assert found is not None
    assert sum(found.counts) == 3
    assert distribution.histogram(np.array([np.nan])) is None


def test_whole_numbers_get_equal_ranges() -> None:
    found = distribution.histogram(np.arange(60))
    assert found is not None
    assert set(found.counts) == {3}


def test_of_many_rows_a_sample_is_looked_at_and_said_so() -> None:
    rows = 3 * distribution.SAMPLE
    numbers = np.zeros(rows)
    numbers[12_345] = 1e9  # an outlier that a sample is likely to miss
    numbers[:3] = np.nan
    summary = frame.of_frame(pd.DataFrame({"x": numbers, "y": pd.Series(["a"] * rows, dtype=object)}))
    rows_of = schema(summary)
    assert "max 1,000,000,000" in rows_of["x"][3] or "max 1e+09" in rows_of["x"][3]
    assert rows_of["x"][1].startswith("3 (")
    assert "Distributions from 100,000 of 300,000 rows" in terminal.render(summary, 200)


@pytest.mark.parametrize(
    ("array", "type_"),
    [
        (pa.array([1, 2, None]), "int64"),
        (pa.array([[1], None]), "list<item: int64>"),
        (pa.array([{"a": 1}]), "struct<a: int64>"),
        (pa.array([2**62], pa.timestamp("s")), "timestamp[s]"),
        (pa.array([b"x", None]), "binary"),
        (pa.array(["a", "b"]).dictionary_encode(), "dictionary"),
        (pa.nulls(3), "null"),
    ],
)
def test_arrow_types_are_named_as_arrow_names_them(array: pa.Array, type_: str) -> None:
    rows = schema(arrow.of_table(pa.table({"x": array})))
    assert str(rows["x"][0]).startswith(type_.split("<")[0])


def test_a_long_arrow_table_is_sampled() -> None:
    table = pa.table({"x": np.arange(250_000), "s": ["a"] * 250_000})
    rows = schema(arrow.of_table(table))
    assert rows["x"][3].startswith("min 0 · ")
    assert "max 249999" in rows["x"][3]


def test_polars_frames() -> None:
    polars = pytest.importorskip("polars")
    table = polars.DataFrame({"x": [1, 2, None], "s": ["a", "b", "a"]})
    rows = schema(arrow.of_polars(table))
    assert rows["x"][:2] == ("Int64", "1 (33.3 %)")
    assert rows["s"][2] == Shares((("a", 2 / 3), ("b", 1 / 3)))
    long = polars.DataFrame({"x": range(250_000)})
    assert "max 249999" in schema(arrow.of_polars(long))["x"][3]


def test_a_sample_is_the_same_at_each_call() -> None:
    table = pd.DataFrame({"x": np.random.default_rng(0).normal(size=2 * distribution.SAMPLE)})
    assert frame.of_frame(table) == frame.of_frame(table)
