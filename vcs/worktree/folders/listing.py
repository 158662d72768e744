"""What a folder holds, as the file system tells it: all names, and of each what changes when it is changed."""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import attrgetter

from ...objects.oid import Oid

_NUMBERS = attrgetter("st_mode", "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")
_WIDTH = 5

STATE_SIZE = 8 * _WIDTH
"""Bytes of a state."""

NO_STATE = bytes(STATE_SIZE)
"""What no name has: its mode is none."""


class Listing:
    """The names in a folder in ascending order, and their states.

    A state is what the file system says of a file or link; of a folder, what it holds (see `set_folder`).

    Args:
        names: The names.
        numbers: What the file system says of each, one after the other.

    Attributes:
        names: The names.
        folders: Which of them, by position, are folders.
        links: Which are symbolic links.
        others: Which are neither these nor files.
    """

    def __init__(self, names: Sequence[str], numbers: array[int]) -> None:
        self.names = names
        self._numbers = numbers
        self._bytes = memoryview(self._numbers).cast("B")
        self.folders: list[int] = []
        self.links: list[int] = []
        self.others: list[int] = []
        modes = self._numbers[::_WIDTH]
        if not all(map(stat.S_ISREG, set(modes))):
            for at, mode in enumerate(modes):
                if not stat.S_ISREG(mode):
                    kind = stat.S_IFMT(mode)
                    {stat.S_IFDIR: self.folders, stat.S_IFLNK: self.links}.get(kind, self.others).append(at)

    def __len__(self) -> int:
        return len(self.names)

    def set_folder(self, at: int, tree: Oid) -> None:
        """Makes what a folder holds its state: its own times say little."""
        self._bytes[at * STATE_SIZE : (at + 1) * STATE_SIZE] = stat.S_IFDIR.to_bytes(8, "little") + bytes.fromhex(tree)

    def states(self, start: int, end: int) -> memoryview:
        """The states of some names."""
        return self._bytes[start * STATE_SIZE : end * STATE_SIZE]

    def mode(self, at: int) -> int:
        """What it is, and who may do what with it."""
        return self._numbers[at * _WIDTH]

    def size(self, at: int) -> int:
        """Bytes of a file."""
        return self._numbers[at * _WIDTH + 1]

    def times(self, at: int) -> tuple[int, int]:
        """When its content and its state were last changed, in nanoseconds since 1970."""
        start = at * _WIDTH
        return self._numbers[start + 2], self._numbers[start + 3]

    def is_still(self, at: int, info: os.stat_result) -> bool:
        """Whether a file or link has the state that it had."""
        return bool(_NUMBERS(info) == tuple(self._numbers[at * _WIDTH : (at + 1) * _WIDTH]))


def state_of(info: os.stat_result) -> bytes:
    """The state of one file or link."""
    return packed(lambda: (info,)).tobytes()


def packed(stats: Callable[[], Iterable[os.stat_result]]) -> array[int]:
    """What a listing keeps of what the file system says of each, one after the other."""
    # All at once, without a step of Python's own for each: a folder may hold a million names.
    numbers = array("q")
    try:
        numbers.extend(chain.from_iterable(map(_NUMBERS, stats())))
    except OverflowError:  # an inode's number may need the bit of the sign
        signed = ((number + (1 << 63)) % (1 << 64) - (1 << 63) for info in stats() for number in _NUMBERS(info))
        numbers = array("q", signed)
    return numbers
