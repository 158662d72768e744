"""What decides whether a step has to run again, besides its parameters and inputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from ...errors import DefinitionError
from ...fingerprint import Reach


@dataclass(frozen=True)
class CachePolicy:
    """What else decides whether a step has to run again, besides its parameters and inputs.

    Attributes:
        code: How far the code counts: everything of yours that the step reaches (`project`), its own body
            (`function`), or nothing but its name (`none`).
        files: Files and folders whose content counts; relative paths start from the working directory.
        env: Environment variables whose value counts.
        packages: Installed distributions whose version counts, besides those the code imports.
        ignore_inputs: Inputs that do not count.
        expires_after: A result older than this is not used again; a timedelta or seconds.
        unverified: Whether a result counts whose execution used what cannot be compared: the network, the clock, a
            program. `allow` or `forbid`.
        key: Called with a dictionary of the step's parameters and input artifact ids (a list of them for a list);
            what it returns counts.
    """

    code: Reach = "project"
    files: Sequence[str | os.PathLike[str]] = ()
    env: Sequence[str] = ()
    packages: Sequence[str] = ()
    ignore_inputs: Sequence[str] = ()
    expires_after: timedelta | float | None = None
    key: Callable[[dict[str, Any]], Any] | None = None
    unverified: Literal["allow", "forbid"] = "allow"

    def __post_init__(self) -> None:
        if self.code not in ("project", "function", "none"):
            raise DefinitionError(f"CachePolicy(code={self.code!r}) is unknown; use 'project', 'function' or 'none'.")
        if self.unverified not in ("allow", "forbid"):
            raise DefinitionError(f"CachePolicy(unverified={self.unverified!r}) is unknown; use 'allow' or 'forbid'.")
        for field in ("files", "env", "packages", "ignore_inputs"):
            if isinstance(getattr(self, field), (str, os.PathLike)):
                raise DefinitionError(
                    f"CachePolicy({field}=...) takes a list; write [{os.fspath(getattr(self, field))!r}]."
                )

    def _repr_html_(self) -> str:
        from ...values.visualizations import cards

        return cards.settings_card(self)

    def expired(self, finished: int, now: int) -> bool:
        """Whether a result is too old to be used again; both in milliseconds since 1970."""
        if self.expires_after is None:
            return False
        limit = self.expires_after
        seconds = limit.total_seconds() if isinstance(limit, timedelta) else limit
        return now - finished >= seconds * 1000
