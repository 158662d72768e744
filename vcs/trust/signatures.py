"""SSH signatures, as Git makes and checks them: by `ssh-keygen -Y`, with the key and the program that Git is told.

Source: ssh-keygen(1); PROTOCOL.sshsig of OpenSSH; gpg.format, gpg.ssh.program and user.signingKey in git-config(1).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import git
from ..errors import SignatureError, storage_errors

KEY_VARIABLE = "ARTVCS_SIGNING_KEY"
"""The environment variable that names the file of a key, as a job has it that Git is told nothing."""

_NAMESPACE = "artvcs"
"""What a signature is for: one of a commit of Git, or of a file, is none of a vouch."""
_PATIENCE = 60.0
"""Seconds that checking one signature may take."""
_LITERAL = ("key::", "ssh-", "ecdsa-", "sk-")
"""How what Git is told begins where it is the public key itself, and no file."""


@dataclass(frozen=True)
class SigningKey:
    """A key that signs.

    Attributes:
        key: The file of the private key, or of the public key of one that ssh-agent has; or that public key itself.
        program: What signs.
    """

    key: str
    program: str = "ssh-keygen"

    def sign(self, data: bytes) -> str:
        """The signature of `data`, armored. Who keeps the key may have to be asked for a passphrase.

        Raises:
            SignatureError: It cannot be made.
        """
        with self._file() as (file, options):
            done = _run([self.program, "-Y", "sign", "-n", _NAMESPACE, "-f", file, *options], data, None)
        if done.returncode:
            raise SignatureError(
                f"What is pushed cannot be signed with {self.key} ({_said(done)}); correct user.signingKey of Git or "
                f"{KEY_VARIABLE}, or unlock the key."
            )
        return done.stdout.decode("ascii", "replace")

    @contextmanager
    def _file(self) -> Iterator[tuple[str, Sequence[str]]]:
        if not self.key.startswith(_LITERAL):
            yield os.path.expanduser(self.key), ()
            return
        with tempfile.NamedTemporaryFile("w", suffix=".pub") as file:
            file.write(self.key.removeprefix("key::") + "\n")
            file.flush()
            yield file.name, ("-U",)


def key_of(project: Path, *, of_git: bool) -> SigningKey | None:
    """The key that signs what is made in a project: that of the environment, or that of Git where it signs with SSH.

    Args:
        project: The project's folder.
        of_git: Whether Git's key is used, too.
    """
    if given := os.environ.get(KEY_VARIABLE):
        return SigningKey(given)
    try:
        told = git.configured(project, r"^(gpg\.format|gpg\.ssh\.program|user\.signingkey)$") if of_git else {}
    except OSError:  # there is no Git
        return None
    if told.get("gpg.format") != "ssh" or not told.get("user.signingkey"):
        return None
    return SigningKey(told["user.signingkey"], os.path.expanduser(told.get("gpg.ssh.program", "ssh-keygen")))


def signers(allowed: Path, data: bytes, signature: str) -> list[str]:
    """Who has signed `data`, as a file of allowed signers names the holder of the key; nobody where it names none.

    A key that has expired by now counts no more: when something was signed says only who signed it.

    Raises:
        SignatureError: That cannot be found out.
    """
    if not allowed.is_file():
        raise SignatureError(
            f"There is no file {allowed} of allowed signers, which [tool.artvcs.trust] names; make it, or correct that."
        )
    with storage_errors("checking a signature"), tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
        file.write(signature)
        file.flush()
        found = _ask("find-principals", "-f", str(allowed), "-s", file.name)
        who = found.stdout.decode("utf-8", "replace").splitlines() if not found.returncode else []
        return [
            each
            for each in filter(None, map(str.strip, who))
            if not _ask(
                "verify", "-f", str(allowed), "-I", each, "-n", _NAMESPACE, "-s", file.name, data=data
            ).returncode
        ]  # fmt: skip


def _ask(what: str, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return _run(["ssh-keygen", "-Y", what, *arguments], data, _PATIENCE)


def _run(command: Sequence[str], data: bytes, patience: float | None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, input=data, capture_output=True, check=False, timeout=patience)
    except FileNotFoundError as error:
        raise SignatureError(f"There is no program {command[0]}; install OpenSSH 8.9 or newer.") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SignatureError(f"{command[0]} cannot be run ({error}); see that it works.") from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last that a program has said of what went wrong."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else f"it ended with {done.returncode}"
