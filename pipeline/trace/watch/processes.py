"""Programs that a step starts: the user's own scripts and files that it names count; what they do nobody sees."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ...fingerprint import is_own
from . import frames

_LONGEST = 1 << 20
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9_]{1,}\b")
"""What may be the name of an environment variable: a program has them all, and nobody sees which it reads."""

if TYPE_CHECKING:
    from ..recording import Recording


def started(recording: Recording, args: tuple[Any, ...]) -> None:
    """Notes a program.

    Args:
        recording: What notes it.
        args: As `subprocess.Popen` audits it: executable, arguments, working directory, environment.
    """
    executable, arguments, folder, _ = args
    words = list(_words(arguments))
    if _asks_for_the_machine(words) and not frames.asks_own_code():
        return
    used = recording.used()
    told, files = list(words), list[str]()
    base = os.getcwd() if folder is None else os.path.join(os.getcwd(), os.fsdecode(folder))
    for word in words:
        for each in dict.fromkeys((word, *_split(word), *_value(word))):
            path = os.path.normpath(os.path.join(base, each))
            if os.path.isfile(path) and not _is_interpreter(path):
                told.append(_text(path))
                files.append(path if folder is not None or os.path.isabs(each) else each)
                if path.endswith(".py") and is_own(path):
                    recording.modules.add(path)
    recording.tell(files, used)
    if "-m" in words[:-1]:
        found = _module(words[words.index("-m") + 1], base)
        if found is not None:
            recording.modules.add(found)
    for variable in dict.fromkeys(_VARIABLE.findall("\n".join(told))):
        recording.environment.read(variable, os.environ.get(variable))
    name = os.path.basename(words[0] if words else os.fsdecode(executable or "a program"))
    recording.unverified.add(f"what the program {name} does")


def _asks_for_the_machine(words: list[str]) -> bool:
    """Whether a program only says what machine this is, as `os.cpu_count` does, which nobody notes either."""
    match words:
        case [("lscpu" | "nproc" | "uname"), *_]:
            return True
        case ["sysctl", "-n", name]:
            return "=" not in name
    return False


def _is_interpreter(path: str) -> bool:
    """Whether a program is the Python that runs here, whose version is known otherwise."""
    return os.path.realpath(path) == os.path.realpath(sys.executable)


def _text(path: str) -> str:
    """What a script says; nothing of what is no text, as a program that was compiled, or long."""
    try:
        if os.path.getsize(path) > _LONGEST or not is_own(path):
            return ""
        with open(path, encoding="utf-8", errors="ignore") as file:
            text = file.read()
            return "" if "\0" in text else text
    except OSError:
        return ""


def _words(arguments: Any) -> Iterator[str]:
    if isinstance(arguments, str | bytes):
        yield from _split(os.fsdecode(arguments))
    elif isinstance(arguments, Iterable):
        for each in arguments:
            yield os.fsdecode(each)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _value(word: str) -> Iterator[str]:
    """What comes after the `=` of an option."""
    if word.startswith("-") and "=" in word:
        yield word.partition("=")[2]


def _module(dotted: str, base: str) -> str | None:
    stem = os.path.join(base, *dotted.split("."))
    for path in (stem + ".py", os.path.join(stem, "__main__.py")):
        if os.path.isfile(path) and is_own(path):
            return path
    return None
