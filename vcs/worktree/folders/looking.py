"""Looking at what is in folders: by a second process too, where it is much."""

from __future__ import annotations

import marshal
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from .ahead import Ahead
from .listing import Listing, packed

OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
"""How a folder is opened."""

_MANY = 10_000
"""From so many names in a folder on a second process looks at most of them."""

_TURN, _OWN = 2000, 700
"""Of so many names the first process looks at so many: it has more to do than look."""

_MANY_FOLDERS = 100
"""From so many folders in a folder on a second process looks into most of them."""

_TURN_OF_FOLDERS = 4
"""Of so many folders the first process looks into one."""


def listed(folder: int, expected: str = "") -> Listing:
    """What an open folder holds.

    Args:
        folder: The folder.
        expected: The names that it had, in order and joined by `/`. Where they are many, a second process looks at most
            of what is called so while this one lists.

    Raises:
        OSError: The operating system refused.
    """
    with _ahead(folder, expected) as ahead:
        names = sorted(os.listdir(folder))
        joined = "/".join(names)
        if joined == expected:
            return Listing(names, _look_in_turn(folder, joined, ahead))
    with _ahead(folder, joined) as ahead:
        return Listing(names, _look_in_turn(folder, joined, ahead))


def _ahead(folder: int, joined: str) -> AbstractContextManager[Ahead | None]:
    if joined.count("/") < _MANY or not Ahead.is_of_use():
        return nullcontext()
    return Ahead(_look_at_theirs(folder, joined))


def _look_at_theirs(folder: int, joined: str) -> Iterator[bytes]:
    os.fchdir(folder)
    for _, theirs in _turns(_encoded(joined)):
        yield _look_here(theirs).tobytes()


def _look_in_turn(folder: int, joined: str, ahead: Ahead | None) -> array[int]:
    names = _encoded(joined)
    if ahead is None:
        return _look(folder, names)
    numbers = array("q")
    for own, theirs in _turns(names):
        numbers += _look(folder, own)
        if (answer := ahead.next()) is not None:
            numbers.frombytes(answer)
        else:
            numbers += _look(folder, theirs)
    return numbers


def _turns(names: Sequence[bytes]) -> Iterator[tuple[Sequence[bytes], Sequence[bytes]]]:
    """Names at which this process looks, then names at which the second does, and so on."""
    for at in range(0, len(names), _TURN):
        yield names[at : at + _OWN], names[at + _OWN : at + _TURN]


def _look(folder: int, names: Sequence[bytes]) -> array[int]:
    """The numbers of what is called so in an open folder."""
    return packed(lambda: map(partial(os.lstat, dir_fd=folder), names))


def _look_here(names: Sequence[bytes]) -> array[int]:
    """The same of the working folder, in less time."""
    return packed(lambda: map(os.lstat, names))


def _encoded(joined: str) -> Sequence[bytes]:
    """Names as the system takes them, all at once."""
    return os.fsencode(joined).split(b"/") if joined else []


Seen = Callable[[os.stat_result], Listing | None]
"""What a folder held a moment ago, if that is known of the one with this state."""


def nothing_seen(_: os.stat_result) -> None:
    """Nothing is known."""


@contextmanager
def looking_into(folder: int, names: Sequence[str]) -> Iterator[Callable[[str], Seen]]:
    """Looks into folders in an open folder, as long as the block goes on, where they are many.

    What it gives is to be called with each name, in order, and then says what was seen there.
    """
    if len(names) < _MANY_FOLDERS or not Ahead.is_of_use():
        yield lambda _: nothing_seen
        return
    theirs = {name for at, name in enumerate(names) if at % _TURN_OF_FOLDERS}
    with Ahead(marshal.dumps(_look_into(folder, name)) for name in names if name in theirs) as ahead:
        yield lambda name: partial(_told, ahead.next()) if name in theirs else nothing_seen


def _look_into(within: int, name: str) -> tuple[tuple[int, int], list[str], bytes] | None:
    """Which folder it is, what it holds and the numbers of that; None where it cannot be read."""
    try:
        folder = os.open(name, OPEN | os.O_NOFOLLOW, dir_fd=within)
        try:
            os.fchdir(folder)
            names = sorted(os.listdir(folder))
            return _which(os.fstat(folder)), names, _look_here(_encoded("/".join(names))).tobytes()
        finally:
            os.close(folder)
    except OSError:
        return None


def _told(answer: bytes | None, info: os.stat_result) -> Listing | None:
    which, names, numbers = (answer and marshal.loads(answer)) or (None, [], b"")
    return Listing(names, array("q", numbers)) if which == _which(info) else None


def _which(info: os.stat_result) -> tuple[int, int]:
    return info.st_dev, info.st_ino
