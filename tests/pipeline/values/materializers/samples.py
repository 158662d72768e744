"""Classes that can be imported, and one value of every kind for the tests that need the same everywhere."""

from __future__ import annotations

import collections
import enum
import re
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from artvcs.pipelines.values.materializers import CSVString, HTMLString, JSONString, MarkdownString

T = TypeVar("T")


class Color(enum.Enum):
    RED = 1
    GREEN = "g"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mode(enum.StrEnum):
    FAST = "fast"


class Permission(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: Any = None


@dataclass
class Settings:
    name: str
    values: list[Any] = field(default_factory=list)
    derived: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.derived += len(self.name)

    @cached_property
    def upper(self) -> str:
        return self.name.upper()


@dataclass(frozen=True, slots=True)
class Frozen:
    a: int
    b: Any = None


@dataclass
class Box(Generic[T]):
    content: T


class Plain:
    """A class that only pickle knows."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


def scalars() -> dict[str, Any]:
    """Single values."""
    return {
        "none": None,
        "true": True,
        "int": 3,
        "big": -(10**5000),
        "float": 0.1,
        "negative zero": -0.0,
        "nan": float("nan"),
        "inf": float("-inf"),
        "complex": complex(float("nan"), -0.0),
        "text": "naïve ☃",
        "surrogate": "a\ud83d\ude00b",
        "bytes": b"\x00\xff",
        "bytearray": bytearray(b"ab"),
        "long bytes in a list": [b"x" * 100_000],
        "decimal": Decimal("-1.50E+30"),
        "uuid": UUID(int=7),
        "datetime": datetime(2024, 10, 27, 2, 30, 0, 5, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
        "utc": datetime(2024, 1, 1, tzinfo=UTC),
        "date": date(2024, 2, 29),
        "time": time(1, 2, 3, 4, tzinfo=timezone(timedelta(hours=-3), "here")),
        "timedelta": timedelta(-1, 2, 3),
        "timezone": timezone(timedelta(minutes=90)),
        "zone": ZoneInfo("Asia/Tokyo"),
        "fraction": Fraction(-1, 3),
        "range": range(1, 10, 3),
        "slice": slice(None, 3, -1),
        "ellipsis": ...,
        "pattern": re.compile(r"(?P<word>\w+)|\ud800", re.IGNORECASE | re.VERBOSE),
        "patterns": {re.compile(b"\xff+", re.DOTALL), re.compile("(?a:b)"), re.compile("")},
        "purepath": [PurePosixPath("a/b"), PureWindowsPath("c:\\d")],
        "enum": [Color.GREEN, Level.LOW, Mode.FAST, Permission.READ | Permission.WRITE],
        "html": HTMLString("<p>\r\n</p>"),
        "texts": [MarkdownString("# x"), CSVString("a,b"), JSONString("{}")],
    }


def containers() -> dict[str, Any]:
    """Containers and records."""
    generic = Box[int](1)
    return {
        "list": [1, [2.5, "x", None], (True,), []],
        "dict": {"b": 1, "a": {"$set": [1]}, "c": {1: 2, "1": 3, (1, 2): {3}}},
        "set of text": {"a", "b", "c", "d", "e"},
        "mixed set": {1, "1", (1, frozenset({"x", "y"})), None, 2.5},
        "set of arrays": {np.float32(1), np.float32(2), "z"},
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "default": collections.defaultdict(list, {"k": [1]}),
        "counter": collections.Counter({"b": 2, "a": -1}),
        "deque": collections.deque([1, (2,)], maxlen=5),
        "namedtuple": Point(1, Point(2)),
        "dataclass": Settings("n", [Frozen(1, {"k": (1,)})]),
        "generic": generic,
        "arrays in a dict": {"x": np.arange(3), "frame": pd.DataFrame({"a": [1]}), "n": [np.int8(3), pd.NaT]},
        "numbers": list(range(1000)),
    }


def arrays() -> dict[str, Any]:
    """numpy and pyarrow."""
    table = pa.table({"a": [1, None], "b": [["x"], []]}).replace_schema_metadata({"k": "v"})
    aligned = np.dtype([("a", "i1"), ("b", "<f8")], align=True)
    people = pd.DataFrame({"name": ["Ann", None], "tags": [["x"], {}]}, dtype=object).to_records()
    return {
        "array": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "strided": np.arange(10)[::3],
        "big endian": np.arange(3, dtype=">i4"),
        "zero-d": np.array(3.5),
        "empty": np.zeros((0, 3), dtype="datetime64[s]"),
        "times": np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"),
        "text": np.array(["a", "bcd"]),
        "structured": np.array([(1, "a", (1, 2))], dtype=[("n", "i4"), ("t", "U3"), ("v", "f4", (2,))]),
        "packed of aligned": np.zeros(3, dtype=np.dtype([("a", "i1"), ("b", "<f8")])),
        "padded": np.zeros(2, dtype=np.dtype({"names": ["a"], "formats": ["i1"], "itemsize": 4})),
        "long double": np.arange(3, dtype=np.longdouble),
        "objects": np.array([1, "a", None, [1, 2]], dtype=object),
        "masked": np.ma.MaskedArray([1.0, 2.0], mask=[False, True], fill_value=9.0),
        "unmasked": np.ma.MaskedArray([1, 2]),
        "scalars": [np.float64(1.5), np.bool_(True), np.datetime64("2020-01-01"), np.str_("é"), np.longdouble(2)],
        "empty scalars": [np.str_(""), np.bytes_(b"")],
        "table": table,
        "batch": table.to_batches()[0],
        "dictionary": pa.array(["a", "b", "a"]).dictionary_encode(),
        "chunked": pa.chunked_array([[1, 2], [3]]),
        "schema": table.schema,
        "aligned dtype": aligned.descr,
        "aligned": _filled(np.zeros(3, aligned)),
        "aligned in order of Fortran": np.asfortranarray(_filled(np.zeros((2, 3), aligned))),
        "aligned with titles": np.zeros(2, np.dtype([(("Title", "a"), "i1"), ("b", "<f8")], align=True)),
        "aligned inside": np.zeros(2, [("x", aligned, (2,)), ("y", "U2")]),
        "single of aligned": np.zeros((), aligned),
        "none of aligned": np.zeros((0, 2), aligned),
        "overlapping": _filled(np.zeros(2, {"names": ["b", "a"], "formats": ["<i4", "i1"], "offsets": [0, 3]})),
        "records": np.rec.array([(1, "a", 1.5), (2, "é", -0.0)], dtype=[("n", "i8"), ("t", "U3"), ("x", "f4")]),
        "records of records": np.rec.array([(1, (2, [3]))], dtype=[("n", "i4"), ("s", [("u", "i4"), ("v", "O")])]),
        "aligned records": np.zeros(2, aligned).view(np.recarray),
        "records of a frame": people,
        "records seen as an array": people.view(np.ndarray),
        "record": people[0],
        "record inside": [np.zeros(1, aligned)[0], {"s": np.zeros(2, [("x", "U2"), ("y", "f4", (2,))])[1]}],
        "mapped": _mapped(np.arange(6.0).reshape(2, 3)),
        "mapped records": [_mapped(np.array([(1, "a")], dtype=[("n", "<i4"), ("t", "U1")]))],
        "part of mapped": _mapped(np.arange(6))[1::2],
        "polynomial": np.polynomial.Polynomial([1.5, float("nan"), -0.0]),
        "polynomials": [
            np.polynomial.Chebyshev([1, 2j], domain=[0, 10], window=[-2, 2], symbol="t"),
            np.polynomial.HermiteE([Fraction(1, 3), Fraction(2)]),
            np.polynomial.Legendre(np.array([1, 2], dtype="f4")),
            np.polynomial.Laguerre(np.array([1, 2], dtype=np.longdouble) / 3),
        ],
        **_strings(),
    }


def _filled(array: Any) -> Any:
    for number, name in enumerate(array.dtype.names):
        array[name] = np.arange(array.size).reshape(array.shape) + number
    return array


def _mapped(array: Any) -> Any:
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, dtype=array.dtype, mode="w+", shape=array.shape)
        mapped[...] = array
    return mapped


def _strings() -> dict[str, Any]:
    """Arrays of the text that came with numpy 2."""
    if not hasattr(np.dtypes, "StringDType"):
        return {}
    make: Any = np.dtypes.StringDType
    texts = ["a", "naïve ☃", "", "x" * 100]
    gaps: dict[str, Any] = {"none": None, "nan": np.nan, "NA": pd.NA, "text": "a"}
    return {
        "strings": np.array(texts, make()),
        "strict strings": np.asfortranarray(np.array(texts, make(coerce=False)).reshape(2, 2)),
        "no strings": np.zeros((0, 2), make()),
        **{f"strings and {name}": np.array([*texts, gap], make(na_object=gap)) for name, gap in gaps.items()},
    }
