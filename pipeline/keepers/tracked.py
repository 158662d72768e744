"""Files and folders that a tool keeps beside Git, which itself has only a small file that stands for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from artvcs.vcs.git import History, Revision


class Unusable(Exception):
    """What a tool keeps is missing or not what it should be; the text says what, for the report."""


@dataclass(frozen=True)
class Problem:
    """Something that a tool says it keeps and that cannot be understood.

    Attributes:
        of: The path of what is missing for it, or of the file that should say so.
        why: What is wrong, for the report.
    """

    of: str
    why: str


class Taken(NamedTuple):
    """What something was made of.

    Attributes:
        path: From the top of the Git repository, with `/`.
        digest: The hash of what it held then.
    """

    path: str
    digest: str


@dataclass(frozen=True)
class Tracked:
    """One file or folder as of one revision.

    Attributes:
        path: From the top of the Git repository, with `/`.
        key: What it holds, as the tool names that: what hash it is, a colon, and the hash.
        step: What made it, in the tool's words.
        source: The text that says so.
        file: Where that text stands.
        parameters: What that was given.
        inputs: What the tool says that it took; `Keeper.made_of` tells what of that is kept.
        measures: What was measured of it.
        is_executable: Whether it is a file to be run.
    """

    path: str
    key: str
    step: str
    source: str
    file: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Taken, ...] = ()
    measures: Mapping[str, Any] = field(default_factory=dict)
    is_executable: bool = False

    @property
    def digest(self) -> str:
        """The hash of what it holds."""
        return digest_of(self.key)


def digest_of(key: str) -> str:
    """The hash in a key; see `Tracked`."""
    return key.partition(":")[2]


class Keeper(Protocol):
    """A tool that keeps files beside Git."""

    @property
    def name(self) -> str:
        """What it is called, in small letters."""

    def tracked(self, history: History, revision: Revision) -> Iterator[Tracked | Problem]:
        """What it keeps as of a revision, and what of that cannot be understood."""

    def made_of(self, history: History, revision: Revision, tracked: Tracked) -> list[Taken]:
        """What is kept, of what something was made of as of a revision."""

    def files(self, tracked: Tracked) -> dict[str, Path]:
        """Path below → the file that holds it, each verified; of a file by itself the only one is `""`.

        Raises:
            Unusable: Something is missing, or is not what its hash says.
        """
