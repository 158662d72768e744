"""Environment variables: which ones the user's code reads while a step runs, and what they hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from artvcs.vcs import hash_bytes

from ..escaping import storable

ABSENT = "absent"
ALL = "*"
"""Stands for which variables there are, where code has gone through them."""

_TERMINAL = ("_", "COLUMNS", "DISPLAY", "HISTFILE", "LINES", "OLDPWD", "PWD", "PYTHONHASHSEED", "SHLVL", "TERM")
_DESKTOP = ("DBUS_SESSION_BUS_ADDRESS", "TERM_SESSION_ID", "TMUX", "TMUX_PANE", "WINDOWID", "XDG_SESSION_ID")
_SESSION = frozenset((*_TERMINAL, *_DESKTOP))
"""Variables that each terminal has its own of; they count only where they are asked for by name."""


class Environment:
    """The variables that one execution asks for. `asked` maps each to a hash: it may hold a secret, and is shared."""

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self._set: set[str] = set()
        self._given: dict[str, str | None] = {}

    @contextmanager
    def given(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Sets variables for the execution, which count in its key: that it reads them says nothing of outside."""
        self._given = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, before in self._given.items():
                if before is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = before

    def take(self, kind: str, name: str | bytes | None, value: str | bytes | None) -> None:
        """Notes a use of `os.environ`, as `watch.environ` tells it: `read`, `set`, or `all`."""
        key, held = ("" if name is None else os.fsdecode(name)), None if value is None else os.fsdecode(value)
        if kind == "all":
            self.read_all(os.environ)
        elif kind == "set":
            self.set(key)
        elif key not in _SESSION or ALL not in self.asked:  # `{**os.environ}` asks for each
            self.read(key, held)

    def read(self, name: str, value: str | None) -> None:
        """A variable was read."""
        if name not in self._set and name not in self._given:
            self.asked.setdefault(name, _hashed(value))

    def read_all(self, variables: Mapping[str, str]) -> None:
        """All variables were gone through: which there are counts, and what each holds."""
        outside = {name for name in variables if self._given.get(name, "") is not None}
        self.asked.setdefault(ALL, _names_of(outside))
        for name, value in variables.items():
            if name not in _SESSION:
                self.read(name, value)

    def set(self, name: str) -> None:
        """A variable is set by the execution itself: from then on it is its own."""
        if name not in self._given:
            self._set.add(name)

    def left(self) -> dict[str, str]:
        """The variables that the execution has set or removed → what each holds now."""
        return {name: answer(name) for name in sorted(self._set)}

    def merge(self, asked: Mapping[str, str]) -> None:
        """Adds what a child process asked for."""
        for name, value in asked.items():
            if name not in self._set and name not in self._given:
                self.asked.setdefault(name, value)


def answer(name: str) -> str:
    """What a variable answers now."""
    if name == ALL:
        return _names_of(os.environ)
    return _hashed(os.environ.get(name))


def _hashed(value: str | None) -> str:
    return ABSENT if value is None else hash_bytes(value.encode("utf-8", "surrogateescape"), "env")


def _names_of(variables: Iterable[str]) -> str:
    return storable(" ".join(sorted(name for name in variables if name not in _SESSION)))
