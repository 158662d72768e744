"""Files in an object store: S3 and all that speaks like it, Azure and Google, through obstore.

Files that hold objects have random names and are put in overwrite mode, in parts where they are large; only entries of
the log are created exclusively, and these are small: an object store creates exclusively only in one piece.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import obstore
from obstore import exceptions
from obstore.store import ObjectStore

from ...counting import count
from ...errors import DamagedError, RemoteRefused, RemoteUnreachable
from ...storage.files import Signature, check_name, nothing
from ...storage.layout import PROBE
from .far_files import Reading, ReadOnly, not_kept, pieces_of
from .traffic import Traffic

PART = 16 << 20
"""Bytes of a part of a large upload; at most 10,000 parts make a file."""

_PIECE = 1 << 20
"""Bytes of a download that are handed on at once, at least."""

_AT_ONCE = 4
"""Parts that are on their way at the same time."""

_DELETES = 3
"""So often a deletion is asked for that gets no answer: twice is as good as once, though obstore does not know."""

_MARKS = 3
"""So often a file is written to ask for the time."""

_LAST = 2**63 - 1
"""No place in a file is beyond."""

_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist")
_NO_CREDENTIALS = ("/latest/api/token", "/latest/meta-data", "computeMetadata", "metadata/identity", "redential")
"""What is asked of a machine for its own role, once nothing else says who one is."""

_REFUSED = (
    "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "TokenRefreshRequired", "RequestTimeTooSkewed",
    "AuthenticationFailed", "AccessDenied", "InvalidToken", "AuthorizationHeaderMalformed", "PermanentRedirect",
)  # fmt: skip


class BucketFiles(Reading):
    """A set of files below a prefix of a bucket.

    Args:
        store: The bucket.
        prefix: What the names of all its files begin with, without `/` at its ends.
        name: What it is called in messages.
        traffic: Where requests are counted.
    """

    def __init__(self, store: ObjectStore, prefix: str, name: str, traffic: Traffic | None = None) -> None:
        self._store = store
        self._prefix = f"{prefix}/" if prefix else ""
        self.name = name
        self.traffic = traffic or Traffic()

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Files.read`."""
        if length == 0 or start >= _LAST:
            self.size(name)
            return b""
        self.traffic.add()
        with self._asking(name):
            if not start and length is None:
                data = bytes(obstore.get(self._store, self._key(name)).bytes())
            else:
                end = _LAST if length is None else min(start + length, _LAST)
                data = self._range(name, start, end)
        self.traffic.add(0, received=len(data))
        return data

    def _range(self, name: str, start: int, end: int) -> bytes:
        try:
            return bytes(obstore.get_range(self._store, self._key(name), start=start, end=end))
        except exceptions.BaseError:
            # What lies beyond the end is refused by each provider in words of its own.
            if start >= self._look(name)["size"]:
                return b""
            raise

    def tail(self, name: str, length: int) -> tuple[int, bytes]:
        """A file's size, and so many bytes of its end. Raises FileNotFoundError."""
        self.traffic.add()
        with self._asking(name):
            try:
                found = obstore.get(self._store, self._key(name), options={"range": {"suffix": length}})
                size, data = int(found.meta["size"]), bytes(found.bytes())
                self.traffic.add(0, received=len(data))
                return size, data
            except exceptions.NotSupportedError:
                pass  # Azure knows no end of a file
            except exceptions.BaseError:
                if self._look(name)["size"]:
                    raise
                return 0, b""  # of nothing there is no part
        size = self.size(name)
        return size, self.read(name, max(0, size - length))

    def pieces(self, name: str, start: int) -> Iterator[bytes]:
        """A file's bytes from a place on, in pieces. Raises FileNotFoundError."""
        with self._asking(name):
            self.traffic.add()
            found = obstore.get(self._store, self._key(name), options={"range": {"offset": start}} if start else {})
            for piece in found.stream(min_chunk_size=_PIECE):
                self.traffic.add(0, received=len(piece))
                yield bytes(piece)

    def signature(self, name: str) -> Signature:
        """See `Files.signature`."""
        with self._asking(name):
            found = self._look(name)
        return found["size"], found["e_tag"] or "", found["version"] or "", found["last_modified"].isoformat()

    def put(self, name: str, data: bytes) -> None:
        """See `Files.put`."""
        self.traffic.add(sent=len(data))
        with self._asking(name):
            obstore.put(self._store, self._key(name), data, mode="overwrite", use_multipart=False)

    def adopt(self, name: str, path: Path) -> None:
        """See `Files.adopt`."""
        key, size = self._key(name), os.path.getsize(path)
        if size <= PART:
            self.put(name, path.read_bytes())
        else:
            with self._asking(name):
                parts = pieces_of(path, self.traffic)
                obstore.put(self._store, key, parts, use_multipart=True, chunk_size=PART, max_concurrency=_AT_ONCE)
            self.traffic.add(2 + -(-size // PART))
        if (there := self.size(name)) != size:
            raise DamagedError(f"{self.name} kept {there:,} of {count(size, 'byte')} of {name}; try again.")
        path.unlink()

    def create(self, name: str, data: bytes, visible: Callable[[], object] = nothing) -> bool:
        """See `Files.create`."""
        try:
            with self._asking(name):
                obstore.put(self._store, self._key(name), data, mode="create", use_multipart=False)
        except FileExistsError:
            return False
        finally:
            self.traffic.add(sent=len(data))
        visible()
        return True

    def hint(self, name: str, data: bytes) -> None:
        """See `Files.hint`."""
        self.put(name, data)

    def list(self, folder: str) -> Iterator[str]:
        """See `Files.list`."""
        start = len(self._prefix)
        with self._asking(folder):
            for page in obstore.list(self._store, f"{self._key(folder)}/", chunk_size=1000):
                self.traffic.add()
                yield from (found["path"][start:] for found in page)

    def ages(self, folder: str) -> Iterator[tuple[str, float]]:
        """See `FarFiles.ages`."""
        now, start = self._now(), len(self._prefix)
        with self._asking(folder):
            for page in obstore.list(self._store, f"{self._key(folder)}/", chunk_size=1000):
                self.traffic.add()
                yield from ((found["path"][start:], now - found["last_modified"].timestamp()) for found in page)

    def _now(self) -> float:
        """What time it is by the store's own clock, as of a file that is written now."""
        mark = f"{PROBE}/{os.urandom(8).hex()}"
        for _ in range(_MARKS):
            self.put(mark, b"what time is it?")
            try:
                return self.clock(mark)
            except FileNotFoundError:
                continue  # a collector whose clock is far ahead takes it for what a test has left
            finally:
                self.delete(mark)
        raise not_kept(self.name, mark)

    def delete(self, name: str) -> None:
        """See `Files.delete`."""
        for left in reversed(range(_DELETES)):
            self.traffic.add()
            try:
                with self._asking(name):
                    obstore.delete(self._store, self._key(name))
                return
            except FileNotFoundError:
                return
            except RemoteUnreachable:
                if not left:
                    raise

    # What `probe` asks for besides

    def swap(self, name: str, data: bytes, tag: str) -> str | None:
        """Replaces a file whose tag is `tag`; returns its new tag, or None where it was another."""
        self.traffic.add(sent=len(data))
        try:
            with self._asking(name):
                done = obstore.put(self._store, self._key(name), data, mode={"e_tag": tag}, use_multipart=False)
        except FileExistsError:
            return None
        return done["e_tag"] or ""

    def tag(self, name: str) -> str:
        """A file's tag, as the store says it."""
        with self._asking(name):
            return self._look(name)["e_tag"] or ""

    def put_in_parts(self, name: str, data: bytes) -> None:
        """Puts a file in parts of 5 MiB."""
        with self._asking(name):
            obstore.put(self._store, self._key(name), data, use_multipart=True, chunk_size=5 << 20)
        self.traffic.add(2 + -(-len(data) // (5 << 20)), sent=len(data))

    def clock(self, name: str) -> float:
        """When a file was written by the store's own clock, in seconds since 1970."""
        with self._asking(name):
            return float(self._look(name)["last_modified"].timestamp())

    def _look(self, name: str) -> Any:
        self.traffic.add()
        return obstore.head(self._store, self._key(name))

    def _key(self, name: str) -> str:
        return self._prefix + check_name(name)

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        """Turns what obstore says into errors that say what to do."""
        try:
            yield
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
            raise FileExistsError(17, "File exists", name) from error
        except exceptions.BaseError as error:
            self._explain(error, name)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not _says(error, _NO_BUCKET):
                raise FileNotFoundError(2, "No such file", name) from error
            self._explain(error, name)

    def _explain(self, error: Exception, name: str) -> NoReturn:
        if _says(error, _NO_BUCKET):
            raise RemoteRefused(f"{self.name} has no such bucket; make it with your provider's tools first.") from error
        if isinstance(error, exceptions.NotFoundError):
            raise FileNotFoundError(2, "No such file", name) from error
        if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
            raise RemoteRefused(f"{self.name} refused access: {_brief(error)}; check your credentials.") from error
        # Of a token that has expired, the answer to a question for a file's head says no more than that.
        bare = "performing HEAD" in str(error) and "400 Bad Request" in str(error)
        if _says(error, _REFUSED) or bare:
            raise RemoteRefused(f"{self.name} refused access: {_brief(error)}; check your credentials.") from error
        if isinstance(error, exceptions.NotSupportedError):
            raise RemoteRefused(f"{self.name} cannot do what is needed: {_brief(error)}; use another store.") from error
        if _says(error, _NO_CREDENTIALS):
            raise RemoteRefused(
                f"No credentials for {self.name} were found; set them as your provider's own tools need them "
                "(for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
            ) from error
        raise RemoteUnreachable(f"{self.name} gave no good answer: {_brief(error)}; try again.") from error


class WebFiles(ReadOnly, BucketFiles):
    """Files that a web server shows: they can only be read."""

    def refuse(self) -> NoReturn:
        """See `ReadOnly.refuse`."""
        raise RemoteRefused(f"{self.name} can only be read; push to where its files are kept.")


def _says(error: Exception, words: tuple[str, ...]) -> bool:
    text = str(error)
    return any(word in text for word in words)


def _brief(error: Exception) -> str:
    """The first line of what obstore says, without its debugging notes."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return first if len(first) <= 200 else f"{first[:199]}…"
