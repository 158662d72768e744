"""Every error the library raises on purpose, as one tree.

    ArtError
    ├── RepositoryError         something about the repository as a whole
    │   ├── RepositoryNotFound  no .artifacts here or above
    │   ├── UnsupportedFormat   written by a newer artvcs
    │   └── RepositoryBusy      another process holds the lock for too long
    ├── DamagedError            bytes on disk are not what was written
    ├── LookupFailed            a name did not lead to one thing
    │   ├── UnknownName
    │   └── AmbiguousName
    ├── InvalidName             a name that cannot be used as given
    ├── WouldOverwrite          checkout would lose somebody's edits
    ├── Conflict                somebody else's change came first, and both cannot be
    ├── StorageError            the operating system refused
    │   ├── DiskFull
    │   ├── NoPermission
    │   └── ChangedWhileRead    a file did not hold still long enough to be read
    └── PipelineError           see artvcs.pipelines.errors

A message is one sentence that says what happened and what to do about it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class ArtError(Exception):
    """Base of all errors raised on purpose; its text is one sentence for the user."""


class RepositoryError(ArtError):
    """Something about the repository as a whole."""


class RepositoryNotFound(RepositoryError):
    """There is no artifact repository here or in any folder above."""


class UnsupportedFormat(RepositoryError):
    """The repository was written by a newer artvcs than this one."""


class RepositoryBusy(RepositoryError):
    """Another process has held the repository's lock for too long."""


class DamagedError(ArtError):
    """Bytes on disk are not the bytes that were written, or cannot be understood."""


class LookupFailed(ArtError):
    """A name did not lead to exactly one thing."""


class UnknownName(LookupFailed):
    """Nothing has this name or id."""


class AmbiguousName(LookupFailed):
    """More than one thing has this name or id prefix."""


class InvalidName(ArtError):
    """A name that cannot be used as given."""


class WouldOverwrite(ArtError):
    """Writing here would lose something that is not stored."""


class Conflict(ArtError):
    """Somebody else's change came first, and both cannot be."""


class StorageError(ArtError):
    """The operating system refused to read or write."""


class DiskFull(StorageError):
    """No space is left where the repository lives."""


class NoPermission(StorageError):
    """The user may not read or write there."""


class ChangedWhileRead(StorageError):
    """A file changed, or went away, while it was read: what was read may be neither its old nor its new content."""


def disk_is_full(error: OSError) -> bool:
    """Whether the reason is that no space, quota or file size is left."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turns an `OSError` inside the block into the `StorageError` that a user can act on.

    Args:
        doing: What was being done, as in "writing to the repository at /x".

    Raises:
        DiskFull: No space, quota or file-size limit left.
        NoPermission: Permission denied or a read-only file system.
        StorageError: Any other refusal of the operating system.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if disk_is_full(error):
            message = f"No space is left while {doing}; free some space and try again: nothing stored is lost."
            raise DiskFull(message) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            message = f"Permission was denied while {doing} ({error.filename or reason}); check who owns it."
            raise NoPermission(message) from error
        raise StorageError(f"{reason} while {doing}; check the disk and try again.") from error
