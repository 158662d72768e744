"""What this user has made on this machine, and what he has said to trust.

A secret lies in the user's own state folder, and nowhere else. The proof that an object was made here is a hash of its
id under that secret, and stands in the repository. So a copied repository brings proofs that fit another secret, and
nothing that it says of itself is believed.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import blake3

from ..errors import DamagedError, StorageError, UnusableSecret, storage_errors
from ..objects.oid import Oid
from ..storage.disk.plain import open_plain
from ..storage.layout import Layout

SIZE = 32
"""Bytes of the secret, and of a proof."""
_MADE, _TRUSTED = "artvcs made v1", "artvcs trust v1"
_MOST = 1 << 20  # bytes of a file that are looked at, the newest; of 256 files together the newest eight million proofs


def note_made(layout: Layout, *made: Oid) -> None:
    """Notes that objects were made here. Without a secret there is no note, and whoever needs one will say why.

    Raises:
        StorageError: The repository cannot be written.
    """
    try:
        _note(layout, _MADE, made)
    except UnusableSecret:
        return


def made_here(layout: Layout, oids: Iterable[Oid]) -> set[Oid]:
    """Those of many objects that this user made on this machine.

    Raises:
        UnusableSecret: The secret cannot be had, so that nobody knows.
    """
    return _noted(layout, _MADE, oids)


def trust(layout: Layout, artifacts: Iterable[Oid]) -> None:
    """Lets artifacts run code when this user loads them, whoever made them.

    Raises:
        UnusableSecret: The user's secret cannot be had.
        StorageError: The repository cannot be written.
    """
    _note(layout, _TRUSTED, artifacts)


def is_trusted(layout: Layout, artifact: Oid) -> bool:
    """Whether this user made an artifact on this machine, or said to trust it.

    Raises:
        UnusableSecret: The secret cannot be had, so that nobody knows.
    """
    return bool(_noted(layout, _TRUSTED, [artifact]) or _noted(layout, _MADE, [artifact]))


def _noted(layout: Layout, context: str, oids: Iterable[Oid]) -> set[Oid]:
    with storage_errors(f"reading {layout.trust}"):
        # At any place: a torn proof before it must not hide one, and none is found by chance.
        return {
            oid
            for file, proofs in _by_file(layout, context, oids).items()
            if (known := _read(file))
            for oid, proof in proofs.items()
            if proof in known
        }


def _note(layout: Layout, context: str, oids: Iterable[Oid]) -> None:
    found = _by_file(layout, context, oids)
    if not found:
        return
    with storage_errors(f"writing to {layout.trust}"):
        if layout.trust.is_symlink():
            raise _not_ours(layout.trust)
        layout.trust.mkdir(exist_ok=True)
        for file, proofs in found.items():
            _append(file, b"".join(proofs.values()))


def _by_file(layout: Layout, context: str, oids: Iterable[Oid]) -> Mapping[Path, dict[Oid, bytes]]:
    """The proofs of objects; of many files one, so that looking costs the same however many proofs there are."""
    key = _key(context)
    found: dict[Path, dict[Oid, bytes]] = defaultdict(dict)
    for oid in oids:
        proof = blake3.blake3(bytes.fromhex(oid), key=key).digest()
        found[layout.trust / proof[:1].hex()][oid] = proof
    return found


def secret_path() -> Path:
    """Where the user's secret lies, be it there or not.

    Raises:
        UnusableSecret: The user has no home.
    """
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        return (state if state.is_absolute() else Path.home() / ".local" / "state") / "artvcs" / "secret"
    except RuntimeError as error:
        raise _unusable(f"there is no home folder ({error})", "set HOME or XDG_STATE_HOME") from error


def _key(context: str) -> bytes:
    """The key of proofs of one kind, made from the secret, which is made if there is none."""
    path = secret_path()
    try:
        try:
            found = _checked(path)
        except FileNotFoundError:
            _make(path)
            found = _checked(path)
    except OSError as error:
        reason = f"{path} cannot be made or read ({error.strerror or error})"
        raise _unusable(reason, "make it possible, or set XDG_STATE_HOME to a folder of yours") from error
    return _derived(found, context)


@lru_cache(8)
def _derived(secret: bytes, context: str) -> bytes:
    return blake3.blake3(secret, derive_key_context=context).digest()


def _make(path: Path) -> None:
    """Makes the secret, at once as a whole: of two who make it at the same time the first decides for both."""
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "wb") as file:
            file.write(os.urandom(SIZE))
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        os.unlink(temporary)


def _checked(path: Path) -> bytes:
    """The secret, if nobody else can know or choose it."""
    folder, file = path.parent.stat(), path.stat()
    for found in (folder, file):
        if found.st_uid != os.geteuid():
            raise _unusable(f"{path} belongs to another user", "set XDG_STATE_HOME to a folder of your own")
    if folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _unusable(f"others can write to {path.parent}", f"run `chmod 700 {shlex.quote(str(path.parent))}`")
    if file.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        advice = f"run `chmod 600 {shlex.quote(str(path))}`, or remove it if somebody may have looked"
        raise _unusable(f"others can read or write {path}", advice)
    content = (
        _content(path, file.st_dev, file.st_ino, file.st_mtime_ns, file.st_ctime_ns) if file.st_size == SIZE else b""
    )
    if len(content) != SIZE:
        raise _unusable(f"{path} is not {SIZE} bytes long", "remove it: a new one is made")
    return content


@lru_cache(2)
def _content(path: Path, *_: int) -> bytes:
    """What is in a file that looks so: a run asks for it again and again."""
    return path.read_bytes()


def _unusable(reason: str, advice: str) -> UnusableSecret:
    return UnusableSecret(f"What was made here cannot be told from what was not, since {reason}; {advice}.")


def _read(path: Path) -> bytes:
    """The proofs in a file; nothing where there is none."""
    try:
        fd, found = open_plain(path)
    except (FileNotFoundError, DamagedError):
        return b""
    with open(fd, "rb") as file:
        file.seek(max(0, found.st_size - _MOST))
        return file.read(_MOST)


def _not_ours(path: Path) -> StorageError:
    return StorageError(f"{path} is a link or no file, which art has not made; remove it.")


def _append(path: Path, proofs: bytes) -> None:
    """Adds proofs in one write, so that those of other processes stay whole."""
    try:
        fd, _ = open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    except DamagedError as error:
        raise _not_ours(path) from error
    try:
        if os.write(fd, proofs) != len(proofs):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(fd)
