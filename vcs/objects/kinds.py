"""The kinds of object a repository keeps. Each is described in docs/format/objects.md.

blob (raw bytes) → tree (a folder) → artifact (a value) → commit (an executed step) → run (an executed
pipeline); a version is one number of one artifact name; an op is one change of the repository's refs.
"""

from __future__ import annotations

import itertools
import re
import reprlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

from ..errors import DamagedError, InvalidName
from .limits import MAX_INT, MAX_NAME
from .oid import Oid, check_oids
from .records import Moment, Record, Report, Size

FILE, EXECUTABLE, SYMLINK, FOLDER = "100644", "100755", "120000", "040000"
"""Modes of tree entries, as Git writes them."""

_RESERVED = re.compile(r"\.git|git~1|\.artifacts|artifa~[0-9]")


def check_entry_name(name: str) -> str:
    """`name` if it can safely be one file's name in any folder.

    Raises:
        InvalidName: It is empty, a path, `.`, `..`, too long, holds a NUL or invalid Unicode, or is what some
            file system takes for `.git` or `.artifacts`.
    """
    if name in ("", ".", "..") or not _FORBIDDEN.isdisjoint(name) or is_reserved(name) or not _fits(name):
        raise InvalidName(f"A file named {reprlib.repr(name)} cannot be stored; rename it or leave it out.")
    return name


_FORBIDDEN = frozenset("/\\\0")


def is_reserved(name: str) -> bool:
    """Whether a file system that ignores case, invisible characters or trailing dots and spaces opens `.git`, or ours.

    Numbers after `~` are what such a file system makes of a name that begins with a dot.
    """
    if name.isascii() and "~" not in name and not name.startswith("."):
        return False  # as nearly all names
    seen = "".join(char for char in name if unicodedata.category(char) != "Cf").casefold()
    return _RESERVED.fullmatch(seen.partition(":")[0].rstrip(" .")) is not None


def _fits(name: str) -> bool:
    """Whether Linux and macOS can write such a name; not what is no Unicode."""
    try:
        return len(name.encode("utf-8")) <= MAX_NAME
    except UnicodeEncodeError:
        return False


class Entry(NamedTuple):
    """One name in a folder.

    Attributes:
        name: What it is called there.
        mode: What it is, as Git writes it.
        id: The blob, or the root of the folder's tree.
        size: Bytes of the content, of all files and links below for a folder.
        files: How many files, links and empty folders it stands for: 1 for all but folders that hold something.
    """

    name: str
    mode: str
    id: Oid
    size: int
    files: int = 1

    @property
    def kind(self) -> str:
        """`tree` for a folder, else `blob` (a symbolic link's blob holds its target)."""
        return "tree" if self.mode == FOLDER else "blob"


MAX_LEVEL = 13
"""More levels of nodes than 64 bits of a key's hash can ask for are never made."""


@dataclass(frozen=True)
class Tree(Record):
    """One node of a folder's tree: an ordered map of names.

    Level 0 holds entries, none for an empty folder; above, the last name below, the node's id and what it stands for,
    bytes and files.
    """

    KIND: ClassVar[str] = "tree"
    level: int
    entries: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        names = [entry[0] if entry else None for entry in self.entries]
        if self.level or names:
            check_node(self.level, names)
        width, amounts = (4, 2) if self.level else (5, 3)
        for entry in self.entries:
            if len(entry) != width or not all(type(each) is int and 0 <= each <= MAX_INT for each in entry[amounts:]):
                raise _not_a_tree(entry)
            if entry[-1] < 1 or (not self.level and (entry[1] not in _MODES or (entry[4] > 1 and entry[1] != FOLDER))):
                raise _not_a_tree(entry)
        check_oids([entry[amounts - 1] for entry in self.entries])
        check_entry_names([entry[0] for entry in self.entries])

    def to_json(self) -> Any:
        """The fields as JSON data."""
        return {"entries": self.entries, "level": self.level}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Reads JSON data. Raises DamagedError as `Record.from_json`."""
        level, entries = _node_fields(data)
        if level == 0 and all(len(entry) == 5 for entry in entries):
            return cls(0, tuple([Entry._make(entry) for entry in entries]))
        return cls(level, tuple(map(tuple, entries)))

    @property
    def summary(self) -> tuple[int, int]:
        """What the node above says of this one: the bytes, and how many files, links and empty folders are below."""
        return sum([entry[-2] for entry in self.entries]), sum([entry[-1] for entry in self.entries])

    @property
    def size(self) -> int:
        """Bytes of all files and links below."""
        return self.summary[0]

    @property
    def children(self) -> list[Oid]:
        """The nodes below, or what the names lead to."""
        return [entry[1 if self.level else 2] for entry in self.entries]


_MODES = (FILE, EXECUTABLE, SYMLINK, FOLDER)


def _not_a_tree(entry: object) -> DamagedError:
    return DamagedError(f"A stored tree has the entry {reprlib.repr(entry)}, which cannot be; run `art fsck`.")


def check_entry_names(names: Sequence[str]) -> None:
    """Refuses names as `check_entry_name` does, most of them at a glance."""
    together = "/".join(names)
    plain = (
        together.isascii()
        and not any(mark in together for mark in ("\\", "\0", "~", "/."))
        and not together.startswith(".")
        and together.count("/") == len(names) - 1
    )
    if not plain or not all(names) or max(map(len, names)) > MAX_NAME:
        for name in names:
            check_entry_name(name)


@dataclass(frozen=True)
class Artifact(Record):
    """What a step returned. Holds no time and no host: the same value has the same id.

    Attributes:
        type: The value's type, as `module.qualname`.
        materializer: Name of the materializer that wrote the payload.
        materializer_version: Which of its formats.
        payload: The tree of files it wrote.
        size: Bytes of the payload.
        runs_code: Whether loading it may run code that it holds, as unpickling does.
    """

    KIND: ClassVar[str] = "artifact"
    type: str
    materializer: str
    materializer_version: int
    payload: Oid
    size: Size
    runs_code: bool


@dataclass(frozen=True)
class Input(Record):
    """Where one input of a step came from. `commit` and `output` are None for registered data."""

    artifact: Oid
    name: str
    commit: Oid | None
    output: str | None


@dataclass(frozen=True)
class Output(Record):
    """One output of a step: the artifact and the name it was given."""

    artifact: Oid
    name: str


@dataclass(frozen=True)
class GitState(Record):
    """What Git said when a step ran. `diff` is a blob of the uncommitted changes, if there were any."""

    commit: str | None
    branch: str | None
    remote: str | None
    diff: Oid | None


@dataclass(frozen=True)
class Code(Record):
    """The code of a step: its fingerprint, the blob with the code itself, and where it stands."""

    fingerprint: Oid
    source: Oid
    file: str
    line: int


@dataclass(frozen=True)
class Commit(Record):
    """One executed step. Times are milliseconds since 1970 UTC.

    Attributes:
        inputs: Input name → where it came from, in order where the input is a list.
        outputs: Output name (as declared) → artifact.
        reads: Artifact versions that the step asked for while it ran, as `NAME` or `NAME@VERSION` → what it got.
        parents: The commits that produced the inputs and what was read, sorted.
        params: Parameter name → value, in the encoding of `vcs.values`.
        config: What else went into the cache key: `outputs` (name → materializer asked for), `extras` (from the
            cache policy) and `ignored` (inputs that did not count).
        log: A blob of what the step printed.
    """

    KIND: ClassVar[str] = "commit"
    step: str
    pipeline: str
    code: Code
    params: Mapping[str, Any]
    config: Mapping[str, Any]
    inputs: Mapping[str, tuple[Input, ...]]
    reads: Mapping[str, Input]
    outputs: Mapping[str, Output]
    parents: tuple[Oid, ...]
    cache_key: Oid
    environment: Mapping[str, Any]
    git: GitState | None
    author: str
    started: Moment
    finished: Moment
    metadata: Mapping[str, Any]
    log: Oid | None


@dataclass(frozen=True)
class Failure(Record):
    """Why a step failed: the exception's type and text, and its traceback."""

    type: str
    message: Report
    traceback: Report


@dataclass(frozen=True)
class StepRun(Record):
    """One step in one run. Inputs and outputs are this run's own, also where the step was cached.

    Attributes:
        status: `running`, `completed`, `cached`, `failed` or `skipped`.
        commit: The execution whose outputs these are; None when there was none.
    """

    step: str
    status: str
    commit: Oid | None
    inputs: Mapping[str, tuple[Input, ...]]
    outputs: Mapping[str, Output]
    cache_key: Oid | None
    started: Moment | None
    finished: Moment | None
    failure: Failure | None
    log: Oid | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Run(Record):
    """One execution of a pipeline.

    Attributes:
        run: The run's own id, random: the record changes while the run goes on.
        status: `running`, `completed`, `failed` or `interrupted`.
        steps: Invocation id → step run, in order of `order`.
        previous: The run id of the pipeline's run before this one.
    """

    KIND: ClassVar[str] = "run"
    run: str
    name: str
    pipeline: str
    file: str | None
    status: str
    params: Mapping[str, Any]
    steps: Mapping[str, StepRun]
    order: tuple[str, ...]
    previous: str | None
    git: GitState | None
    author: str
    started: int
    finished: int | None
    metadata: Mapping[str, Any]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version(Record):
    """One number of one artifact name.

    The pair of name and artifact decides the number: making the same value again is the same version.

    Attributes:
        label: An explicit version such as "1.0", unique under the name.
        commit: The execution that made it; None for data saved or registered by hand.
        output: Which output of that execution.
        run: The run in which it was first made or saved.
        origin: `step`, `saved`, `registered`, `external` or `file`.
        metadata: What the materializer found out about the value, and what people noted, in the encoding of
            `vcs.values`. Not part of the artifact: a mean may differ in its last digit from one machine to another,
            and the same value has the same id everywhere.
        deleted: True for what stays of a deleted version, so that its number is never used again.
    """

    KIND: ClassVar[str] = "version"
    name: str
    number: int
    label: str | None
    artifact: Oid
    commit: Oid | None
    output: str | None
    run: str | None
    origin: str
    created: int
    tags: tuple[str, ...]
    metadata: Mapping[str, Any]
    deleted: bool = False


@dataclass(frozen=True)
class State(Record):
    """What a repository is at one moment: its refs, and the files that hold its objects.

    A reader that has a state has all it needs to find every object, whatever others publish or collect meanwhile.

    Attributes:
        refs: The root node of the refs map, None when there are no refs.
        segments: Index segments, the largest first.
        loose: Files of packs and ops that no segment lists; the op's own is among them.
        condemned: Files that count as absent and are about to be deleted → the op that condemned them.
        epoch: How often files were condemned: while it stands still, what was there is still there.
        recent: The nonces of the last ops, newest first, the op's own left out.
    """

    refs: Oid | None
    segments: tuple[Oid, ...]
    loose: tuple[str, ...]
    condemned: Mapping[str, int]
    epoch: int
    recent: tuple[str, ...]


@dataclass(frozen=True)
class Op(Record):
    """One change of the repository: the state after it, who did it and why.

    Attributes:
        seq: One more than its parent's.
        parent: The op before.
        nonce: Random, so that a transaction can tell its own op from another's.
        attempt: Random, so that no two attempts to commit have the same bytes.
        when: Milliseconds since 1970 UTC.
    """

    KIND: ClassVar[str] = "op"
    seq: int
    parent: Oid | None
    state: State
    nonce: str
    attempt: str
    who: str
    when: int
    why: str


@dataclass(frozen=True)
class RefsNode(Record):
    """One node of the refs map.

    Level 0 holds pairs of a ref and its id; above, triples of the last ref below, the node's id and how many refs are
    below.
    """

    KIND: ClassVar[str] = "refs"
    level: int
    entries: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        check_node(self.level, [entry[0] if entry else None for entry in self.entries])
        for entry in self.entries:
            if len(entry) != (3 if self.level else 2) or (self.level and (type(entry[2]) is not int or entry[2] < 1)):
                raise DamagedError("A stored node of the refs map has an entry that is none; run `art fsck`.")
        check_oids([entry[1] for entry in self.entries])

    def to_json(self) -> Any:
        """The fields as JSON data."""
        return {"entries": self.entries, "level": self.level}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Reads JSON data. Raises DamagedError as `Record.from_json`."""
        level, entries = _node_fields(data)
        return cls(level, tuple(map(tuple, entries)))

    @property
    def summary(self) -> tuple[int]:
        """What the node above says about this one: how many refs it has below."""
        return (sum(entry[2] for entry in self.entries) if self.level else len(self.entries),)


def _node_fields(data: Any) -> tuple[int, list[list[Any]]]:
    """Level and entries of a node. There are many of them, and field by field they are checked when they are made."""
    if (
        not isinstance(data, dict)
        or data.keys() != {"entries", "level"}
        or type(level := data["level"]) is not int
        or not isinstance(entries := data["entries"], list)
        or not all(isinstance(entry, list) for entry in entries)
    ):
        raise DamagedError("A stored node of an ordered map has the wrong fields; run `art fsck`.")
    return level, entries


def check_node(level: int, keys: Sequence[object]) -> None:
    """Refuses a node of an ordered map that is empty, too high, or out of order.

    Raises:
        DamagedError: It is.
    """
    if not keys or not 0 <= level <= MAX_LEVEL:
        raise DamagedError("A stored node of an ordered map is empty or too high; run `art fsck`.")
    if not all(isinstance(key, str) for key in keys) or any(a >= b for a, b in itertools.pairwise(keys)):  # type: ignore[operator]
        raise DamagedError("A stored node of an ordered map is out of order; run `art fsck`.")
