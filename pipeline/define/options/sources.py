"""Functions and classes that a text names: `package.module.function`."""

from __future__ import annotations

import pkgutil
import sys
from pathlib import Path
from typing import Any

from ...errors import DefinitionError


def load(source: str) -> Any:
    """What a path of a module and a name in it leads to.

    Args:
        source: The path. The script that runs is also found by its file's name.

    Raises:
        DefinitionError: It leads nowhere.
    """
    script = getattr(sys.modules["__main__"], "__file__", None)
    module, _, name = source.rpartition(".")
    if script is not None and module == Path(script).stem:  # to import it would be to run it once more
        source = f"__main__.{name}"
    try:
        return pkgutil.resolve_name(source)
    except (ImportError, AttributeError, ValueError) as error:
        raise DefinitionError(f"{source!r} cannot be imported ({error}); write package.module.name.") from None
