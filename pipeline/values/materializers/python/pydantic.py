"""pydantic models, field by field. Loading sets the fields as they were and runs no validators."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import pydantic  # type: ignore[import-not-found, unused-ignore]

from ..documents.materializer import DocumentMaterializer
from ..protocols import Decoding, Encoding, Json
from ..typenames import class_path

_PARTS = ("__pydantic_extra__", "__pydantic_private__")


class PydanticMaterializer(DocumentMaterializer):
    """Instances of models whose class can be imported."""

    NAME = "artvcs.pydantic"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (pydantic.BaseModel,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for local classes, and for instances with more to them than their fields."""
        return class_path(type(data)) is not None and set(_fields(data)) <= set(type(data).model_fields)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The class, the fields, which of them were set, and extra and private attributes."""
        parts = [encoder.encode(getattr(data, name, None)) for name in _PARTS]
        names = sorted(data.model_fields_set)
        return {"$pydantic": [encoder.class_path(type(data)), encoder.encode(_fields(data)), names, *parts]}

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The fields and what they hold."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import mapping

        return writing.write(self.uri, mapping.of_fields(type(data).__name__, _fields(data)))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The names of the fields."""
        return {"fields": list(type(data).model_fields)}


def decode_model(parts: Json, decoder: Decoding) -> Any:
    """An instance of a model."""
    path, fields, names, extra, private = parts
    cls: Any = decoder.find_class(path)
    if not issubclass(cls, pydantic.BaseModel):
        raise ValueError(f"{path} is not a pydantic model")
    values = decoder.decode(fields)
    if not set(values) <= set(cls.model_fields) or not all(type(name) is str for name in names):
        raise ValueError(f"{path} had other fields when it was stored; load it with that version of the code")
    instance = cls.__new__(cls)
    object.__setattr__(instance, "__dict__", values)
    object.__setattr__(instance, "__pydantic_fields_set__", set(names))
    for name, data in zip(_PARTS, (extra, private), strict=True):
        object.__setattr__(instance, name, decoder.decode(data))
    return instance


def _fields(data: Any) -> dict[str, Any]:
    cls = type(data)
    return {
        name: value
        for name, value in data.__dict__.items()
        if not isinstance(getattr(cls, name, None), cached_property)
    }
