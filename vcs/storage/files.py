"""Where a repository's bytes lie: a set of named files, whoever keeps them.

`Files` is all that the store asks of a place: a local folder (`local`), memory (`memory`), later a bucket. Names are
relative paths with `/` between their parts. Files are written once and never changed; only `root`, a hint, is replaced.
`artvcs.testing` has the suite of tests that every implementation must pass.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from ..errors import InvalidName

Buffer = bytes | mmap.mmap
"""Bytes of a whole file: in memory, or mapped. Slicing gives bytes."""

Bytes = TypeVar("Bytes", bytes, memoryview)
"""Bytes in memory: their own, or a part of others that is not copied."""

Signature = tuple[int | str, ...]
"""What a place says about a file without reading it, and says otherwise once the file's bytes may have changed."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*\Z")


def nothing() -> None:
    """Does nothing."""


class Files(Protocol):
    """A set of named files. Safe to use from several threads and processes at once."""

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """A range of a file's bytes; fewer where the file ends before.

        Raises:
            FileNotFoundError: There is no such file.
        """

    def map(self, name: str) -> Buffer:
        """A whole file, mapped where the place can do that. Raises FileNotFoundError."""

    def size(self, name: str) -> int:
        """A file's size in bytes. Raises FileNotFoundError."""

    def signature(self, name: str) -> Signature:
        """What changes when the file's bytes may have changed. Raises FileNotFoundError."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def put(self, name: str, data: bytes) -> None:
        """Makes a file, or replaces it, at once: a reader sees all of it or nothing. Durable when this returns."""

    def adopt(self, name: str, path: Path) -> None:
        """As `put`, with the bytes of a local file, which is gone afterwards, and stays where this fails."""

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        """As `put`, but only where there is no such file; of several at once exactly one succeeds.

        Args:
            name: Its name.
            data: Its bytes.
            visible: Called once others see it, which may be before it is durable.

        Returns:
            False when there was one already.
        """

    def hint(self, name: str, data: bytes) -> None:
        """As `put`, for what nobody relies on: it may be seen half-written, and older or gone after a power cut."""

    def list(self, folder: str) -> Iterator[str]:
        """The names of all files below a folder; includes every file that existed throughout the call."""

    def delete(self, name: str) -> None:
        """Removes a file if it is there."""


def check_name(name: str) -> str:
    """`name` if it can be a file's name in any place, and stays in it.

    Raises:
        InvalidName: It is absolute, leads upwards, or holds something unusual.
    """
    if _NAME.match(name):
        return name
    raise InvalidName(f"{name[:80]!r} cannot be the name of a file in a repository; run `art fsck`.")
