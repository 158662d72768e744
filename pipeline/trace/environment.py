"""Environment variables: which ones the user's code reads while a step runs, and what they hold."""

from __future__ import annotations

import os
import threading
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


class _Given:
    """The variables that executions of this process are given, each as long as any that goes on is given it.

    There is one environment for all of them: whoever is to have a variable with another value waits.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._uses: dict[str, int] = {}
        self._values: dict[str, str] = {}
        self._before: dict[str, str | None] = {}

    def begin(self, variables: Mapping[str, str]) -> dict[str, str | None]:
        """Sets variables as soon as nobody has them otherwise; returns what is there without these that are given."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(self._values.get(each, text) == text for each, text in variables.items())
            )
            for name, text in variables.items():
                if name not in self._uses:
                    self._before[name], self._values[name] = os.environ.get(name), text
                    os.environ[name] = text
                self._uses[name] = self._uses.get(name, 0) + 1
            return {name: self._before[name] for name in variables}

    def end(self, variables: Iterable[str]) -> None:
        """Takes them away again."""
        with self._changed:
            for name in variables:
                self._uses[name] -= 1
                if not self._uses[name]:
                    del self._uses[name], self._values[name]
                    if (before := self._before.pop(name)) is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = before
            self._changed.notify_all()

    def __contains__(self, name: object) -> bool:
        return name in self._uses

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._uses))


_given = _Given()


class Environment:
    """The variables that one execution asks for.

    Attributes:
        asked: Each → a hash: it may hold a secret, and is shared.
        of_others: Those that it asked for while another execution beside it was given them.
    """

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}
        self.of_others: set[str] = set()
        self._set: set[str] = set()
        self._given: dict[str, str | None] = {}

    @contextmanager
    def given(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Sets variables for the execution, which count in its key: that it reads them says nothing of outside."""
        self._given = _given.begin(variables)
        try:
            yield
        finally:
            _given.end(variables)

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
            if name in _given:
                self.of_others.add(name)

    def read_all(self, variables: Mapping[str, str]) -> None:
        """All variables were gone through: which there are counts, and what each holds."""
        outside = {name for name in variables if self._given.get(name, "") is not None}
        self.asked.setdefault(ALL, _names_of(outside))
        self.of_others.update(name for name in _given if name not in self._set and name not in self._given)
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
