"""What is asked of a place elsewhere besides what any place for files does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ...storage.files import Files
from .traffic import Traffic


class FarFiles(Files, Protocol):
    """Files elsewhere, where each question takes its time.

    Attributes:
        traffic: What was asked, and how much came and went.
    """

    traffic: Traffic

    def tail(self, name: str, length: int) -> tuple[int, bytes]:
        """A file's size, and so many bytes of its end. Raises FileNotFoundError."""

    def pieces(self, name: str, start: int) -> Iterator[bytes]:
        """A file's bytes from a place on, in pieces. Raises FileNotFoundError."""
