"""Who still uses an older state: what that state names is not deleted before they have looked at a newer one.

A lease is a locked file with the sequence number of the op whose state its owner reads. A lock goes with its process,
so nobody has to guess whether an owner is alive.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import durable
from .locks import Lock
from .plain import is_something_else, read_plain

_DIGITS = 20


class Lease:
    """One owner's lease."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    def move(self, seq: int) -> None:
        """From now on its owner reads this state, and nothing older."""
        if self._lock.held:
            durable.write_at(self._lock.fd, b"%0*d" % (_DIGITS, seq), 0)

    def end(self) -> None:
        """Its owner reads nothing any more."""
        self._lock.remove()


def begin(folder: Path, seq: int) -> Lease:
    """A lease on the state of the op `seq`.

    The caller has to look afterwards whether the state is still the newest, or can still be read: until the lease
    stands, a collector may have deleted what it names.
    """
    folder.mkdir(exist_ok=True)
    name = f"{time.time_ns() // 1_000_000:013d}-{os.getpid()}-{os.urandom(6).hex()}"
    lease = Lease(Lock.make(folder / name))
    try:
        lease.move(seq)
    except BaseException:
        lease.end()  # on a full disk, say: or it would stand as long as this process
        raise
    return lease


@dataclass(frozen=True, order=True)
class Holder:
    """Somebody alive who has a lease.

    Attributes:
        seq: The op whose state is used; nothing newer is known to its owner.
        begun: When the lease began, in milliseconds since 1970.
        process: The id of the process.
    """

    seq: int
    begun: int
    process: int


def holders(folder: Path) -> list[Holder]:
    """Everybody alive who has a lease, whoever uses the oldest state first. Leases of the dead are removed."""
    return sorted(_alive(folder))


def _alive(folder: Path) -> Iterator[Holder]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if is_something_else(path):
            continue  # nobody's lease: fsck names it
        lock = Lock.take(path)
        if lock is not None:
            lock.remove()
            continue
        begun, _, rest = path.name.partition("-")
        process = rest.partition("-")[0]
        try:
            text = read_plain(path, _DIGITS)
        except FileNotFoundError:
            continue  # ended since
        # One that has just begun, and says nothing yet, may use anything.
        yield Holder(*(int(part) if part.isdigit() else 0 for part in (text, begun, process)))
