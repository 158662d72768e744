"""What the parts of the value codec know of each other."""

from __future__ import annotations

from typing import Any, Protocol

Json = Any


class NotPlain(Exception):
    """A part needs files of its own, where only JSON will do."""


class Encoding(Protocol):
    """One walk through a value, turning it into JSON data."""

    def encode(self, value: Any) -> Json:
        """The JSON data of a part."""

    def plain(self, value: Any) -> Json:
        """The JSON data of a part that needs no files; raises NotPlain where it does."""

    def leaf(self, value: Any) -> Json:
        """Saves a part in its own folder and returns the reference to it."""

    def class_path(self, cls: type) -> str | None:
        """The name to write for a class, by which `find_class` finds it; None if there is none."""


class Decoding(Protocol):
    """One walk through JSON data, turning it into a value."""

    def decode(self, data: Json) -> Any:
        """The value of a part; raises nearly anything where it is malformed."""

    def find_class(self, path: Json) -> type:
        """The class of a name; raises UntrustedData where it would import what nobody here asked for."""
