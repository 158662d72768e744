"""Where a repository elsewhere is, as users write it. No address holds a secret."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ...errors import InvalidName

BUCKETS = ("s3", "az", "gs")
"""The schemes of object stores."""

_SCHEMES = (*BUCKETS, "file", "ssh", "http", "https")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+ -]*(/[A-Za-z0-9][A-Za-z0-9._=+ -]*)*\Z")


@dataclass(frozen=True)
class Address:
    """A repository's place elsewhere.

    Attributes:
        scheme: `s3`, `az`, `gs`, `file`, `ssh`, `http` or `https`.
        host: The bucket, container or host; empty for a folder.
        path: The prefix in the bucket, without `/` at its ends, or the folder.
        user: Who one is at an SSH host; None for whoever its configuration says.
        port: Of the host; None for the usual one.
        endpoint: Where an object store answers, if not where its provider's does.
        region: The provider's region, if the environment does not say.
    """

    scheme: str
    host: str
    path: str
    user: str | None = None
    port: int | None = None
    endpoint: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        if self.scheme == "file":
            return self.path
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{self.host}{port}/{self.path.removeprefix('/')}".rstrip("/")


def parse(text: str, *, base: Path, endpoint: str | None = None, region: str | None = None) -> Address:
    """Reads an address.

    Args:
        text: `s3://bucket/prefix`, `az://container/prefix`, `gs://bucket/prefix`, `ssh://[user@]host[:port]/folder`,
            `http(s)://host/path`, `file:///folder`, or a path.
        base: The folder that a relative path is relative to.
        endpoint: Where an object store answers, if not where its provider's does.
        region: The provider's region.

    Raises:
        InvalidName: It is no address, or holds what no address may.
    """
    if not text or not text.isprintable():
        raise InvalidName(f"{text!r} is no address; give one such as s3://bucket/prefix or a folder.")
    if "://" not in text:
        return Address("file", "", str(_folder(Path(text), base)))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidName(f"{text!r} is no address ({error}); give one such as s3://bucket/prefix.") from None
    if parts.scheme not in _SCHEMES:
        raise InvalidName(f"{text!r} begins with none of {', '.join(f'{each}://' for each in _SCHEMES)}.")
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        raise InvalidName(
            f"The address of {parts.hostname} holds a secret, and addresses are shared; leave it out: credentials are "
            "found as the provider's own tools find them."
        )
    if parts.query or parts.fragment:
        raise InvalidName(f"{text!r} has something after ? or #, which no address has.")
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise InvalidName(f"{text!r} names another machine; use ssh://HOST/FOLDER or a folder that is mounted.")
        return Address("file", "", str(_folder(Path(unquote(parts.path)), base)))
    if parts.scheme in BUCKETS:
        return _bucket(text, parts.scheme, parts.netloc, parts.path, endpoint, region)
    host, user = parts.hostname or "", parts.username
    # What starts with a hyphen would be an option of the command that is given it.
    if not _HOST.match(host) or (user is not None and not _HOST.match(user)):
        raise InvalidName(f"{text!r} names no host that can be asked; give one such as ssh://host/folder.")
    return Address(parts.scheme, host, unquote(parts.path) or "/", user, port)


def _bucket(
    text: str, scheme: str, bucket: str, path: str, endpoint: str | None, region: str | None
) -> Address:  # fmt: skip
    prefix = path.strip("/")
    if not _HOST.match(bucket) or (prefix and not _KEY.match(prefix)):
        raise InvalidName(f"{text!r} names no bucket and prefix; give one such as {scheme}://bucket/prefix.")
    if endpoint is not None and "@" in endpoint:
        raise InvalidName("The endpoint holds a secret, and configuration is shared; leave it out.")
    if endpoint is not None and urlsplit(endpoint).scheme not in ("http", "https"):
        raise InvalidName(f"The endpoint {endpoint!r} is no http(s):// address.")
    return Address(scheme, bucket, prefix, endpoint=endpoint, region=region)


def _folder(path: Path, base: Path) -> Path:
    """An absolute folder; links stay as they are, since what they lead to may change."""
    try:
        return Path(os.path.normpath(base / path.expanduser()))
    except RuntimeError as error:
        raise InvalidName(
            f"{str(path)!r} names the home folder of somebody who has none; give the whole path."
        ) from error
