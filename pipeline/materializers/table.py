"""Which built-in materializer handles which type, by name: nothing is imported before it is needed."""

from __future__ import annotations

from typing import NamedTuple


class Builtin(NamedTuple):
    """A built-in materializer.

    Attributes:
        name: Its NAME, which artifacts record.
        module: The module of this package that holds it.
        cls: The class in that module.
        types: Names of the types it is for, as `typenames.type_name` gives them.
        subclasses: Whether it keeps subclasses of those types as they are. Where it does not, a subclass
            goes to the fallback instead of being flattened to its base.
    """

    name: str
    module: str
    cls: str
    types: tuple[str, ...]
    subclasses: bool = False


FALLBACK = Builtin("artvcs.pickle", "fallback", "PickleMaterializer", ())
RECORD = Builtin("artvcs.record", "records", "RecordMaterializer", ())

_SCALARS = (
    *("builtins." + name for name in ["NoneType", "bool", "int", "float", "complex", "str", "range", "ellipsis"]),
    *("datetime." + name for name in ["datetime", "date", "time", "timedelta", "timezone"]),
    "decimal.Decimal",
    "fractions.Fraction",
    "pathlib.PurePosixPath",
    "pathlib.PureWindowsPath",
    "uuid.UUID",
    "zoneinfo.ZoneInfo",
)
_CONTAINERS = (
    *("builtins." + name for name in ["list", "tuple", "dict", "set", "frozenset", "slice"]),
    *("collections." + name for name in ["OrderedDict", "defaultdict", "Counter", "deque"]),
)
_INDEXES = ("", "Range", "Multi", "Datetime", "Timedelta", "Period", "Interval", "Categorical")
# The types of NaT and NA were not public before pandas 3.
_PANDAS_SCALARS = (
    *("pandas.Timestamp", "pandas.Timedelta", "pandas.api.typing.NaTType", "pandas.api.typing.NAType"),
    *("pandas._libs.NaTType", "pandas._libs.missing.NAType"),
)
_FORMS = ("csr", "csc", "bsr", "coo", "dia")
_SPARSE = tuple(f"scipy.sparse.{form}_{kind}" for form in _FORMS for kind in ("array", "matrix"))
_STRINGS = "artvcs.pipelines.materializers.strings."

BUILTINS: tuple[Builtin, ...] = (
    FALLBACK,
    RECORD,
    Builtin("artvcs.scalar", "builtin", "ScalarMaterializer", _SCALARS),
    Builtin("artvcs.container", "builtin", "ContainerMaterializer", _CONTAINERS),
    Builtin("artvcs.bytes", "builtin", "BytesMaterializer", ("builtins.bytes", "builtins.bytearray")),
    Builtin("artvcs.enum", "records", "EnumMaterializer", ("enum.Enum",), subclasses=True),
    Builtin("artvcs.path", "paths", "PathMaterializer", ("pathlib.Path",), subclasses=True),
    Builtin(
        "artvcs.text",
        "strings",
        "TextMaterializer",
        tuple(_STRINGS + name for name in ("HTMLString", "MarkdownString", "CSVString", "JSONString")),
    ),
    Builtin("artvcs.numpy.ndarray", "numpy", "NdarrayMaterializer", ("numpy.ndarray",)),
    Builtin("artvcs.numpy.objects", "numpy_objects", "ObjectArrayMaterializer", ("numpy.ndarray",)),
    Builtin("artvcs.numpy.masked", "numpy", "MaskedArrayMaterializer", ("numpy.ma.MaskedArray",)),
    Builtin("artvcs.numpy.scalar", "numpy", "NumpyScalarMaterializer", ("numpy.generic",), subclasses=True),
    Builtin("artvcs.pandas.DataFrame", "pandas", "DataFrameMaterializer", ("pandas.DataFrame",)),
    Builtin("artvcs.pandas.Series", "pandas", "SeriesMaterializer", ("pandas.Series",)),
    Builtin(
        "artvcs.pandas.Index",
        "pandas",
        "IndexMaterializer",
        tuple(f"pandas.{kind}Index" for kind in _INDEXES),
    ),
    Builtin("artvcs.pandas.scalar", "pandas_scalars", "PandasScalarMaterializer", _PANDAS_SCALARS),
    Builtin("artvcs.pyarrow.Table", "pyarrow", "TableMaterializer", ("pyarrow.Table",)),
    Builtin("artvcs.pyarrow.RecordBatch", "pyarrow", "RecordBatchMaterializer", ("pyarrow.RecordBatch",)),
    Builtin("artvcs.pyarrow.Array", "pyarrow", "ArrayMaterializer", ("pyarrow.Array",), subclasses=True),
    Builtin("artvcs.pyarrow.ChunkedArray", "pyarrow", "ChunkedArrayMaterializer", ("pyarrow.ChunkedArray",)),
    Builtin("artvcs.pyarrow.Schema", "pyarrow", "SchemaMaterializer", ("pyarrow.Schema",)),
    Builtin("artvcs.sklearn", "sklearn", "SklearnMaterializer", ("sklearn.base.BaseEstimator",), subclasses=True),
    Builtin("artvcs.pydantic", "pydantic", "PydanticMaterializer", ("pydantic.BaseModel",), subclasses=True),
    Builtin("artvcs.polars.DataFrame", "polars", "PolarsFrameMaterializer", ("polars.DataFrame",)),
    Builtin("artvcs.polars.Series", "polars", "PolarsSeriesMaterializer", ("polars.Series",)),
    Builtin("artvcs.scipy.sparse", "scipy_sparse", "SparseMaterializer", _SPARSE),
    Builtin("artvcs.pillow", "pillow", "ImageMaterializer", ("PIL.Image.Image",)),
)
