"""SSH signatures, as Git makes and checks them: by `ssh-keygen -Y`, with the key and the program that Git is told.

Source: ssh-keygen(1); PROTOCOL.sshsig of OpenSSH; gpg.format, gpg.ssh.program and user.signingKey in git-config(1).
"""

from __future__ import annotations

import base64
import binascii
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .. import git
from ..errors import SignatureError, storage_errors

KEY_VARIABLE = "ARTVCS_SIGNING_KEY"
"""The environment variable that holds a key, or names its file, as a job has it that Git is told nothing."""

_NAMESPACE = "artvcs"
"""What a signature is for: one of a commit of Git, or of a file, is none of a vouch."""
_PATIENCE = 60.0
"""Seconds that checking one signature may take."""
_PRIVATE = "-----BEGIN"
"""How a private key begins that is given as it is."""
_LITERAL = ("key::", "ssh-", "ecdsa-", "sk-")
"""How what Git is told begins where it is the public key itself, and no file."""
_ARMOR = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"


@dataclass(frozen=True)
class SigningKey:
    """A key that signs.

    Attributes:
        name: What it is called in messages.
        key: The file of the private key, or of the public key of one that ssh-agent has; or one of both itself.
        literal: Whether it is a key itself.
        program: What signs.
    """

    name: str
    key: str = field(repr=False)
    literal: bool = False
    program: str = "ssh-keygen"

    def sign(self, data: bytes) -> str:
        """The signature of `data`, armored. Who keeps the key may have to be asked for a passphrase.

        Raises:
            SignatureError: It cannot be made.
        """
        with self._file() as (file, options):
            done = _run([self.program, "-Y", "sign", "-n", _NAMESPACE, "-f", file, *options], data, None)
        signature = done.stdout.decode("ascii", "replace")
        reason = _said(done) if done.returncode else None if _is_valid(data, signature) else "what came is no signature"
        if reason is not None:
            raise SignatureError(
                f"What is pushed cannot be signed with {self.name} ({reason}); correct user.signingkey of Git or "
                f"{KEY_VARIABLE}, or unlock the key."
            )
        return signature

    @contextmanager
    def _file(self) -> Iterator[tuple[str, Sequence[str]]]:
        if not self.literal:
            yield os.path.expanduser(self.key), ()
            return
        is_private = self.key.startswith(_PRIVATE)
        with (
            storage_errors("keeping a key for a moment"),
            tempfile.NamedTemporaryFile("w", suffix="" if is_private else ".pub") as file,
        ):
            file.write(self.key.removeprefix("key::").rstrip() + "\n")  # which nobody else can read
            file.flush()
            yield file.name, () if is_private else ("-U",)


def key_of(project: Path, *, of_git: bool) -> SigningKey | None:
    """The key that signs what is made in a project: that of the environment, or that of Git where it signs with SSH.

    Args:
        project: The project's folder.
        of_git: Whether Git's key is used, too.
    """
    if given := os.environ.get(KEY_VARIABLE, "").strip():
        if _PRIVATE in given:  # never shown: a message goes into the log of a job
            return SigningKey(f"the key in {KEY_VARIABLE}", given, literal=True)
        return SigningKey(given, given)
    try:
        told = git.configured(project, r"^(gpg\.format|gpg\.ssh\.program|user\.signingkey)$") if of_git else {}
    except OSError:  # there is no Git
        return None
    if told.get("gpg.format") != "ssh" or not (key := told.get("user.signingkey")):
        return None
    program = os.path.expanduser(told.get("gpg.ssh.program", "ssh-keygen"))
    return SigningKey(key, key, key.startswith(_LITERAL), program)


class Signers:
    """A file of allowed signers, which says whose key is whose.

    Args:
        file: The file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._holders: dict[bytes, list[str]] = {}

    def of(self, data: bytes, signature: str) -> list[str]:
        """Who has signed `data`, as the file names the holders of the key; nobody where it names none.

        A key that has expired by now counts no more: when something was signed says only who signed it.

        Raises:
            SignatureError: That cannot be found out.
        """
        key = public_key(signature)
        if key is None or not self.names(signature):
            return []
        with _kept(signature) as file:
            options = ("-f", str(self._file), "-n", _NAMESPACE, "-s", file)
            return [
                each for each in self._holders[key] if not _ask("verify", *options, "-I", each, data=data).returncode
            ]

    def names(self, signature: str) -> bool:
        """Whether the file names a holder of the key of a signature. Raises as `of`."""
        key = public_key(signature)
        if key is None:
            return False
        if key not in self._holders:  # a process for each key, and not for each signature
            if not self._file.is_file():
                raise SignatureError(
                    f"There is no file {self._file.name} of allowed signers, which [tool.artvcs.trust] names; make it, "
                    "or correct that."
                )
            with _kept(signature) as file:
                found = _ask("find-principals", "-f", str(self._file), "-s", file)
            lines = found.stdout.decode("utf-8", "replace").splitlines() if not found.returncode else []
            self._holders[key] = [line.strip() for line in lines if line.strip()]
        return bool(self._holders[key])


def public_key(signature: str) -> bytes | None:
    """The public key that a signature says it was made with; None where it is no signature.

    Source: PROTOCOL.sshsig.
    """
    lines = signature.strip().splitlines()
    if len(lines) < 3 or (lines[0], lines[-1]) != _ARMOR:
        return None
    try:
        data = base64.b64decode("".join(lines[1:-1]), validate=True)
    except (binascii.Error, ValueError):
        return None
    start = len(_MAGIC) + 4
    if not data.startswith(_MAGIC) or len(data) < start + 4:
        return None
    (size,) = struct.unpack_from(">I", data, start)
    return data[start + 4 : start + 4 + size]


def _is_valid(data: bytes, signature: str) -> bool:
    """Whether a signature is one of some data, whoever made it."""
    with _kept(signature) as file:
        return not _ask("check-novalidate", "-n", _NAMESPACE, "-s", file, data=data).returncode


@contextmanager
def _kept(signature: str) -> Iterator[str]:
    """A signature in a file, as long as the block runs."""
    with storage_errors("checking a signature"), tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        yield file.name


def _ask(what: str, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return _run(["ssh-keygen", "-Y", what, *arguments], data, _PATIENCE)


def _run(command: Sequence[str], data: bytes, patience: float | None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, input=data, capture_output=True, check=False, timeout=patience)
    except FileNotFoundError as error:
        raise SignatureError(f"There is no program {command[0]}; install OpenSSH 8.9 or newer.") from error
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise SignatureError(f"{command[0]} cannot be run ({type(error).__name__}); see that it works.") from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last that a program has said of what went wrong."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else f"it ended with {done.returncode}"
