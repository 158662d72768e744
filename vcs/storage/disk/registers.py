"""Small files that are replaced as a whole: canonical JSON with a checksum of its own, on one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import DamagedError, storage_errors
from ...objects import canonical
from ...objects.oid import hash_bytes
from . import durable
from .plain import read_plain

_MOST = 64 << 10


def write_register(path: Path, content: dict[str, Any], staging: Path, *, lasting: bool = True) -> None:
    """Puts `content` at `path` at once; `lasting` waits until it would survive a power cut."""
    check = hash_bytes(canonical.dumps(content), path.name)
    data = canonical.dumps({**content, "check": check}) + b"\n"
    durable.write_file(path, data, lasting=lasting, staging=staging)


def read_register(path: Path) -> dict[str, Any]:
    """The content that was written last.

    Raises:
        DamagedError: The file is missing, or not what was written.
    """
    try:
        with storage_errors(f"reading {path}"):
            data = _read_if_there(path)
        content = canonical.loads(data.removesuffix(b"\n"))
        check = content.pop("check")
        if data.endswith(b"\n") and check == hash_bytes(canonical.dumps(content), path.name):
            assert isinstance(content, dict)
            return content
    except (DamagedError, AttributeError, KeyError, TypeError):
        pass
    raise DamagedError(f"The repository's file {path.name!r} is missing or damaged; restore it or run `art fsck`.")


def _read_if_there(path: Path) -> bytes:
    try:
        return read_plain(path, _MOST)
    except FileNotFoundError:
        return b""
