"""The `art` command. All terminal output of the project lives here; the library below never prints."""

import sys


def start() -> None:
    """Starts `art`; also where Ctrl-C comes before its own modules are loaded, no traceback is shown."""
    try:
        from .main import main
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says it; see docs/exit-codes.md
    main()
