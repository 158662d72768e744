"""From an error to one sentence and an exit code. The table stands in docs/exit-codes.md, and a test compares them."""

from __future__ import annotations

from artvcs.vcs import ArtError, DamagedError, LookupFailed, RepositoryError, StorageError, WouldOverwrite

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
NO_REPOSITORY = 4
DAMAGED = 5
STORAGE = 6
WOULD_OVERWRITE = 7
BY_SIGNAL = 128
"""What a shell adds to the number of the signal that ended a command: 130 for Ctrl-C."""

CODES: tuple[tuple[type[ArtError], int], ...] = (
    (LookupFailed, NOT_FOUND),
    (RepositoryError, NO_REPOSITORY),
    (DamagedError, DAMAGED),
    (StorageError, STORAGE),
    (WouldOverwrite, WOULD_OVERWRITE),
    (ArtError, FAILED),
)
"""The first that fits decides."""


def exit_code(error: ArtError) -> int:
    """The exit code that an error ends the command with."""
    if isinstance(error.__cause__, (DamagedError, StorageError)):
        error = error.__cause__  # a run that failed for no fault of its code
    return next(code for kind, code in CODES if isinstance(error, kind))
