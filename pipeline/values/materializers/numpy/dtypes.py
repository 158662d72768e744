"""numpy's dtypes of records as JSON, with what a .npy file forgets: alignment, and that an item is a `numpy.record`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..files import dump_json
from ..protocols import Json


def same(a: np.dtype[Any], b: np.dtype[Any]) -> bool:
    """Whether two dtypes are the same in all that an array of them shows: for `==`, alignment does not count."""
    if a != b or a.str != b.str or a.type is not b.type or a.isalignedstruct != b.isalignedstruct:
        return False
    if a.subdtype is not None and b.subdtype is not None:
        return same(a.base, b.base)
    return all(same(field, _fields(b)[name]) for name, field in _fields(a).items())


def encode(dtype: np.dtype[Any]) -> Json:
    """The JSON of a dtype."""
    if dtype.subdtype is not None:
        return {"items": encode(dtype.base), "shape": list(dtype.shape)}
    if dtype.names is None or dtype.fields is None:
        return dtype.str
    fields: list[Any] = [dtype.fields[name] for name in dtype.names]
    return {
        "names": list(dtype.names),
        "titles": [title[0] if title else None for _, _, *title in fields],
        "formats": [encode(field) for field, *_ in fields],
        "offsets": [int(offset) for _, offset, *_ in fields],
        "itemsize": dtype.itemsize,
        "aligned": dtype.isalignedstruct,
        "record": dtype.type is np.record,
    }


def decode(data: Json) -> np.dtype[Any]:
    """The dtype of its JSON; raises nearly anything where it is malformed."""
    if isinstance(data, str):
        return np.dtype(data)
    if "items" in data:
        return np.dtype((decode(data["items"]), tuple(data["shape"])))
    layout: Any = {name: data[name] for name in ("names", "titles", "offsets", "itemsize")}
    layout["formats"] = [decode(each) for each in data["formats"]]
    dtype = np.dtype(layout, align=data["aligned"])
    return np.dtype((np.record, dtype)) if data["record"] else dtype


def fits(dtype: np.dtype[Any]) -> bool:
    """Whether `decode` makes the same dtype of the JSON that `encode` makes of it."""
    try:
        described = dump_json(encode(dtype))  # a title may be anything, a name may hold surrogates
        return not has_metadata(dtype) and same(decode(json.loads(described)), dtype)
    except (TypeError, ValueError):
        return False


def has_metadata(dtype: np.dtype[Any]) -> bool:
    """Whether somebody has noted something in a dtype, or in a part of it."""
    if dtype.metadata is not None:
        return True
    if dtype.subdtype is not None:
        return has_metadata(dtype.base)
    return any(map(has_metadata, _fields(dtype).values()))


def _fields(dtype: np.dtype[Any]) -> dict[str, np.dtype[Any]]:
    return {name: dtype[name] for name in dtype.names or ()}
