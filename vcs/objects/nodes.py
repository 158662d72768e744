"""The nodes of ordered maps: of the refs, of the names in a folder, and of the steps of a run.

They are made and read by the thousand, so they are checked column by column, all entries at a glance.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Self

from ..errors import DamagedError
from .kinds import StepRun
from .limits import MAX_INT
from .names import check_entry_names
from .oid import Oid, check_oid, check_oids
from .records import Record, record

FILE, EXECUTABLE, SYMLINK, FOLDER = "100644", "100755", "120000", "040000"
"""Modes of tree entries, as Git writes them."""


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


MAX_LEVEL = 17
"""More levels of nodes than 64 bits of a key's hash can ask for are never made."""


@record
class Tree(Record):
    """One node of a folder's tree: an ordered map of names.

    Level 0 holds entries, none for an empty folder; above, the last name below, the node's id and what it stands for,
    bytes and files.
    """

    KIND: ClassVar[str] = "tree"
    CHECKED: ClassVar[bool] = True
    level: int
    entries: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        if not self.level and not self.entries:
            return
        _check_width(self.entries, 4 if self.level else 5)
        names, *modes, oids, sizes, files = zip(*self.entries, strict=True)
        _check_node(self.level, names)
        _check_amounts(sizes, at_least=0)
        _check_amounts(files, at_least=1)
        if modes and not (set(map(type, modes[0])) == {str} and _MODES.issuperset(modes[0])):
            raise _not_a_node("has a mode that is none")
        if modes and max(files) > 1 and not all(map(_may_be, self.entries)):
            raise _not_a_node("has a file that stands for many")
        check_oids(oids)
        check_entry_names(names)

    def to_json(self) -> Any:
        """The fields as JSON data."""
        return {"entries": self.entries, "level": self.level}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Reads JSON data. Raises DamagedError as `Record.from_json`."""
        level, entries = _node_fields(data)
        if level == 0 and set(map(len, entries)) == {5}:
            return cls(0, tuple(map(Entry._make, entries)))
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


_COUNT = operator.itemgetter(2)
_MODES = frozenset((FILE, EXECUTABLE, SYMLINK, FOLDER))


def _may_be(entry: tuple[Any, ...]) -> bool:
    """Whether what has this mode may stand for so many files."""
    return bool(entry[1] == FOLDER or entry[4] == 1)


@record
class RefsNode(Record):
    """One node of the refs map.

    Level 0 holds pairs of a ref and its id; above, triples of the last ref below, the node's id and how many refs are
    below.
    """

    KIND: ClassVar[str] = "refs"
    CHECKED: ClassVar[bool] = True
    level: int
    entries: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        _check_width(self.entries, 3 if self.level else 2)
        refs, oids, *counts = zip(*self.entries, strict=True)
        _check_node(self.level, refs)
        check_oids(oids)
        if counts:
            _check_amounts(counts[0], at_least=1)

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
        return (sum(map(_COUNT, self.entries)) if self.level else len(self.entries),)


@record
class StepsNode(Record):
    """One node of the map of a run's steps.

    Level 0 holds pairs of an invocation id and the step, or the step's own id where it is large; above, triples of the
    last invocation below, the node's id and how many steps are below.
    """

    KIND: ClassVar[str] = "steps"
    level: int
    entries: tuple[tuple[Any, ...], ...]

    def __post_init__(self) -> None:
        _check_width(self.entries, 3 if self.level else 2)
        names, found, *counts = zip(*self.entries, strict=True)
        _check_node(self.level, names)
        if counts:
            check_oids(found)
            _check_amounts(counts[0], at_least=1)

    def to_json(self) -> Any:
        """The fields as JSON data."""
        entries: Any = self.entries
        if not self.level:
            entries = [(name, step if isinstance(step, str) else step.to_json()) for name, step in self.entries]
        return {"entries": entries, "level": self.level}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Reads JSON data. Raises DamagedError as `Record.from_json`."""
        level, entries = _node_fields(data)
        if level:
            return cls(level, tuple(map(tuple, entries)))
        _check_width(entries, 2)
        return cls(0, tuple((name, _step(found)) for name, found in entries))

    @property
    def summary(self) -> tuple[int]:
        """What the node above says about this one: how many steps it has below."""
        return (sum(map(_COUNT, self.entries)) if self.level else len(self.entries),)

    def typed_values(self) -> Iterator[Any]:
        """See `Record.typed_values`."""
        for step in (entry[1] for entry in self.entries):
            if isinstance(step, StepRun):
                yield from step.typed_values()


def _step(found: Any) -> StepRun | Oid:
    """What a leaf says of a step."""
    return check_oid(found) if isinstance(found, str) else StepRun.from_json(found)


def _node_fields(data: Any) -> tuple[int, list[list[Any]]]:
    """Level and entries of a node; the rest is checked when it is made."""
    if (
        not isinstance(data, dict)
        or data.keys() != {"entries", "level"}
        or type(level := data["level"]) is not int
        or not isinstance(entries := data["entries"], list)
        or not set(map(type, entries)) <= {list}
    ):
        raise _not_a_node("has the wrong fields")
    return level, entries


def _check_width(entries: Sequence[Sequence[object]], width: int) -> None:
    """Refuses entries that have not just so many columns, or none at all. Raises DamagedError."""
    if set(map(len, entries)) != {width}:
        raise _not_a_node("is empty, or has an entry that is none")


def _check_node(level: int, keys: Sequence[Any]) -> None:
    """Refuses a node that is too high, or whose keys are out of order. Raises DamagedError."""
    if not 0 <= level <= MAX_LEVEL:
        raise _not_a_node("is too high")
    if set(map(type, keys)) != {str} or any(map(operator.ge, keys, keys[1:])):
        raise _not_a_node("is out of order")


def _check_amounts(amounts: Sequence[Any], at_least: int) -> None:
    """Refuses what is no integer from `at_least` to 2**53 - 1. Raises DamagedError."""
    if set(map(type, amounts)) != {int} or min(amounts) < at_least or max(amounts) > MAX_INT:
        raise _not_a_node("has an amount that cannot be")


def _not_a_node(why: str) -> DamagedError:
    return DamagedError(f"A stored node of an ordered map {why}; run `art fsck`.")
