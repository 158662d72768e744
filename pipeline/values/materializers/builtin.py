"""Python's own values: scalars, containers and bytes."""

from __future__ import annotations

import collections
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar
from uuid import UUID

from . import containers, plain
from .base import Materializer
from .documents import DocumentMaterializer
from .files import reading
from .protocols import Encoding, Json


class ScalarMaterializer(DocumentMaterializer):
    """Numbers, text, dates and other single values, as one small JSON file."""

    NAME = "artvcs.scalar"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (
        *(type(None), bool, int, float, complex, str, range, type(...)),
        *(datetime, date, time, timedelta, timezone, Decimal, Fraction, UUID, re.Pattern),
    )

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for the few that JSON cannot make again, such as a time zone read from a file."""
        return type(data) not in plain.ENCODERS or plain.ENCODERS[type(data)](data) is not plain.UNFIT

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The JSON of the value."""
        return plain.ENCODERS[type(data)](data)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The value."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import mapping

        return writing.write(self.uri, mapping.of_value(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The value itself if it is a short number, truth value or text, else the length of a text."""
        if isinstance(data, str) and (len(data) > 200 or not plain.is_unicode(data)):
            return {"length": len(data)}
        if isinstance(data, (bool, int, float, str)) and not (isinstance(data, int) and abs(data) > plain.MAX_INT):
            return {"value": data}
        return {}


class ContainerMaterializer(DocumentMaterializer):
    """Lists, tuples, dictionaries, sets and the like, holding anything that can be stored."""

    NAME = "artvcs.container"
    INLINE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (
        *(list, tuple, dict, set, frozenset, slice),
        *(collections.OrderedDict, collections.defaultdict, collections.Counter, collections.deque),
    )

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for a defaultdict whose factory cannot be named, and for containers with attributes."""
        return containers.fits(data)

    @classmethod
    def encode(cls, data: Any, encoder: Encoding) -> Json:
        """The JSON of the container."""
        return containers.ENCODERS[type(data)](data, encoder)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """Numbers as bars, courses of numbers as lines, dictionaries as rows."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import mapping

        return writing.write(self.uri, mapping.of_value(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The number of items."""
        return {"length": len(data)} if hasattr(data, "__len__") else {}


class BytesMaterializer(Materializer):
    """bytes and bytearray, as the raw file."""

    NAME = "artvcs.bytes"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (bytes, bytearray)

    # The type is in the name, because a wrong `data_type` must not change what comes back.
    FILES: ClassVar[dict[type, str]] = {bytes: "value.bin", bytearray: "value.bytearray"}

    def save(self, data: bytes | bytearray) -> None:
        """Writes the bytes."""
        self.folder.write(self.FILES[type(data)], bytes(data))

    def load(self, data_type: type[Any]) -> Any:
        """Reads the bytes."""
        kind = next((kind for kind, name in self.FILES.items() if self.folder.has(name)), bytes)
        with reading(self.FILES[kind]):
            content = self.folder.read(self.FILES[kind])
            return content if kind is bytes else kind(content)

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """The first bytes."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import mapping

        return writing.write(self.uri, mapping.of_value(data))

    def extract_metadata(self, data: bytes | bytearray) -> dict[str, Any]:
        """The number of bytes."""
        return {"length": len(data)}
