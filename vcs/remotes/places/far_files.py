"""What is asked of a place elsewhere besides what any place for files does, and what follows from the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, Protocol

from ...errors import RemoteRefused
from ...storage.files import Buffer, Files, Signature, nothing
from .traffic import Traffic

PIECE = 4 << 20
"""Bytes that are handed on at once."""


class PlaceMissing(FileNotFoundError):
    """A file is not there, nor is the folder that all would be in."""


def not_kept(where: str, name: str) -> RemoteRefused:
    """What is said of a place where a file is not that was only just written."""
    return RemoteRefused(
        f"{where} did not keep {name}, which was only just written there; "
        "see whether something cleans up there, and try again."
    )


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

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        """As `list`, with how many seconds ago each was written by the place's own clock: ours may be any."""


class Reading(ABC):
    """What follows from reading ranges and looking at files."""

    @abstractmethod
    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Files.read`."""

    @abstractmethod
    def signature(self, name: str) -> Signature:
        """See `Files.signature`; what comes first is the size."""

    def size(self, name: str) -> int:
        """See `Files.size`."""
        return int(self.signature(name)[0])

    def exists(self, name: str) -> bool:
        """See `Files.exists`."""
        try:
            self.signature(name)
        except FileNotFoundError:
            return False
        return True

    def map(self, name: str) -> Buffer:
        """See `Files.map`."""
        return self.read(name)

    def tail(self, name: str, length: int) -> tuple[int, bytes]:
        """See `FarFiles.tail`."""
        size = self.size(name)
        return size, self.read(name, max(0, size - length), length)

    def pieces(self, name: str, start: int) -> Iterator[bytes]:
        """See `FarFiles.pieces`."""
        while piece := self.read(name, start, PIECE):
            start += len(piece)
            yield piece


class ReadOnly(ABC):
    """A place that refuses to be written."""

    @abstractmethod
    def refuse(self) -> NoReturn:
        """Says that it can only be read, and what to do. Raises RemoteRefused."""

    def put(self, name: str, data: bytes) -> None:
        """Refuses."""
        self.refuse()

    def adopt(self, name: str, path: Path) -> None:
        """Refuses."""
        self.refuse()

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        """Refuses."""
        self.refuse()

    def hint(self, name: str, data: bytes) -> None:
        """Refuses."""
        self.refuse()

    def delete(self, name: str) -> None:
        """Refuses."""
        self.refuse()

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        """Refuses: who only reads there need not know."""
        self.refuse()


def pieces_of(path: Path, traffic: Traffic) -> Iterator[bytes]:
    """The bytes of a local file in pieces, each counted as it is sent."""
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            traffic.add(0, sent=len(piece))
            yield piece
