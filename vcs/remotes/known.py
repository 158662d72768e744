"""The repositories elsewhere that this process has opened."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from ..repository import Repository
from .config import Configured
from .places import opening
from .remote import Remote

_opened: WeakKeyDictionary[Repository, dict[Configured, Remote]] = WeakKeyDictionary()


def connect(near: Repository, configured: Configured) -> Remote:
    """The repository elsewhere that is configured; one that this process has opened is used again.

    Raises:
        RemoteRefused: Its address and the environment do not say enough.
    """
    known = _opened.setdefault(near, {})
    if configured not in known:
        files = opening.opened(configured.address)
        known[configured] = Remote(configured.name, str(configured.address), files, near)
    return known[configured]
