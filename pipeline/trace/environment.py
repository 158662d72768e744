"""Environment variables: which ones the user's code reads while a step runs, and what they hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from artvcs.vcs import hash_bytes

from . import frames

ABSENT = "absent"
ALL = "*"
"""Stands for all variables together, where code has gone through them."""

_SETTINGS = ("pydantic_settings", "decouple", "environs", "dynaconf", "omegaconf", "hydra", "dotenv", "starlette")
"""Packages that read variables for the code that uses them."""

_TERMINAL = ("_", "COLUMNS", "DISPLAY", "HISTFILE", "LINES", "OLDPWD", "PWD", "PYTHONHASHSEED", "SHLVL", "TERM")
_DESKTOP = ("DBUS_SESSION_BUS_ADDRESS", "TERM_SESSION_ID", "TMUX", "TMUX_PANE", "WINDOWID", "XDG_SESSION_ID")
_SESSION = frozenset((*_TERMINAL, *_DESKTOP))
"""Variables that each terminal has its own of; they count only where they are asked for by name."""


class Environment:
    """The variables that one execution asks for. `asked` maps each to a hash: it may hold a secret, and is shared."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self._set: set[str] = set()

    def read(self, name: str, value: str | None) -> None:
        """A variable was read."""
        if name not in self._set:
            self.asked.setdefault(name, _hashed(value))

    def read_all(self, variables: Mapping[str, str]) -> None:
        """All variables were gone through."""
        self.asked.setdefault(ALL, _all_of(variables))

    def set(self, name: str) -> None:
        """A variable is set by the execution itself: from then on it is its own."""
        self._set.add(name)

    def merge(self, asked: Mapping[str, str]) -> None:
        """Adds what a child process asked for."""
        for name, value in asked.items():
            if name not in self._set:
                self.asked.setdefault(name, value)


def answer(name: str) -> str:
    """What a variable answers now."""
    if name == ALL:
        return _all_of(os.environ)
    return _hashed(os.environ.get(name))


def _hashed(value: str | None) -> str:
    return ABSENT if value is None else hash_bytes(value.encode("utf-8", "surrogateescape"), "env")


def _all_of(variables: Mapping[str, str]) -> str:
    told = sorted(f"{name}={value}" for name, value in variables.items() if name not in _SESSION)
    return hash_bytes("\0".join(told).encode("utf-8", "surrogateescape"), "env")


_told: Callable[[str, Any, Any], None] = lambda kind, name, value: None  # noqa: E731


class _Watched(os._Environ):  # type: ignore[type-arg]
    """`os.environ` while something is recorded: what is read goes through these methods, whoever offers it."""

    def __getitem__(self, key: Any) -> Any:
        try:
            value = super().__getitem__(key)
        except KeyError:
            _told("read", key, None)
            raise
        _told("read", key, value)
        return value

    def __iter__(self) -> Iterator[Any]:
        _told("all", None, None)
        return super().__iter__()

    def __setitem__(self, key: Any, value: Any) -> None:
        _told("set", key, value)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        _told("set", key, None)
        super().__delitem__(key)


def watch(tell: Callable[[str, Any, Any], None]) -> None:
    """Tells of each use of `os.environ` from now on."""
    global _told
    _told = tell
    for each in (os.environ, os.environb):
        if type(each) is os._Environ:
            each.__class__ = _Watched


def unwatch() -> None:
    """Leaves `os.environ` as it was."""
    for each in (os.environ, os.environb):
        if type(each) is _Watched:
            each.__class__ = os._Environ  # type: ignore[assignment]


def is_asked_by_user() -> bool:
    """Whether the user's code asks, or a package that reads settings for it."""
    name = frames.asking()
    return name is not None and (frames.is_user_code(name) or any(f"/{each}" in name for each in _SETTINGS))
