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


FALLBACK = Builtin("artvcs.pickle", "pickled.fallback", "PickleMaterializer", ())
RECORD = Builtin("artvcs.record", "python.records", "RecordMaterializer", ())

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
_SKLEARN = "sklearn.base.BaseEstimator"
_LIGHTGBM = ("lightgbm.Booster", "lightgbm.LGBMModel")
_TENSORS = ("torch.Tensor", "torch.nn.Parameter")
_CONFIGS = ("transformers.PreTrainedConfig", "transformers.PretrainedConfig")  # renamed in version 5
_STRINGS = "artvcs.pipelines.values.materializers.python.strings."

BUILTINS: tuple[Builtin, ...] = (
    FALLBACK,
    RECORD,
    Builtin("artvcs.scalar", "python.builtin", "ScalarMaterializer", _SCALARS),
    Builtin("artvcs.container", "python.builtin", "ContainerMaterializer", _CONTAINERS),
    Builtin("artvcs.bytes", "python.builtin", "BytesMaterializer", ("builtins.bytes", "builtins.bytearray")),
    Builtin("artvcs.enum", "python.records", "EnumMaterializer", ("enum.Enum",), subclasses=True),
    Builtin("artvcs.path", "python.paths", "PathMaterializer", ("pathlib.Path",), subclasses=True),
    Builtin(
        "artvcs.text",
        "python.strings",
        "TextMaterializer",
        tuple(_STRINGS + name for name in ("HTMLString", "MarkdownString", "CSVString", "JSONString")),
    ),
    Builtin("artvcs.numpy.ndarray", "numpy.arrays", "NdarrayMaterializer", ("numpy.ndarray",)),
    Builtin("artvcs.numpy.objects", "numpy.objects", "ObjectArrayMaterializer", ("numpy.ndarray",)),
    Builtin("artvcs.numpy.records", "numpy.records", "RecordArrayMaterializer", ("numpy.ndarray", "numpy.recarray")),
    Builtin("artvcs.numpy.record", "numpy.records", "RecordItemMaterializer", ("numpy.void",), subclasses=True),
    Builtin("artvcs.numpy.strings", "numpy.strings", "StringArrayMaterializer", ("numpy.ndarray",)),
    Builtin("artvcs.numpy.memmap", "numpy.arrays", "MemmapMaterializer", ("numpy.memmap",)),
    Builtin("artvcs.numpy.polynomial", "numpy.polynomials", "PolynomialMaterializer", _POLYNOMIALS),
    Builtin("artvcs.numpy.masked", "numpy.arrays", "MaskedArrayMaterializer", ("numpy.ma.MaskedArray",)),
    Builtin("artvcs.numpy.scalar", "numpy.arrays", "NumpyScalarMaterializer", ("numpy.generic",), subclasses=True),
    Builtin("artvcs.pandas.DataFrame", "pandas.frames", "DataFrameMaterializer", ("pandas.DataFrame",)),
    Builtin("artvcs.pandas.Series", "pandas.frames", "SeriesMaterializer", ("pandas.Series",)),
    Builtin(
        "artvcs.pandas.Index",
        "pandas.frames",
        "IndexMaterializer",
        tuple(f"pandas.{kind}Index" for kind in _INDEXES),
    ),
    Builtin("artvcs.pandas.scalar", "pandas.scalars", "PandasScalarMaterializer", _PANDAS_SCALARS),
    Builtin(
        "artvcs.pandas.CategoricalDtype", "pandas.dtypes", "CategoricalDtypeMaterializer", ("pandas.CategoricalDtype",)
    ),
    Builtin("artvcs.pandas.array", "pandas.arrays", "ArrayMaterializer", _PANDAS_ARRAYS, subclasses=True),
    Builtin("artvcs.pandas.offset", "pandas.offsets", "OffsetMaterializer", (_OFFSET,), subclasses=True),
    Builtin("artvcs.pyarrow.Table", "arrow.pyarrow", "TableMaterializer", ("pyarrow.Table",)),
    Builtin("artvcs.pyarrow.RecordBatch", "arrow.pyarrow", "RecordBatchMaterializer", ("pyarrow.RecordBatch",)),
    Builtin("artvcs.pyarrow.Array", "arrow.pyarrow", "ArrayMaterializer", ("pyarrow.Array",), subclasses=True),
    Builtin("artvcs.pyarrow.ChunkedArray", "arrow.pyarrow", "ChunkedArrayMaterializer", ("pyarrow.ChunkedArray",)),
    Builtin("artvcs.pyarrow.Schema", "arrow.pyarrow", "SchemaMaterializer", ("pyarrow.Schema",)),
    Builtin(
        "artvcs.sklearn", "models.sklearn", "SklearnMaterializer", ("sklearn.base.BaseEstimator",), True, "sklearn"
    ),
    Builtin("artvcs.pydantic", "python.pydantic", "PydanticMaterializer", ("pydantic.BaseModel",), subclasses=True),
    Builtin("artvcs.polars.DataFrame", "arrow.polars", "PolarsFrameMaterializer", ("polars.DataFrame",)),
    Builtin("artvcs.polars.Series", "arrow.polars", "PolarsSeriesMaterializer", ("polars.Series",)),
    Builtin("artvcs.scipy.sparse", "numpy.scipy_sparse", "SparseMaterializer", _SPARSE),
    Builtin("artvcs.pillow", "pictures.pillow", "ImageMaterializer", ("PIL.Image.Image",)),
    Builtin(
        "artvcs.numpy.random",
        "numpy.random",
        "RandomMaterializer",
        ("numpy.random.Generator", "numpy.random.RandomState", *_BIT_GENERATORS),
    ),
    Builtin("artvcs.torch.Tensor", "models.torch", "TensorMaterializer", _TENSORS, extra="torch"),
    Builtin("artvcs.torch.Module", "models.torch_modules", "ModuleMaterializer", ("torch.nn.Module",), True, "torch"),
    Builtin("artvcs.torch.state_dict", "models.torch_states", "StateDictMaterializer", ("collections.OrderedDict",)),
    Builtin("artvcs.xgboost", "models.xgboost", "XGBoostMaterializer", ("xgboost.Booster", "xgboost.XGBModel"), True),
    Builtin(
        "artvcs.lightgbm", "models.lightgbm", "LightGBMMaterializer", ("lightgbm.Booster", "lightgbm.LGBMModel"), True
    ),
    Builtin("artvcs.keras", "models.keras", "KerasMaterializer", ("keras.Model",), True),
    Builtin("artvcs.matplotlib", "pictures.matplotlib", "FigureMaterializer", ("matplotlib.figure.Figure",)),
    Builtin("artvcs.plotly", "pictures.plotly", "PlotlyMaterializer", ("plotly.graph_objs.Figure",)),
    Builtin("artvcs.datasets.Dataset", "arrow.datasets", "DatasetMaterializer", ("datasets.Dataset",)),
    Builtin("artvcs.datasets.DatasetDict", "arrow.datasets", "DatasetDictMaterializer", ("datasets.DatasetDict",)),
    Builtin(
        "artvcs.transformers.model",
        "models.transformers",
        "ModelMaterializer",
        ("transformers.PreTrainedModel",),
        True,
        "torch",
    ),
    Builtin("artvcs.transformers.config", "models.transformers_parts", "ConfigMaterializer", _CONFIGS, True),
    Builtin(
        "artvcs.transformers.tokenizer",
        "models.transformers_parts",
        "TokenizerMaterializer",
        ("transformers.PreTrainedTokenizerBase",),
        subclasses=True,
    ),
)
