"""Secrets, which are environment variables here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from ..exceptions import NotFound


class Secret:
    """A secret by its name: `db` has the value `url` where the environment has `DB_URL`."""

    def __init__(self, name: str) -> None:
        self.name = self.id = name
        self.secret_values = self.values = _Values(name)


class _Values(Mapping[str, str]):
    """The values of a secret, looked up in the environment when they are asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _variables(self, key: str) -> list[str]:
        spelt = "".join(char if char.isalnum() else "_" for char in f"{self._name}_{key}")
        return [spelt.upper(), "".join(char if char.isalnum() else "_" for char in key).upper()]

    def __getitem__(self, key: str) -> str:
        for variable in self._variables(key):
            if variable in os.environ:
                return os.environ[variable]
        raise NotFound(
            f"The secret {self._name!r} has no value {key!r} here; set the environment variable "
            f"{self._variables(key)[0]}."
        )

    def __contains__(self, key: object) -> bool:
        return any(variable in os.environ for variable in self._variables(str(key)))

    def _known(self) -> list[str]:
        [start, _] = self._variables("")
        return [name.removeprefix(start).lower() for name in os.environ if name.startswith(start)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())
