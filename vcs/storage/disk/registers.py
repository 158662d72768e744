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
    durable.write_file(path, encode(path.name, content), lasting=lasting, staging=staging)


def read_register(path: Path) -> dict[str, Any]:
    """The content that was written last.

    Raises:
        DamagedError: The file is missing, or not what was written.
    """
    with storage_errors(f"reading {path}"):
        data = _read_if_there(path)
    return decode(path.name, data)


def encode(name: str, content: dict[str, Any]) -> bytes:
    """The bytes of a register of this name."""
    check = hash_bytes(canonical.dumps(content), name)
    return canonical.dumps({**content, "check": check}) + b"\n"


def decode(name: str, data: bytes) -> dict[str, Any]:
    """Reads what `encode` wrote. Raises DamagedError as `read_register`."""
    try:
        content = canonical.loads(data.removesuffix(b"\n"))
        check = content.pop("check")
        if data.endswith(b"\n") and check == hash_bytes(canonical.dumps(content), name):
            assert isinstance(content, dict)
            return content
    except (DamagedError, AttributeError, KeyError, TypeError):
        pass
    raise DamagedError(f"The repository's file {name!r} is missing or damaged; restore it or run `art fsck`.")


def _read_if_there(path: Path) -> bytes:
    try:
        return read_plain(path, _MOST)
    except FileNotFoundError:
        return b""
