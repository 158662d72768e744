"""Whether a file's times will tell of every change to come, so that it need not be read again to be known.

They do not if the file may be changed once more within the same tick of the clock; nor if a process has it mapped and
stores into it: the first store to a page changes the times, but none that follows until the page was written back.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
from pathlib import Path

_TICK = 20_000_000
"""Nanoseconds within which Linux may give two changes the same time: two ticks of 100 Hz."""

_COARSE = 2_000_000_000
"""The same where a file system keeps whole seconds only; FAT keeps every other."""

_WRITTEN_BACK = 60_000_000_000
"""Nanoseconds after which the system has written back what was stored through a mapping: twice the usual age."""

_SECOND = 1_000_000_000

_LOCAL = frozenset(("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs"))
"""File systems that keep fine times by this machine's clock, and know of each first store through a mapping."""

_DEAF = frozenset(("tmpfs", "ramfs", "devtmpfs", "hugetlbfs", "rootfs"))
"""File systems that have nowhere to write back to: stores through a mapping that was read before go unnoticed."""


class Rest:
    """Tells which files are at rest. Make one anew for each use: what is mounted where may change."""

    def __init__(self) -> None:
        self._kinds: dict[int, str] = {}

    def trusts(self, device: int) -> bool:
        """Whether times on a device can be trusted at all."""
        return self._kind(device) not in _DEAF

    def is_at_rest(self, fd: int, changed: tuple[int, int], device: int, now: int) -> bool:
        """Whether any change after this moment will show in a file's times.

        Args:
            fd: The file, opened to read and not read yet.
            changed: When its content and its state were changed, in nanoseconds since 1970.
            device: Where it is.
            now: A moment before it was opened.
        """
        age = now - max(changed)
        coarse = changed[0] % _SECOND == 0 or changed[1] % _SECOND == 0
        if age <= (_COARSE if coarse else _TICK):
            return False
        return age > _WRITTEN_BACK or (self._kind(device) in _LOCAL and not _is_written(fd))

    def _kind(self, device: int) -> str:
        if device not in self._kinds:
            self._kinds[device] = _kind_of(device)
        return self._kinds[device]


def _is_written(fd: int) -> bool:
    """Whether some process has a file open for writing, or mapped; True where that cannot be known."""
    if sys.platform != "linux":
        return True
    try:
        # A lease to read is only given where nobody may write. Whoever wants to in the instant that we have it waits
        # for us to give it back, and we would be sent a signal: one that is ignored unless asked for.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP, errno.EPERM):
            return True
        raise
    return False


def _kind_of(device: int) -> str:
    """The name of the kind of file system on a device, empty where it is not known."""
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for mount in mounts:
        fields, _, rest = mount.partition(" - ")
        if fields.split(" ")[2:3] == [number]:
            return rest.split(" ", 1)[0]
    return ""
