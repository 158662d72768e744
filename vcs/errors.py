"""Every error the library raises on purpose, as one tree.

    ArtError
    ├── RepositoryError         something about the repository as a whole
    │   ├── RepositoryNotFound  no .artifacts here or above
    │   │   └── NothingPushed   nor at a remote
    │   ├── UnsupportedFormat   written by a newer artvcs
    │   └── RepositoryBusy      another process holds the lock for too long
    ├── DamagedError            bytes on disk are not what was written
    ├── LookupFailed            a name did not lead to one thing
    │   ├── UnknownName
    │   │   └── UnknownArtifact no artifact has that name
    │   └── AmbiguousName
    ├── InvalidName             a name that cannot be used as given
    ├── WouldOverwrite          checkout would lose somebody's edits
    ├── Conflict                somebody else's change came first, and both cannot be
    │   └── Collected           what a change relied on was collected as garbage before it was published
    ├── StorageError            the operating system refused
    │   ├── DiskFull
    │   ├── NoPermission
    │   └── ChangedWhileRead    a file did not hold still long enough to be read
    ├── RemoteError             something about a repository elsewhere
    │   ├── RemoteUnreachable   no answer, or none that was whole
    │   ├── RemoteRefused       it answered, and refused
    │   └── RemoteChanged       it is not the repository that it was, or an older state of it
    ├── UnusableSecret          what was made here cannot be told from what was not
    ├── SignatureError          something cannot be signed, or a signature cannot be checked
    └── PipelineError           see artvcs.pipelines.errors

A message is one sentence that says what happened and what to do about it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ArtError(Exception):
    """Base of all errors raised on purpose; its text is one sentence for the user."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the lines of somebody's own code that led here, and the sentence."""
        import traceback  # costs milliseconds, and only notebooks ask

        from .tracebacks import library_of

        frames = [each for each in traceback.extract_tb(self.__traceback__) if library_of(each.filename) is None]
        return [*(each.rstrip() for each in traceback.format_list(frames)), f"{type(self).__name__}: {self}"]


class RepositoryError(ArtError):
    """Something about the repository as a whole."""


class RepositoryNotFound(RepositoryError):
    """There is no artifact repository here or in any folder above."""


class NothingPushed(RepositoryNotFound):
    """There is no artifact repository at a remote yet, or no such place."""


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


class UnknownArtifact(UnknownName):
    """No artifact has that name here."""


class AmbiguousName(LookupFailed):
    """More than one thing has this name or id prefix."""


class InvalidName(ArtError):
    """A name that cannot be used as given."""


class WouldOverwrite(ArtError):
    """Writing here would lose something that is not stored."""


class Conflict(ArtError):
    """Somebody else's change came first, and both cannot be."""


class Collected(Conflict):
    """What a change relied on was collected as garbage before it was published."""


class StorageError(ArtError):
    """The operating system refused to read or write."""


class Unstorable(StorageError):
    """No reader would take it: it is too large, or no valid text."""


class DiskFull(StorageError):
    """No space is left where the repository lives."""


class NoPermission(StorageError):
    """The user may not read or write there."""


class ChangedWhileRead(StorageError):
    """A file changed, or went away, while it was read: what was read may be neither its old nor its new content."""


class RemoteError(ArtError):
    """Something about a repository elsewhere."""


class RemoteUnreachable(RemoteError, ConnectionError):
    """A repository elsewhere gave no answer, or none that was whole: what was asked may be done or not."""


class RemoteRefused(RemoteError):
    """A repository elsewhere answered, and refused."""


class RemoteChanged(RemoteError):
    """A repository elsewhere is not the one that was there before, or an older state of it."""


class UnusableSecret(ArtError):
    """The user's secret cannot be had, so that what was made here cannot be told from what was not."""


class SignatureError(ArtError):
    """Something cannot be signed, or a signature cannot be checked."""


_ADVICE = {
    errno.EMFILE: "raise the limit for open files (`ulimit -n`)",
    errno.ENFILE: "close other programs, or raise the system's limit for open files",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "something in the path is no folder; choose another",
    errno.EEXIST: "move away what is there, or choose another place",
    errno.ELOOP: "a link in the path leads to itself; choose another",
    errno.EBUSY: "something is mounted there; choose a place inside of it, or another",
    errno.ETXTBSY: "a program there is running; try again when it has ended",
}
"""What to do about an error of the operating system that is not the disk's."""


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
    except RemoteError:
        raise  # says already what to do
    except OSError as error:
        reason = error.strerror or str(error)
        if disk_is_full(error):
            message = f"No space is left while {doing}; free some space and try again: nothing stored is lost."
            raise DiskFull(message) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            read_only = error.errno == errno.EROFS
            advice = "mount it so that it can be written" if read_only else "check who owns it"
            what = reason if read_only else "Permission was denied"
            message = f"{what} while {doing} ({error.filename or reason}); {advice}."
            raise NoPermission(message) from error
        advice = _ADVICE.get(error.errno or 0, "check the disk and try again")
        raise StorageError(f"{reason} while {doing}; {advice}.") from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """As `storage_errors`, around the writing of a file that somebody has named, whose folder may not be there.

    Args:
        path: The file.

    Raises:
        StorageError: It cannot be written.
    """
    with storage_errors(f"writing {path}"):
        try:
            yield
        except FileNotFoundError as error:
            if path.parent.is_dir():
                raise
            where = f"There is no folder {path.parent} to write {path.name} in"
            raise StorageError(f"{where}; make it, or choose another.") from error
