"""Environment variables: which ones the user's code reads while a step runs, and what they hold."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from artvcs.vcs import hash_bytes

from ..escaping import storable

T = TypeVar("T")

ABSENT = "absent"
ALL = "*"
"""Stands for which variables there are, where code has gone through them."""

_TERMINAL = ("_", "COLUMNS", "DISPLAY", "HISTFILE", "LINES", "OLDPWD", "PWD", "PYTHONHASHSEED", "SHLVL", "TERM")
_DESKTOP = ("DBUS_SESSION_BUS_ADDRESS", "TERM_SESSION_ID", "TMUX", "TMUX_PANE", "WINDOWID", "XDG_SESSION_ID")
_SESSION = frozenset((*_TERMINAL, *_DESKTOP))
"""Variables that each terminal has its own of; they count only where they are asked for by name."""


@dataclass(eq=False)
class _Use:
    """A variable as an execution is given it, and what it was before."""

    text: str
    before: str | None


_around: ContextVar[frozenset[_Use] | None] = ContextVar("artvcs-given", default=None)
"""What is given to the executions that this one is a part of, as where a step runs a pipeline; None outside of any."""


def within(work: Callable[[], T]) -> Callable[[], T]:
    """Something to be done in another thread, as a part of the execution that this is called in."""
    around = _around.get()

    def done() -> T:
        before = _around.set(around)
        try:
            return work()
        finally:
            _around.reset(before)

    return done


class _Given:
    """The variables that executions of this process are given, each as long as any that goes on is given it.

    There is one environment for all of them: whoever is to have a variable otherwise than others waits for these. Who
    is a part of another execution does not: two such might wait for each other. It is noticed then that it is so.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._uses: defaultdict[str, list[_Use]] = defaultdict(list)
        self._inherited: list[str] = []

    def forked(self) -> None:
        """In a forked child: what threads of the parent are given stays as it is, and nobody takes it away."""
        self._inherited = self.others()
        self._changed = threading.Condition()
        self._uses.clear()

    def begin(self, variables: Mapping[str, str], given: dict[str, _Use]) -> None:
        """Sets variables as soon as nobody else has them otherwise; fills `given`, which is to be given to `end`."""
        with self._changed:
            if _around.get() is None:
                self._changed.wait_for(lambda: all(self._is_free(name, text) for name, text in variables.items()))
            for name, text in variables.items():
                given[name] = use = _Use(text, os.environ.get(name))
                self._uses[name].append(use)
                os.environ[name] = text

    def _is_free(self, name: str, text: str) -> bool:
        return all(use.text == text for use in self._uses.get(name, ()))

    def end(self, given: Mapping[str, _Use]) -> None:
        """Takes them away again."""
        with self._changed:
            for name, use in given.items():
                uses = self._uses[name]
                if use not in uses:  # it was interrupted as it began
                    continue
                at = uses.index(use)
                if at + 1 < len(uses):  # others have it still: the last of them puts back what was there
                    uses[at + 1].before = use.before
                elif use.before is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = use.before
                del uses[at]
                if not uses:
                    del self._uses[name]
            self._changed.notify_all()

    def others(self) -> list[str]:
        """The variables that executions have that this one is no part of."""
        around = _around.get() or frozenset()
        return [
            *self._inherited, *(name for name, uses in self._uses.copy().items() if not around.issuperset(uses))
        ]  # fmt: skip


_given = _Given()
os.register_at_fork(after_in_child=_given.forked)


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
        self._given: dict[str, _Use] = {}
        self._changed: set[str] = set()  # those of them that it has set itself

    @contextmanager
    def given(self, variables: Mapping[str, str]) -> Iterator[None]:
        """Sets variables for the execution, which count in its key: that it reads them says nothing of outside."""
        try:
            _given.begin(variables, self._given)
            self._changed.clear()  # that was us
            around = _around.set((_around.get() or frozenset()) | {*self._given.values()})
            try:
                yield
            finally:
                _around.reset(around)
        finally:
            _given.end(self._given)

    def take(self, kind: str, name: str | bytes | None, value: str | bytes | None) -> None:
        """Notes a use of `os.environ`, as `watch.environ` tells it: `read`, `set`, or `all`."""
        key, held = ("" if name is None else os.fsdecode(name)), None if value is None else os.fsdecode(value)
        if kind == "all":
            self.read_all(_now())
        elif kind == "set":
            self.set(key)
        elif key not in _SESSION or ALL not in self.asked:  # `{**os.environ}` asks for each
            self.read(key, held)

    def read(self, name: str, value: str | None) -> None:
        """A variable was read."""
        if name not in self._set and name not in self._given:
            self.asked.setdefault(name, _hashed(value))
            if name in _given.others():
                self.of_others.add(name)
        elif name in self._given and name not in self._changed and value != self._given[name].text:
            self.of_others.add(name)

    def read_all(self, variables: Mapping[str, str]) -> None:
        """All variables were gone through: which there are counts, and what each holds."""
        outside = {name for name in variables if name not in self._given or self._given[name].before is not None}
        self.asked.setdefault(ALL, _names_of(outside))
        self.of_others.update(name for name in _given.others() if name not in self._set and name not in self._given)
        for name, value in variables.items():
            if name not in _SESSION:
                self.read(name, value)
        for name in self._given.keys() - variables.keys():
            self.read(name, None)

    def set(self, name: str) -> None:
        """A variable is set by the execution itself: from then on it is its own."""
        (self._changed if name in self._given else self._set).add(name)

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


def _now() -> dict[str, str]:
    """All variables, as they are now: other threads may set and remove some meanwhile."""
    return {name: value for name in os.environ if (value := os.environ.get(name)) is not None}


def _hashed(value: str | None) -> str:
    return ABSENT if value is None else hash_bytes(value.encode("utf-8", "surrogateescape"), "env")


def _names_of(variables: Iterable[str]) -> str:
    return storable(" ".join(sorted(name for name in variables if name not in _SESSION)))
