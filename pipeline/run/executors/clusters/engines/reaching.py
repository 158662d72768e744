"""Whether somebody answers where an engine is said to be: the engines themselves try for long, and say less."""

from __future__ import annotations

import socket
import urllib.request
from urllib.parse import urlsplit

PATIENCE = 10.0
"""Seconds until it is said that nobody answers."""


def why_unreachable(address: str) -> str | None:
    """Why nobody answers at an address, in words; None where somebody does, or where that is for the engine to find.

    Args:
        address: `SCHEME://HOST:PORT`, of which the engine connects to the host and port by TCP.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or not port:
        return None
    if urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return None  # a proxy may know a way
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except TimeoutError:
        return "nobody answers"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None
