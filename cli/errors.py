"""From an error to one sentence and an exit code. The table stands in docs/exit-codes.md, and a test compares them."""

from __future__ import annotations

from artvcs.vcs.errors import ArtError, DamagedError, LookupFailed, RepositoryError, StorageError, WouldOverwrite

OK, FAILED, USAGE, NOT_FOUND, NO_REPOSITORY, DAMAGED, STORAGE, WOULD_OVERWRITE, INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    130,
)

_CODES: tuple[tuple[type[ArtError], int], ...] = (
    (LookupFailed, NOT_FOUND),
    (RepositoryError, NO_REPOSITORY),
    (DamagedError, DAMAGED),
    (StorageError, STORAGE),
    (WouldOverwrite, WOULD_OVERWRITE),
)


def exit_code(error: ArtError) -> int:
    """The exit code that an error ends the command with."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)
