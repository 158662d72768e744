"""Looking around where a step failed, in Python's debugger."""

from __future__ import annotations

import traceback

from artvcs.vcs.tracebacks import library_of


def look_around(error: BaseException) -> None:
    """Opens the debugger where an error was raised, at the innermost frame of the user's own code.

    Args:
        error: With its traceback.
    """
    import pdb

    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    inside = next((below for below, file in enumerate(reversed(files)) if library_of(file) is None), 0)
    debugger = pdb.Pdb()
    debugger.rcLines += [f"up {inside}"] if inside else []
    debugger.reset()
    debugger.interaction(None, error.__traceback__)
