"""Files and folders that a tool keeps beside Git, which itself has only a small file that stands for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from artvcs.vcs import hash_bytes
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


class Held(NamedTuple):
    """Where something is, and what it holds there: what tells it from all else that is kept.

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
        size: How many bytes it has, where the tool says that of a file.
        is_executable: Whether it is a file to be run.
    """

    path: str
    key: str
    size: int | None = None
    is_executable: bool = False

    @property
    def digest(self) -> str:
        """The hash of what it holds."""
        return digest_of(self.key)

    @property
    def held(self) -> Held:
        """Where it is, and what it holds."""
        return Held(self.path, self.digest)


@dataclass(frozen=True)
class Made:
    """What was made at once, as a revision says: by a stage that ran, or by somebody who had something kept.

    Attributes:
        step: What made it, in the tool's words.
        source: The text that says so; of a stage its command.
        file: Where that text stands.
        outputs: What is kept of it.
        parameters: What that was given.
        inputs: What the tool says that it took; `Keeper.made_of` tells what of that is kept.
        measures: What was measured.
        is_stage: Whether it is a stage, which may run again and make the same.
    """

    step: str
    source: str
    file: str
    outputs: tuple[Tracked, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Held, ...] = ()
    measures: Mapping[str, Any] = field(default_factory=dict)
    is_stage: bool = False

    @cached_property
    def key(self) -> str:
        """What is the same where a revision says the same of it."""
        made = sorted((each.path, each.key) for each in self.outputs)
        told = self.file, self.step, self.source, made, self.parameters, sorted(self.inputs), self.measures
        return hash_bytes(repr(told).encode("utf-8", "surrogatepass"), "made")


def digest_of(key: str) -> str:
    """The hash in a key; see `Tracked`."""
    return key.partition(":")[2]


class Keeper(Protocol):
    """A tool that keeps files beside Git."""

    @property
    def name(self) -> str:
        """What it is called, in small letters."""

    def tracked(self, history: History, revision: Revision) -> Iterator[Made | Problem]:
        """What it keeps as of a revision, and what of that cannot be understood."""

    def made_of(self, history: History, revision: Revision, made: Made) -> list[Held]:
        """What is kept, of what something was made of as of a revision."""

    def files(self, tracked: Tracked) -> dict[str, Path]:
        """Path below → the file that holds it, each verified; of a file by itself the only one is `""`.

        Raises:
            Unusable: Something is missing, or is not what its hash says.
        """
