"""A second process that looks at what this one is going to ask for: in one, Python looks at one file at a time.

It is a fork that does nothing but look and hand over what it saw. Whatever goes wrong with it, there is no answer from
then on, and whoever asks looks.
"""

from __future__ import annotations

import fcntl
import gc
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import NoReturn, Self

_LENGTH = 8
"""Bytes before each answer, which say how long it is."""

_ROOM = 1 << 20
"""By so many bytes it may be ahead, where the system allows that much."""


class Ahead:
    """Answers that another process finds before they are asked for. Use it as a context manager.

    Args:
        answers: Taken in the other process, and only there: nothing may be done for them but look.
    """

    def __init__(self, answers: Iterable[bytes]) -> None:
        ours, theirs = os.pipe()
        with suppress(OSError, AttributeError):
            fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, _ROOM)
        self._process: int | None = None
        with suppress(OSError):
            self._process = os.fork()
        if self._process == 0:
            _answer(answers, ours, theirs)
        os.close(theirs)
        self._pipe = os.fdopen(ours, "rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()  # it ends when there is nobody to tell
        if self._process is not None:
            with suppress(ChildProcessError):  # the program around us waits for all processes itself
                os.waitpid(self._process, 0)

    @staticmethod
    def is_of_use() -> bool:
        """Whether there is a processor for it, and no other thread: a fork would have what that one had half done."""
        try:
            return len(os.sched_getaffinity(0)) > 1 and len(os.listdir("/proc/self/task")) == 1
        except (OSError, AttributeError):
            return False  # another system than Linux

    def next(self) -> bytes | None:
        """The next answer, None if there is none."""
        length = self._pipe.read(_LENGTH)
        size = int.from_bytes(length, "little")
        answer = self._pipe.read(size)
        return answer if len(length) == _LENGTH and len(answer) == size else None


def _answer(answers: Iterable[bytes], ours: int, theirs: int) -> NoReturn:
    """All that the other process does."""
    try:
        gc.disable()  # what there is to clear away is the first one's
        os.close(ours)  # or nobody would tell when the first one is gone
        for answer in answers:
            left = memoryview(len(answer).to_bytes(_LENGTH, "little") + answer)
            while left:
                left = left[os.write(theirs, left) :]
    finally:
        os._exit(0)
