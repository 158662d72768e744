"""Files in a folder of another machine, asked for through `ssh HOST art serve --stdio FOLDER`.

Who one is there, and how that is proven, is SSH's own affair.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, NoReturn, cast

from ...counting import count
from ...errors import DamagedError, RemoteRefused, RemoteUnreachable
from ...storage.files import Signature, check_name, nothing
from . import frames
from .address import Address
from .far_files import PlaceMissing, Reading, pieces_of
from .frames import Head
from .traffic import Traffic

COMMAND_VARIABLE = "ARTVCS_SSH_COMMAND"
"""What is run in place of `ssh`, with its options, as GIT_SSH_COMMAND is by Git."""

_OPTIONS = ("-T", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2")
"""A connection that says nothing for half a minute is taken to be gone."""

_NOT_FOUND = 127

_MOST = 2**53 - 1
"""No file is larger."""


class SshFiles(Reading):
    """A set of files below a folder of another machine.

    Args:
        address: Where.
        traffic: Where requests are counted.
    """

    def __init__(self, address: Address, traffic: Traffic | None = None) -> None:
        self._address = address
        self.traffic = traffic or Traffic()
        self._mutex = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; the next question makes another."""
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            process.kill()
            process.wait()

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Files.read`."""
        more = {} if length is None else {"length": min(length, _MOST)}
        question = {"ask": "read", "name": check_name(name), "start": min(start, _MOST), **more}
        with self._asked(question) as (head, content):
            if length is not None and head.get("size", 0) > length:
                self._misunderstood()
            return b"".join(content)

    def tail(self, name: str, length: int) -> tuple[int, bytes]:
        """See `FarFiles.tail`."""
        with self._asked({"ask": "tail", "name": check_name(name), "length": length}) as (head, content):
            size = head.get("whole")
            if not isinstance(size, int) or not head.get("size", 0) <= min(size, length):
                self._misunderstood()
            return size, b"".join(content)

    def pieces(self, name: str, start: int) -> Iterator[bytes]:
        """See `FarFiles.pieces`."""
        with self._asked({"ask": "read", "name": check_name(name), "start": start}) as (_, content):
            yield from content

    def signature(self, name: str) -> Signature:
        """See `Files.signature`."""
        with self._asked({"ask": "look", "name": check_name(name)}) as (head, _):
            size, more = head.get("bytes"), head.get("signature")
            if not isinstance(size, int) or not isinstance(more, list):
                self._misunderstood()
            return size, *map(str, more)

    def put(self, name: str, data: bytes) -> None:
        """See `Files.put`."""
        self._tell_all("put", name, data)

    def adopt(self, name: str, path: Path) -> None:
        """See `Files.adopt`."""
        size = path.stat().st_size
        self._tell("put", name, pieces_of(path, self.traffic), size)
        if (there := self.size(name)) != size:
            raise DamagedError(f"{self._address} kept {there:,} of {count(size, 'byte')} of {name}; try again.")
        path.unlink()

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        """See `Files.create`."""
        created = self._tell_all("create", name, data).get("created")
        if created:
            visible()
        return bool(created)

    def hint(self, name: str, data: bytes) -> None:
        """See `Files.hint`."""
        self._tell_all("hint", name, data)

    def list(self, folder: str) -> Iterator[str]:
        """See `Files.list`."""
        with self._asked({"ask": "list", "name": check_name(folder)}) as (_, content):
            text = b"".join(content)
        return (check_name(name.decode("ascii", "replace")) for name in text.splitlines())

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        """See `FarFiles.ages`."""
        with self._asked({"ask": "ages", "name": check_name(folder)}) as (_, content):
            lines = b"".join(content).decode("ascii", "replace").splitlines()
        for line in lines:
            age, _, name = line.partition(" ")
            try:
                yield check_name(name), float(age)
            except ValueError:
                self._misunderstood()

    def delete(self, name: str) -> None:
        """See `Files.delete`."""
        self._tell("delete", name, (), 0)

    def _tell_all(self, ask: str, name: str, data: bytes) -> Head:
        said = self._tell(ask, name, [data], len(data))
        self.traffic.add(0, sent=len(data))
        return said

    def _tell(self, ask: str, name: str, content: Iterable[bytes], size: int) -> Head:
        question = {"ask": ask, "name": check_name(name), "size": size}
        with self._asked(question, content) as (head, _):
            return head

    @contextmanager
    def _asked(self, question: Head, content: Iterable[bytes] = ()) -> Iterator[tuple[Head, Iterator[bytes]]]:
        """Asks, and gives the answer; all of its body is read at the end of the block."""
        self.traffic.add()
        with self._mutex:
            whole = False  # whether the answer has been read to its end: else it is in the way of the next
            try:
                process = self._connected()
                frames.write(_open(process.stdin), question, content)
                try:
                    head = self._answer()
                except (FileNotFoundError, RemoteRefused):
                    whole = True
                    raise
                received = self._counted(frames.body(_open(process.stdout), head))
                yield head, received
                for _ in received:
                    pass
                whole = True
            except (OSError, EOFError) as error:
                if isinstance(error, FileNotFoundError | RemoteUnreachable):
                    raise
                self._broken(error)
            finally:
                if not whole:
                    self.close()

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.traffic.add(0, received=len(piece))
            yield piece

    def _answer(self) -> Head:
        assert self._process is not None, "connected"
        try:
            head = frames.read(_open(self._process.stdout))
        except DamagedError:
            self._misunderstood()
        if head is None:
            raise EOFError("The connection ended")
        if head.get("error") == "missing":
            raise (FileNotFoundError if head.get("place", True) else PlaceMissing)(2, "No such file")
        if "error" in head:
            raise RemoteRefused(f"{self._address} refused: {head.get('message')}")
        return head

    def _connected(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        address = self._address
        try:
            ssh = shlex.split(os.environ.get(COMMAND_VARIABLE, "")) or ["ssh"]
        except ValueError as error:
            raise RemoteRefused(f"{COMMAND_VARIABLE} is no command ({error}); write it as for a shell.") from error
        port = [] if address.port is None else ["-p", str(address.port)]
        who = f"{address.user}@{address.host}" if address.user else address.host
        # The other machine's shell reads this.
        command = f"art serve --stdio {shlex.quote(address.path)}"
        try:
            self._process = subprocess.Popen(
                [*ssh, *_OPTIONS, *port, "--", who, command],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise RemoteUnreachable(f"`{ssh[0]}` cannot be run ({error.strerror}); install OpenSSH.") from error
        if self._answer().get("serves") != frames.VERSION:
            self.close()
            raise RemoteRefused(f"{address.host} has an artvcs that speaks another protocol; use the same version.")
        return self._process

    def _broken(self, error: Exception) -> NoReturn:
        """Says why the connection ended."""
        said, code = "", None
        if self._process is not None and self._process.stderr is not None:
            if self._process.stdin is not None:
                with suppress(OSError):
                    self._process.stdin.close()
            lines = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
            said, code = (lines[-1][:200] if lines else ""), self._process.wait()
        self.close()
        if code == _NOT_FOUND:
            raise RemoteRefused(f"{self._address.host} has no `art` where SSH finds programs; install artvcs there.")
        reason = said or f"the connection ended ({error})"
        raise RemoteUnreachable(f"{self._address} cannot be reached: {reason}; see that `ssh` reaches it, try again.")

    def _misunderstood(self) -> NoReturn:
        self.close()
        raise DamagedError(f"{self._address} gave an answer that is none; see that nothing is printed at login there.")


def _open(stream: IO[bytes] | None) -> BinaryIO:
    assert stream is not None, "it is a pipe"
    return cast(BinaryIO, stream)
