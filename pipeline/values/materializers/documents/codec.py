"""Python values inside JSON, exactly: the walk through a value and back.

What JSON has is written as it is: None, booleans, integers, finite floats, text, lists, and dictionaries
with text keys. Everything else is an object with one key that starts with `$`: `{"$tuple": [1, 2]}`.
A part that JSON cannot carry is saved by its own materializer in a folder `0`, `1`, … beside the
document, and what has to be pickled goes together into the folder `pickled`, so that objects those
parts share stay shared. Any other object that occurs twice is written, and loaded, twice.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from artvcs.pipelines.errors import MaterializerError

from .. import registry
from ..base import Materializer
from ..protocols import Decoding, Json, NotPlain
from . import containers, leaves, plain

MAX_DEPTH = 150

# Tags of values whose module is imported only when one is met.
_ELSEWHERE = {
    "$enum": ("python.records", "decode_enum"),
    "$flag": ("python.records", "decode_flag"),
    "$namedtuple": ("python.records", "decode_namedtuple"),
    "$dataclass": ("python.records", "decode_dataclass"),
    "$numpy": ("numpy.arrays", "decode_scalar"),
    "$record": ("numpy.records", "decode_record"),
    "$polynomial": ("numpy.polynomials", "decode_polynomial"),
    "$pydantic": ("python.pydantic", "decode_model"),
    "$pandas": ("pandas.scalars", "decode_scalar"),
    "$offset": ("pandas.offsets", "decode_offset"),
    "$categorical": ("pandas.dtypes", "decode_categorical"),
}


class Encoder:
    """Turns one value into JSON data, saving the parts that JSON cannot carry."""

    def __init__(self, owner: Materializer) -> None:
        self._owner = owner
        self._leaves = leaves.LeafWriter(owner)
        self._path: set[int] = set()
        self._plain_only = 0

    def whole(self, value: Any, materializer: Any) -> Json:
        """The JSON data of the value that `materializer` was chosen for; writes what it needs."""
        self._path.add(id(value))
        data = materializer.encode(value, self)
        self.finish()
        return data

    def finish(self) -> None:
        """Writes what was gathered on the way."""
        self._leaves.finish()

    def encode(self, value: Any) -> Json:
        """The JSON data of a part.

        Raises:
            MaterializerError: The value contains itself, is nested too deeply, or cannot be stored.
        """
        kind = type(value)
        if kind in plain.ENCODERS and not registry.is_registered(kind):
            data = plain.ENCODERS[kind](value)
            if data is not plain.UNFIT:
                return data
        if id(value) in self._path:
            raise MaterializerError(
                f"A {kind.__name__} contains itself, which cannot be stored; return a value without cycles."
            )
        if len(self._path) >= MAX_DEPTH:
            raise MaterializerError(f"The value is nested more than {MAX_DEPTH} deep; return a flatter one.")
        self._path.add(id(value))
        try:
            return self._encode_compound(value, kind)
        finally:
            self._path.discard(id(value))

    def plain(self, value: Any) -> Json:
        """The JSON data of a part that needs no files.

        Raises:
            NotPlain: It does need files.
        """
        self._plain_only += 1
        try:
            return self.encode(value)
        finally:
            self._plain_only -= 1

    def leaf(self, value: Any) -> Json:
        """Saves a part in its own folder and returns the reference to it."""
        return self._leaf(value, registry.find_for_value(value))

    def class_path(self, cls: type) -> str | None:
        """The name to write for a class, by which `find_class` finds it; None if there is none."""
        return self._owner.class_path(cls)

    def _encode_compound(self, value: Any, kind: type) -> Json:
        if kind in containers.ENCODERS and not registry.is_registered(kind) and containers.fits(value):
            return containers.ENCODERS[kind](value, self)
        found: Any = registry.find_for_value(value)
        if found.__dict__.get("INLINE"):
            return found.encode(value, self)
        return self._leaf(value, found)

    def _leaf(self, value: Any, materializer: type[Materializer]) -> Json:
        if self._plain_only:
            raise NotPlain
        return self._leaves.save(value, materializer)


class Decoder:
    """Turns JSON data that `Encoder` made back into the value."""

    def __init__(self, owner: Materializer) -> None:
        self._owner = owner
        self._leaves = leaves.LeafReader(owner)

    def decode(self, data: Json) -> Any:
        """The value of JSON data; raises nearly anything where it is malformed."""
        kind = type(data)
        if kind is list:
            return data if containers.all_scalars(data) else [self.decode(item) for item in data]
        if kind is not dict:
            return data
        if len(data) == 1:
            [(tag, inner)] = data.items()
            if tag.startswith("$"):
                return self._decode_tagged(tag, inner)
        if containers.all_scalars(data.values()):
            return data
        return {key: self.decode(item) for key, item in data.items()}

    def find_class(self, path: Json) -> type:
        """The class of a name; raises UntrustedData where it would import what nobody here asked for."""
        return self._owner.find_class(path)

    def _decode_tagged(self, tag: str, inner: Json) -> Any:
        if tag == "$stored":
            return self._leaves.load(inner)
        if tag == "$pickled":
            return self._leaves.pickled(inner)
        if tag in plain.DECODERS:
            return plain.DECODERS[tag](inner)
        return _container_decoder(tag)(inner, self)


def _container_decoder(tag: str) -> Callable[[Json, Decoding], Any]:
    if tag in containers.DECODERS:
        return containers.DECODERS[tag]
    module, name = _ELSEWHERE[tag]
    found: Callable[[Json, Decoding], Any] = getattr(importlib.import_module(f"..{module}", __package__), name)
    return found
