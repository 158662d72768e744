"""Values that are a way to data and no data: iterators, open files, views of somebody else's memory.

A pickle of one would come back as something else, as a file does as its text, or could be made of some of a kind
and not of others, as of a `map` and not of a generator. So all of them are refused, with what to return instead.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

from artvcs.pipelines.errors import MaterializerError

from ..typenames import type_name

# They hold their content themselves, and a pickle has all of it.
_IN_MEMORY = (io.StringIO, io.BytesIO)


def check(value: Any) -> None:
    """Refuses what is no data.

    Raises:
        MaterializerError: It is an iterator, an open file or a memoryview; the message says what to return instead.
    """
    kind = type_name(value)
    if isinstance(value, memoryview):
        raise MaterializerError(
            "A memoryview cannot be stored, because it shows the memory of another value; return bytes(view), or "
            "numpy.asarray(view) to keep its shape and the type of its items."
        )
    if isinstance(value, io.IOBase) and not isinstance(value, _IN_MEMORY):
        raise MaterializerError(
            f"An open file ({kind}) cannot be stored; return its Path, or read it and return what it holds."
        )
    if isinstance(value, Iterator) and not isinstance(value, _IN_MEMORY):
        raise MaterializerError(
            f"An iterator ({kind}) cannot be stored, because it can be read only once; return its items, as in "
            "list(items)."
        )


def is_replaced(part: Any) -> bool:
    """Whether cloudpickle would put something else in the place of a part: text for a file, bytes for a memoryview."""
    if isinstance(part, io.TextIOWrapper):
        return part is not sys.stdout and part is not sys.stderr  # these it names
    return isinstance(part, memoryview)
