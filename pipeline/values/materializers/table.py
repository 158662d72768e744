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
        extra: The extra of this package that installs what it needs beside the library of its types.
    """

    name: str
    module: str
    cls: str
    types: tuple[str, ...]
    subclasses: bool = False
    extra: str = ""


FALLBACK = Builtin("artvcs.pickle", "fallback", "PickleMaterializer", ())
RECORD = Builtin("artvcs.record", "records", "RecordMaterializer", ())

_SCALARS = (
    *("builtins." + name for name in ["NoneType", "bool", "int", "float", "complex", "str", "range", "ellipsis"]),
    *("datetime." + name for name in ["datetime", "date", "time", "timedelta", "timezone"]),
    "decimal.Decimal",
    "fractions.Fraction",
    "pathlib.PurePosixPath",
    "pathlib.PureWindowsPath",
    "re.Pattern",
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
    *("pandas.Timestamp", "pandas.Timedelta", "pandas.Period", "pandas.Interval"),
    *("pandas.api.typing.NaTType", "pandas.api.typing.NAType"),
    *("pandas._libs.NaTType", "pandas._libs.missing.NAType"),
)
_PANDAS_ARRAYS = ("pandas.api.extensions.ExtensionArray", "pandas.core.arrays.base.ExtensionArray")
_OFFSET = "pandas._libs.tslibs.offsets.BaseOffset"
_FORMS = ("csr", "csc", "bsr", "coo", "dia")
_SPARSE = tuple(f"scipy.sparse.{form}_{kind}" for form in _FORMS for kind in ("array", "matrix"))
_SERIES = ("Polynomial", "Chebyshev", "Legendre", "Laguerre", "Hermite", "HermiteE")
_POLYNOMIALS = tuple("numpy.polynomial." + name for name in _SERIES)
_BIT_GENERATORS = tuple("numpy.random." + name for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"))
_TENSORS = ("torch.Tensor", "torch.nn.Parameter")
_CONFIGS = ("transformers.PreTrainedConfig", "transformers.PretrainedConfig")  # renamed in version 5
_STRINGS = "artvcs.pipelines.values.materializers.strings."

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
    Builtin("artvcs.numpy.records", "numpy_records", "RecordArrayMaterializer", ("numpy.ndarray", "numpy.recarray")),
    Builtin("artvcs.numpy.record", "numpy_records", "RecordItemMaterializer", ("numpy.void",), subclasses=True),
    Builtin("artvcs.numpy.strings", "numpy_strings", "StringArrayMaterializer", ("numpy.ndarray",)),
    Builtin("artvcs.numpy.memmap", "numpy", "MemmapMaterializer", ("numpy.memmap",)),
    Builtin("artvcs.numpy.polynomial", "numpy_polynomials", "PolynomialMaterializer", _POLYNOMIALS),
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
    Builtin(
        "artvcs.pandas.CategoricalDtype", "pandas_dtypes", "CategoricalDtypeMaterializer", ("pandas.CategoricalDtype",)
    ),
    Builtin("artvcs.pandas.array", "pandas_arrays", "ArrayMaterializer", _PANDAS_ARRAYS, subclasses=True),
    Builtin("artvcs.pandas.offset", "pandas_offsets", "OffsetMaterializer", (_OFFSET,), subclasses=True),
    Builtin("artvcs.pyarrow.Table", "pyarrow", "TableMaterializer", ("pyarrow.Table",)),
    Builtin("artvcs.pyarrow.RecordBatch", "pyarrow", "RecordBatchMaterializer", ("pyarrow.RecordBatch",)),
    Builtin("artvcs.pyarrow.Array", "pyarrow", "ArrayMaterializer", ("pyarrow.Array",), subclasses=True),
    Builtin("artvcs.pyarrow.ChunkedArray", "pyarrow", "ChunkedArrayMaterializer", ("pyarrow.ChunkedArray",)),
    Builtin("artvcs.pyarrow.Schema", "pyarrow", "SchemaMaterializer", ("pyarrow.Schema",)),
    Builtin("artvcs.sklearn", "sklearn", "SklearnMaterializer", ("sklearn.base.BaseEstimator",), True, "sklearn"),
    Builtin("artvcs.pydantic", "pydantic", "PydanticMaterializer", ("pydantic.BaseModel",), subclasses=True),
    Builtin("artvcs.polars.DataFrame", "polars", "PolarsFrameMaterializer", ("polars.DataFrame",)),
    Builtin("artvcs.polars.Series", "polars", "PolarsSeriesMaterializer", ("polars.Series",)),
    Builtin("artvcs.scipy.sparse", "scipy_sparse", "SparseMaterializer", _SPARSE),
    Builtin("artvcs.pillow", "pillow", "ImageMaterializer", ("PIL.Image.Image",)),
    Builtin(
        "artvcs.numpy.random",
        "numpy_random",
        "RandomMaterializer",
        ("numpy.random.Generator", "numpy.random.RandomState", *_BIT_GENERATORS),
    ),
    Builtin("artvcs.torch.Tensor", "torch", "TensorMaterializer", _TENSORS, extra="torch"),
    Builtin("artvcs.torch.Module", "torch_modules", "ModuleMaterializer", ("torch.nn.Module",), True, "torch"),
    Builtin("artvcs.torch.state_dict", "torch_states", "StateDictMaterializer", ("collections.OrderedDict",)),
    Builtin("artvcs.xgboost", "xgboost", "XGBoostMaterializer", ("xgboost.Booster", "xgboost.XGBModel"), True),
    Builtin("artvcs.lightgbm", "lightgbm", "LightGBMMaterializer", ("lightgbm.Booster", "lightgbm.LGBMModel"), True),
    Builtin("artvcs.keras", "keras", "KerasMaterializer", ("keras.Model",), True),
    Builtin("artvcs.matplotlib", "matplotlib", "FigureMaterializer", ("matplotlib.figure.Figure",)),
    Builtin("artvcs.plotly", "plotly", "PlotlyMaterializer", ("plotly.graph_objs.Figure",)),
    Builtin("artvcs.datasets.Dataset", "datasets", "DatasetMaterializer", ("datasets.Dataset",)),
    Builtin("artvcs.datasets.DatasetDict", "datasets", "DatasetDictMaterializer", ("datasets.DatasetDict",)),
    Builtin(
        "artvcs.transformers.model",
        "transformers",
        "ModelMaterializer",
        ("transformers.PreTrainedModel",),
        True,
        "torch",
    ),
    Builtin("artvcs.transformers.config", "transformers_parts", "ConfigMaterializer", _CONFIGS, True),
    Builtin(
        "artvcs.transformers.tokenizer",
        "transformers_parts",
        "TokenizerMaterializer",
        ("transformers.PreTrainedTokenizerBase",),
        subclasses=True,
    ),
)
