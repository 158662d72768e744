"""Whether one object is what its id says, and what it refers to.

What is read here may come from a stranger: nothing is believed before it was compared with an id, and nothing is
expanded beyond what a writer makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ...errors import ArtError, DamagedError
from ...maps import graph
from ...objects import values
from ...objects.kinds import Artifact, Run
from ...objects.nodes import FOLDER, RefsNode, StepsNode, Tree
from ...objects.oid import NULL, Oid, hash_bytes
from ...objects.records import Record
from ...storage.packs import chunking, codec
from ...storage.packs.table import Location

ANY_SIZE = -1


class Link(NamedTuple):
    """What an object says of one that it refers to: its id, its kind if that is said, and its size or `ANY_SIZE`."""

    oid: Oid
    kind: str = ""
    size: int = ANY_SIZE


@dataclass(frozen=True, slots=True)
class Found:
    """One object in a pack.

    Attributes:
        at: Where it is.
        links: What it refers to.
        total: Its size in bytes: of a tree, that of all files below.
        problem: What is wrong with it, if something is.
    """

    at: Location
    links: tuple[Link, ...] = ()
    total: int = 0
    problem: str | None = None

    @property
    def is_list(self) -> bool:
        """Whether it is a list of chunks: only these can tell whether it is right."""
        return self.at.codec == codec.CHUNKED


def check(at: Location, stored: memoryview) -> Found:
    """Compares an object, as it is stored, with its id.

    Args:
        at: What its record says of it.
        stored: The bytes after the record's header.
    """
    try:
        return _checked(at, stored)
    except ArtError as error:
        return Found(at, problem=str(error))


def _checked(at: Location, stored: memoryview) -> Found:
    if at.codec == codec.CHUNKED:
        if at.kind != "blob" or at.stored > chunking.MAX_LIST:
            raise DamagedError("It is a list of chunks where none should be.")
        chunks = chunking.decode_list(bytes(stored), at.size)
        return Found(at, tuple(Link(chunk, "blob", size) for chunk, size in chunks), at.size)
    most = chunking.MAX_CHUNK if at.kind == "blob" else codec.MAX_SIZE
    if max(at.size, at.stored) > most:
        raise DamagedError(f"It says that it has {at.size} bytes, and no {at.kind} in one piece has more than {most}.")
    data = codec.decompress(at.codec, stored, at.size)
    if hash_bytes(data, at.kind) != at.oid:
        raise DamagedError("It does not match its id.")
    if at.kind == "blob":
        return Found(at, (), at.size)
    record = graph.RECORDS[at.kind].decode(bytes(data))
    for value in record.typed_values():
        values.decode(value)
    return Found(at, tuple(links_of(record)), record.size if isinstance(record, Tree) else at.size)


def links_of(record: Record) -> Iterator[Link]:
    """What a record refers to, and what it says of that."""
    if isinstance(record, Tree):
        if record.level:
            return (Link(Oid(entry[1]), "tree", entry[2]) for entry in record.entries)
        return (Link(Oid(entry[2]), "tree" if entry[1] == FOLDER else "blob", entry[3]) for entry in record.entries)
    if isinstance(record, Artifact):
        return iter((Link(record.payload, "tree", record.size),))
    if isinstance(record, RefsNode | StepsNode) and record.level:
        return (Link(Oid(entry[1]), record.KIND) for entry in record.entries)
    if isinstance(record, StepsNode):
        return (
            link
            for _, found in record.entries
            for link in ((Link(Oid(found), "step"),) if isinstance(found, str) else links_of(found))
        )
    if isinstance(record, Run) and record.parts is not None:
        apart = {record.parts.steps: "steps", record.parts.order: "order"}
        return (Link(oid, apart.get(oid, "")) for oid in graph.references_of(record))
    return (Link(oid) for oid in graph.references_of(record) if oid != NULL)
