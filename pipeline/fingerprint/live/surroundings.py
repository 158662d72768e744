"""Settings of Python's library and of packages that change what code of theirs does, wherever they were set."""

from __future__ import annotations

import copyreg
import importlib
import io
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any

NOT_LOADED = object()
"""In place of settings of what is not loaded: they are what they are by themselves."""


def of(module: str, rest: str) -> Iterator[tuple[str, Any]]:
    """The settings that count for code that uses a name of a module: what they are called, and their values.

    Args:
        module: The module.
        rest: The attributes that are read from it, dotted.
    """
    for name, read in _SETTINGS.get(module.partition(".")[0], ()):
        yield name, read() if sys.modules.get(module.partition(".")[0]) is not None else NOT_LOADED
    if module == "importlib.metadata":
        importlib.import_module(module)  # so that what is asked of it is seen
    if (module, rest.partition(".")[0]) == ("importlib.metadata", "entry_points"):
        yield "the entry points", _entry_points()


def names(top: str) -> tuple[str, ...]:
    """What the settings of a module are called."""
    return tuple(name for name, _ in _SETTINGS.get(top, ()))


def is_setting(name: str) -> bool:
    """Whether a noted name is a setting's, or of what it holds."""
    return name.partition("[")[0] in _NAMES


class _PlainPickler(pickle.Pickler):
    """Refuses all but Python's own plain data, whose pickle says all that they are."""

    def reducer_override(self, obj: Any) -> Any:
        raise pickle.PicklingError


def plain_text(value: Any) -> bytes | None:
    """Bytes that are the same only for an equal value, if it holds nothing but plain data; else None."""
    buffer = io.BytesIO()
    try:
        _PlainPickler(buffer, 5).dump(value)
    except Exception:  # whatever it is, it is no plain data
        return None
    return buffer.getvalue()


def _entry_points() -> list[str]:
    from importlib import metadata

    found = (each for distribution in metadata.distributions() for each in distribution.entry_points)
    return sorted(f"{each.group} {each.name} {each.value}" for each in found)


def _pandas() -> Any:
    from pandas._config import config

    return config._global_config


def _numpy() -> Any:
    import numpy

    return {key: str(value) for key, value in {**numpy.get_printoptions(), **numpy.geterr()}.items()}


def _decimal() -> Any:
    import decimal

    return repr(decimal.getcontext()).partition(", flags=")[0]


def _locale() -> Any:
    import locale

    return locale.setlocale(locale.LC_ALL)


def _sklearn() -> Any:
    import sklearn

    return sklearn.get_config()


def _polars() -> Any:
    import polars

    return polars.Config.state()


def _matplotlib() -> Any:
    import matplotlib

    return {key: str(value) for key, value in dict.copy(matplotlib.rcParams).items() if not key.startswith("backend")}


def _colormaps() -> Any:
    import matplotlib

    return sorted({*matplotlib.colormaps} - {*vars(matplotlib.colormaps)["_builtin_cmaps"]})


def _accessors() -> Any:
    import pandas

    classes: tuple[Any, ...] = (pandas.DataFrame, pandas.Series, pandas.Index)
    return sorted(f"{each.__name__}.{name}" for each in classes for name in list(each._accessors))


_OF_DIALECTS = ("delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting", "skipinitialspace")


def _csv() -> Any:
    import csv

    dialects = {name: csv.get_dialect(name) for name in csv.list_dialects()}
    told = {name: {key: getattr(each, key) for key in _OF_DIALECTS} for name, each in dialects.items()}
    return {**told, "the limit of a field": csv.field_size_limit()}


def _timeout() -> Any:
    import socket

    return socket.getdefaulttimeout()


def _sqlite() -> Any:
    import sqlite3

    adapters = {f"{cls.__module__}.{cls.__qualname__}": each for (cls, _), each in dict(sqlite3.adapters).items()}
    return {"adapters": adapters, "converters": dict(sqlite3.converters)}


def _torch() -> Any:
    import torch

    return [str(torch.get_default_dtype()), torch.are_deterministic_algorithms_enabled()]


def _plotly() -> Any:
    io = sys.modules.get("plotly.io")
    return NOT_LOADED if io is None else str(io.templates.default)


_COPIES = ("copyreg.dispatch_table", lambda: dict(copyreg.dispatch_table))

_SETTINGS: dict[str, tuple[tuple[str, Callable[[], Any]], ...]] = {
    "argparse": (("sys.argv", lambda: sys.argv[1:]),),
    "click": (("sys.argv", lambda: sys.argv[1:]),),
    "copy": (_COPIES,),
    "copyreg": (_COPIES,),
    "csv": (("csv's dialects", _csv),),
    "decimal": (("decimal's context", _decimal),),
    "locale": (("the locale", _locale),),
    "matplotlib": (("matplotlib's options", _matplotlib), ("matplotlib's colormaps", _colormaps)),
    "numpy": (("numpy's options", _numpy),),
    "pandas": (("pandas' options", _pandas), ("pandas' accessors", _accessors)),
    "pickle": (_COPIES,),
    "plotly": (("plotly's template", _plotly),),
    "polars": (("polars' options", _polars),),
    "sklearn": (("sklearn's options", _sklearn),),
    "socket": (("the default timeout", _timeout),),
    "sqlite3": (("sqlite3's adapters", _sqlite),),
    "torch": (("torch's options", _torch),),
    "typer": (("sys.argv", lambda: sys.argv[1:]),),
}
_NAMES = frozenset(name for found in _SETTINGS.values() for name, _ in found)
