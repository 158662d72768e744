"""How long it takes until anything can happen: `import artvcs`, `art --version`."""

from __future__ import annotations

import sys
from pathlib import Path

from . import measure

RUNS = 15


def main() -> None:
    """Prints both beside `import click`."""
    art = str(Path(sys.executable).with_name("art"))
    imports, version, click = measure.alternate(
        RUNS,
        lambda: measure.python("import artvcs"),
        lambda: measure.process(art, "--version"),
        lambda: measure.python("import click"),
    )
    measure.compare("import artvcs", 1, imports, "import click", click)
    measure.compare("art --version", 2, version, "import click", click)
