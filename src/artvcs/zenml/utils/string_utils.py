"""Texts."""

from __future__ import annotations

import base64
import secrets
import string
from typing import Any

from .._names import finder


def random_str(length: int) -> str:
    """Letters by chance."""
    return "".join(secrets.choice(string.ascii_letters) for _ in range(length))


def b64_encode(input_: str) -> str:
    """A text in base 64."""
    return base64.b64encode(input_.encode()).decode()


def b64_decode(input_: str) -> str:
    """The text that is written in base 64."""
    return base64.b64decode(input_).decode()


def get_human_readable_time(seconds: float) -> str:
    """A time as `1h2m3s`."""
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if seconds < 60:
        return f"{sign}{seconds:.3f}s"
    whole = int(seconds)
    parts = (whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s")
    first = next(at for at, (number, _) in enumerate(parts) if number)
    return sign + "".join(f"{number}{unit}" for number, unit in parts[first:])


def get_human_readable_filesize(bytes_: int) -> str:
    """A size as `1.50 KiB`."""
    size, units = abs(float(bytes_)), ["B", "KiB", "MiB", "GiB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.2f} {units[0]}"


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
