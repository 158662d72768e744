"""The other end of `ssh.py`: answers questions about the files of a folder, from one pipe to another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ...errors import ArtError
from . import frames
from .far_files import PlaceMissing
from .folder import FolderFiles
from .frames import Head


def serve(folder: Path, questions: BinaryIO, answers: BinaryIO) -> None:
    """Answers until there are no more questions, or who asks is gone.

    Raises:
        DamagedError: What comes is no question.
    """
    served = _Served(FolderFiles(folder), answers)
    frames.write(answers, {"serves": frames.VERSION})
    with suppress(EOFError):  # in the middle of a question: what it would have written is not there
        while (head := frames.read(questions)) is not None:
            content = frames.body(questions, head)
            try:
                served.answer(head, content)
            except FileNotFoundError as error:
                frames.write(answers, {"error": "missing", "place": not isinstance(error, PlaceMissing)})
            except (ArtError, OSError, KeyError, TypeError, ValueError) as error:
                frames.write(answers, {"error": "refused", "message": str(error)})
            for _ in content:
                pass  # what was refused before it was read


class _Served:
    def __init__(self, files: FolderFiles, answers: BinaryIO) -> None:
        self._files = files
        self._answers = answers
        self._known: dict[str, Callable[[Head, Iterator[bytes]], None]] = {
            "read": self._read,
            "tail": self._tail,
            "look": self._look,
            "put": self._put,
            "create": self._create,
            "hint": self._hint,
            "list": self._list,
            "ages": self._ages,
            "delete": self._delete,
        }

    def answer(self, head: Head, content: Iterator[bytes]) -> None:
        self._known[head["ask"]](head, content)

    def _say(self, **said: object) -> None:
        frames.write(self._answers, said)

    def _read(self, head: Head, _: Iterator[bytes]) -> None:
        name, start, length = head["name"], int(head.get("start", 0)), head.get("length")
        if length is None or int(length) > frames.PIECE:
            first = self._files.read(name, start, frames.PIECE + 1)
            if len(first) > frames.PIECE:
                there = self._files.size(name) - start
                self._send(name, start, there if length is None else min(there, int(length)))
                return
        else:
            first = self._files.read(name, start, int(length))
        # In one piece: what is small may be replaced meanwhile.
        frames.write(self._answers, {"size": len(first)}, [first])

    def _tail(self, head: Head, _: Iterator[bytes]) -> None:
        size = self._files.size(head["name"])
        start = max(0, size - int(head["length"]))
        self._send(head["name"], start, size - start, whole=size)

    def _send(self, name: str, start: int, size: int, **more: object) -> None:
        """Sends a part of a large file, which never changes."""
        ends = [min(at + frames.PIECE, start + size) for at in range(start, start + size, frames.PIECE)]
        starts = range(start, start + size, frames.PIECE)
        pieces = (self._files.read(name, at, end - at) for at, end in zip(starts, ends, strict=True))
        frames.write(self._answers, {"size": size, **more}, pieces)

    def _look(self, head: Head, _: Iterator[bytes]) -> None:
        size, *more = self._files.signature(head["name"])
        self._say(bytes=size, signature=list(map(str, more)))  # nanoseconds are more than a number in JSON holds

    def _put(self, head: Head, content: Iterator[bytes]) -> None:
        self._files.put_pieces(head["name"], content)
        self._say()

    def _create(self, head: Head, content: Iterator[bytes]) -> None:
        self._say(created=self._files.create(head["name"], b"".join(content)))

    def _hint(self, head: Head, content: Iterator[bytes]) -> None:
        self._files.hint(head["name"], b"".join(content))
        self._say()

    def _list(self, head: Head, _: Iterator[bytes]) -> None:
        data = "".join(f"{name}\n" for name in self._files.list(head["name"])).encode()
        frames.write(self._answers, {"size": len(data)}, [data])

    def _ages(self, head: Head, _: Iterator[bytes]) -> None:
        data = "".join(f"{age:.3f} {name}\n" for name, age in self._files.ages(head["name"])).encode()
        frames.write(self._answers, {"size": len(data)}, [data])

    def _delete(self, head: Head, _: Iterator[bytes]) -> None:
        self._files.delete(head["name"])
        self._say()


def folder_of(text: str) -> Path:
    """The folder that an address names on this machine; below the home folder after `/~/`, as Git has it."""
    return Path(os.path.expanduser(text.removeprefix("/"))) if text.startswith("/~") else Path(text)
