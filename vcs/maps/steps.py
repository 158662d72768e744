"""The steps of a run: in its record where they are few, else in an ordered map, of which is read what is asked for.

Steps end by the thousand while the record is written again and again: so only the nodes of those that have ended since
are new each time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar, cast, overload

from ..errors import ArtError, DamagedError, UnknownName
from ..objects import canonical
from ..objects.kinds import Order, Parts, Run, StepRun
from ..objects.nodes import StepsNode
from ..objects.oid import Oid
from ..objects.records import Record
from .merkle import MapEntry, MerkleMap, Records, Shape

R = TypeVar("R", bound=Record)

STEPS = Shape(StepsNode, "step-name", bits=6)

FEW = 100
"""So many steps stand in the record of the run itself."""

LARGE, MANY_MARKS = 16 << 10, 2000
"""Of more bytes, or commas and opening brackets, also in texts, a step is an object of its own: so the nodes around it
stay within what a record may have, of which the longest has some hundred entries."""

Put = Callable[[Record], Oid]
"""Stores a new object."""

Change = tuple[StepRun | None, StepRun | None]


class Steps(Mapping[str, StepRun]):
    """The steps of a run that has many, by invocation id, in the order of these; read as they are asked for.

    Whatever asks for one raises DamagedError or UnknownName where it cannot be read.

    Args:
        records: Where they are read.
        root: The root of their map.
    """

    def __init__(self, records: Records, root: Oid) -> None:
        self.records = records
        self.root = root
        self._map = MerkleMap(records, root, STEPS)

    def __getitem__(self, name: str) -> StepRun:
        if (entry := self._map.find(name)) is None:
            raise KeyError(name)
        return self._step(entry)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._map.find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (entry[0] for entry in self._map.entries())

    def __len__(self) -> int:
        return self._map.count()

    def __eq__(self, other: object) -> bool:
        return self._map.root == other._map.root if isinstance(other, Steps) else super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]

    def items(self) -> ItemsView[str, StepRun]:
        """Names and steps."""
        return _Items(self)

    def values(self) -> ValuesView[StepRun]:
        """The steps."""
        return _Values(self)

    def each(self) -> Iterator[tuple[str, StepRun]]:
        """Name and step of each."""
        return ((entry[0], self._step(entry)) for entry in self._map.entries())

    def some(self, names: Iterable[str]) -> dict[str, StepRun]:
        """Those of some steps that there are; quicker than one by one."""
        found = self._map.first_of_each(names)
        return {name: self._step(entry) for name, entry in found.items() if entry[0] == name}

    @property
    def is_there(self) -> bool:
        """Whether they are there at all: not where the record was written anew since, and what it was is collected."""
        try:
            self._map.node(self.root)
        except UnknownName:
            return False
        except DamagedError:
            pass
        return True

    def readable(self, problems: list[ArtError]) -> Iterator[tuple[str, StepRun]]:
        """Name and step of each that can be read; why others cannot is added to `problems`."""
        pending, seen = [self._map.root], set[Oid]()
        while pending:
            if (oid := pending.pop()) is None or oid in seen:
                continue
            seen.add(oid)
            with _noted(problems):
                node = self._map.node(oid)
                if node.level:
                    pending.extend(Oid(entry[1]) for entry in reversed(node.entries))
                    continue
                for entry in node.entries:
                    with _noted(problems):
                        yield entry[0], self._step(entry)

    def changed(self, steps: Mapping[str, StepRun], put: Put) -> Oid:
        """The root of the map with these steps set; `put` stores the new nodes."""
        return _written(self._map, steps, put)

    def diff(self, old: Steps) -> Iterator[tuple[str, Change]]:
        """Name, old and new step of each that differs, in time proportional to their number."""
        for name, (before, after) in self._map.diff(old._map).items():
            yield name, (None if before is None else old._step(before), None if after is None else self._step(after))

    def _step(self, entry: MapEntry) -> StepRun:
        found = entry[1]
        return found if isinstance(found, StepRun) else self.records.record(Oid(found), StepRun)


class _Readable(Steps):
    """As `Steps`, where what cannot be read counts as absent: it hides none of the others."""

    def __getitem__(self, name: str) -> StepRun:
        try:
            return super().__getitem__(name)
        except (DamagedError, UnknownName):
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.each())

    def __len__(self) -> int:
        try:
            return super().__len__()
        except (DamagedError, UnknownName):
            return sum(1 for _ in self)

    def each(self) -> Iterator[tuple[str, StepRun]]:
        """Name and step of each that can be read."""
        return self.readable([])

    def some(self, names: Iterable[str]) -> dict[str, StepRun]:
        """Those of some steps that can be read."""
        names = list(names)
        try:
            return super().some(names)
        except (DamagedError, UnknownName):
            return {name: step for name in names if (step := self.get(name)) is not None}


class _Items(ItemsView[str, StepRun]):
    """Reads each node once."""

    _mapping: Steps

    def __iter__(self) -> Iterator[tuple[str, StepRun]]:
        return self._mapping.each()


class _Values(ValuesView[StepRun]):
    """Reads each node once."""

    _mapping: Steps

    def __iter__(self) -> Iterator[StepRun]:
        return (step for _, step in self._mapping.each())


class _Names(Sequence[str]):
    """The order of a run's steps, read when it is asked for.

    Args:
        records: Where.
        order: Its id.
        instead: What is there where it cannot be read.
    """

    def __init__(self, records: Records, order: Oid, instead: Iterable[str] | None = None) -> None:
        self._records = records
        self._order = order
        self._instead = instead

    @cached_property
    def _names(self) -> tuple[str, ...]:
        try:
            return self._records.record(self._order, Order).names
        except (DamagedError, UnknownName):
            if self._instead is None:
                raise
            return tuple(self._instead)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._names[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        return self._order == other._order if isinstance(other, _Names) else self._names == other

    __hash__ = None  # type: ignore[assignment]


def opened(records: Records, record: R) -> R:
    """A record that was just read; a run can be asked for its steps then, also where they are kept apart.

    Args:
        records: Where they are read when they are asked for.
        record: The record.
    """
    if not isinstance(record, Run) or record.parts is None:
        return record
    return cast(R, _with(record, records, record.parts))


def readable(run: Run, problems: list[ArtError]) -> Iterator[tuple[str, StepRun]]:
    """Name and step of each of an opened run that can be read; why others cannot is added to `problems`."""
    return run.steps.readable(problems) if isinstance(run.steps, Steps) else iter(run.steps.items())


def forgiving(record: R) -> R:
    """A record that was opened; of a run what cannot be read of its steps counts as absent."""
    if not isinstance(record, Run) or not isinstance(record.steps, Steps) or record.parts is None:
        return record
    steps = _Readable(record.steps.records, record.parts.steps)
    order = _Names(record.steps.records, record.parts.order, instead=steps)
    return cast(R, dataclasses.replace(record, steps=steps, order=order))


def some_steps(run: Run, names: Iterable[str]) -> Mapping[str, StepRun]:
    """Those of some steps of an opened run that there are."""
    if isinstance(run.steps, Steps):
        return run.steps.some(names)
    return {name: step for name in names if (step := run.steps.get(name)) is not None}


def has_steps(run: Run) -> bool:
    """Whether the steps of an opened run are there at all, see `Steps.is_there`."""
    return not isinstance(run.steps, Steps) or run.steps.is_there


def problem(run: Run) -> DamagedError | UnknownName | None:
    """Why not all steps of an opened run can be read; None where they can."""
    try:
        for _ in run.steps.values():
            pass
        len(run.order)
    except (DamagedError, UnknownName) as error:
        return error
    return None


def is_whole(run: Run) -> bool:
    """Whether all steps of an opened run can be read."""
    return problem(run) is None


def salvaged(run: Run, older: Run | None, records: Records, put: Put) -> Run:
    """A run without what of it cannot be read.

    Args:
        run: The run, opened, of which something that is kept apart is lost.
        older: An earlier record of it that is whole, if there is one.
        records: Where what was put can be read.
        put: Stores what is kept apart.
    """
    found = dict(readable(run, []))
    before = {} if older is None else older.steps
    try:
        order: Sequence[str] = tuple(run.order)
    except (DamagedError, UnknownName):
        order = older.order if older is not None else tuple(sorted(found))
    bare = dataclasses.replace(run, steps={}, order=order, parts=None)
    return with_steps(bare, {**before, **found}, records, put)


def with_steps(run: Run, steps: Mapping[str, StepRun], records: Records, put: Put) -> Run:
    """A run with these steps set, beside those that it has.

    Args:
        run: The run, as it was opened.
        steps: The steps by their invocation ids.
        records: Where what was put can be read.
        put: Stores what is kept apart.
    """
    if isinstance(run.steps, Steps) and run.parts is not None:
        root = run.steps.changed(steps, put)
        return _with(run, records, Parts(root, run.parts.order))
    together = {**run.steps, **steps}
    if len(together) <= FEW and not any(map(_is_large, steps.values())):
        return dataclasses.replace(run, steps=together)
    root = _written(MerkleMap(records, None, STEPS), together, put)
    return _with(run, records, Parts(root, put(Order(tuple(run.order)))))


def diff(new: Run, old: Run) -> Iterator[tuple[str, Change]]:
    """Name, old and new step of each that differs in two records of a run."""
    if isinstance(new.steps, Steps) and isinstance(old.steps, Steps):
        yield from new.steps.diff(old.steps)
        return
    for name in sorted({*new.steps, *old.steps}):
        before, after = old.steps.get(name), new.steps.get(name)
        if before != after:
            yield name, (before, after)


@contextmanager
def _noted(problems: list[ArtError]) -> Iterator[None]:
    """Notes what of the block cannot be read, and goes on."""
    try:
        yield
    except (DamagedError, UnknownName) as error:
        problems.append(error)


def _with(run: Run, records: Records, parts: Parts) -> Run:
    return dataclasses.replace(
        run, steps=Steps(records, parts.steps), order=_Names(records, parts.order), parts=parts
    )  # fmt: skip


def _written(old: MerkleMap, steps: Mapping[str, StepRun], put: Put) -> Oid:
    root = old.changed({name: (name, _entry(step, put)) for name, step in steps.items()}, put) or old.root
    assert root is not None, "of no steps there is no map"
    return root


def _entry(step: StepRun, put: Put) -> Any:
    return put(step) if _is_large(step) else step


def _is_large(step: StepRun) -> bool:
    if _is_surely_small(step):
        return False
    data = step.encode()
    return len(data) > LARGE or canonical.marks(data) > MANY_MARKS


def _is_surely_small(step: StepRun) -> bool:
    """Whether a glance says that a step is not large, as nearly always."""
    if step.failure is not None or step.metadata or step.left:
        return False
    inputs = [each for group in step.inputs.values() for each in group]
    texts = [step.step, step.status, *step.inputs, *step.outputs]
    texts += [each.name for each in inputs] + [each.name for each in step.outputs.values()]
    texts += [each.output for each in inputs if each.output is not None]
    parts = _PARTS + len(texts)
    letters = sum(map(len, texts))
    return parts * _MARKS_OF_ONE + letters < MANY_MARKS and parts * _BYTES_OF_ONE + letters * _BYTES_OF_LETTER < LARGE


_PARTS = 15
"""Fields of a step, and names of such."""

_MARKS_OF_ONE, _BYTES_OF_ONE, _BYTES_OF_LETTER = 4, 200, 6
"""At most, of what stands for a field or a text in a step; an input has two ids and the names of its fields."""
