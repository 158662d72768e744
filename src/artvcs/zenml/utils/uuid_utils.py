"""Ids."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from .._names import finder


def is_valid_uuid(value: Any, version: int = 4) -> bool:
    """Whether something is a UUID, or spells one."""
    try:
        return isinstance(value, UUID) or bool(UUID(value, version=version))
    except (ValueError, AttributeError, TypeError):
        return False


def to_uuid(value: str | UUID) -> UUID:
    """A UUID from its text."""
    return value if isinstance(value, UUID) else UUID(value)


def parse_name_or_uuid(name_or_id: str | None) -> str | UUID | None:
    """A UUID where a text spells one, else the text."""
    return UUID(name_or_id) if name_or_id and is_valid_uuid(name_or_id) else name_or_id


def generate_uuid_from_string(value: str) -> UUID:
    """A UUID that is the same for the same text."""
    return UUID(hex=hashlib.md5(value.encode(), usedforsecurity=False).hexdigest(), version=4)


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
