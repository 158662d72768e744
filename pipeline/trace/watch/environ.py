"""`os.environ` while something is recorded: it tells of each use, whoever offers it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from . import frames

_SETTINGS = ("pydantic_settings", "decouple", "environs", "dynaconf", "omegaconf", "hydra", "dotenv", "starlette")
"""Packages that read variables for the code that uses them."""

_FOR_ITSELF = frozenset(
    {"_colorize.py", "argparse.py", "gettext.py", "locale.py", "mimetypes.py", "platform.py", "shutil.py", "ssl.py"}
    | {"subprocess.py", "sysconfig.py", "tempfile.py", "traceback.py", "urllib/request.py", "uuid.py", "webbrowser.py"}
    | {"os.py:get_exec_path", "os.py:_execvpe"}
)
"""Where Python's library reads variables to find its own way: programs, proxies, folders, the language of messages."""

_Base = os._Environ

_told: Callable[[str, Any, Any], None] = lambda kind, name, value: None  # noqa: E731


class _Watched(_Base):  # type: ignore[type-arg]
    """`os.environ` while something is recorded: what is read goes through these methods, whoever offers it.

    It may end while one of them is at work in another thread: so the base is called by its name, not by `super`.
    """

    def __getitem__(self, key: Any) -> Any:
        try:
            value = _Base.__getitem__(self, key)
        except KeyError:
            _told("read", key, None)
            raise
        _told("read", key, value)
        return value

    def __iter__(self) -> Iterator[Any]:
        _told("all", None, None)
        return _Base.__iter__(self)

    def __setitem__(self, key: Any, value: Any) -> None:
        _told("set", key, value)
        _Base.__setitem__(self, key, value)

    def __delitem__(self, key: Any) -> None:
        _told("set", key, None)
        _Base.__delitem__(self, key)


def watch(tell: Callable[[str, Any, Any], None]) -> None:
    """Tells of each use of `os.environ` from now on."""
    global _told
    _told = tell
    for each in (os.environ, os.environb):
        if type(each) is _Base:
            each.__class__ = _Watched


def unwatch() -> None:
    """Leaves `os.environ` as it was."""
    for each in (os.environ, os.environb):
        if type(each) is _Watched:
            each.__class__ = _Base  # type: ignore[assignment]


def is_asked_by_user() -> bool:
    """Whether the user's code asks, or a package that reads settings for it."""
    name = frames.asking()
    if name is None or not (frames.is_user_code(name) or any(f"/{each}" in name for each in _SETTINGS)):
        return False
    return frames.asking_library() not in _FOR_ITSELF
