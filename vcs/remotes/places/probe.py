"""What a place elsewhere really guarantees, found out by using it as several writers at once do.

A place that ignores conditions passes any test in which one asks after the other, and loses changes once two push at
the same time. So writers race here, and only what was seen counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Barrier
from typing import Protocol, TypeVar, runtime_checkable

from ...errors import RemoteError
from ...storage.files import Files
from ...storage.layout import PROBE
from .far_files import not_kept

T = TypeVar("T")

RACERS = 16
"""So many writers race for one name."""

_ROUNDS = 3
_LARGE = 6 << 20
"""Bytes of an upload in two parts: no store takes smaller ones than 5 MiB but the last."""


@runtime_checkable
class Swaps(Protocol):
    """A place that can replace a file only if it is as it was."""

    def swap(self, name: str, data: bytes, tag: str) -> str | None:
        """Replaces a file whose tag is `tag`; returns its new tag, or None where it was another."""

    def tag(self, name: str) -> str:
        """A file's tag, as the place says it."""

    def put_in_parts(self, name: str, data: bytes) -> None:
        """Puts a file in several parts."""

    def clock(self, name: str) -> float:
        """When a file was written by the place's own clock, in seconds since 1970."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: What it is, in a few words.
        holds: Whether the place does it; None where it was not to be found out.
        detail: What was seen.
        needed: Whether pushing needs it.
    """

    what: str
    holds: bool | None
    detail: str
    needed: bool = False


@dataclass(frozen=True)
class Guarantees:
    """What a place was seen to do."""

    findings: tuple[Finding, ...]

    @property
    def refusal(self) -> str | None:
        """Why nothing can be pushed there; None where it can."""
        failed = next((each for each in self.findings if each.needed and not each.holds), None)
        return None if failed is None else f"{failed.what}: {failed.detail}"


def probe(files: Files) -> Guarantees:
    """Looks at what a place does, in about a hundred requests; what it writes there for that it removes.

    Raises:
        RemoteError: It cannot be reached, or refuses to be written, or does not keep what is written.
    """
    folder = f"{PROBE}/{os.urandom(8).hex()}"
    try:
        return Guarantees(tuple(_findings(files, folder)))
    except FileNotFoundError as error:
        raise not_kept("The remote", error.filename) from error
    finally:
        _clean(files, folder)


def _findings(files: Files, folder: str) -> Iterator[Finding]:
    yield _create_only(files, folder)
    yield _ranges(files, folder)
    yield _listing(files, folder)
    if isinstance(files, Swaps):
        yield _swapping(files, files, folder)
        yield _parts(files, files, folder)
        yield _clock(files, files, folder)


def _create_only(files: Files, folder: str) -> Finding:
    what = "creating a file only if it is not there"
    for number in range(_ROUNDS):
        name = f"{folder}/create-{number}"
        won = _race(lambda me, name=name: files.create(name, b"%d" % me))  # type: ignore[misc]
        winners = [me for me, created in enumerate(won) if created]
        if len(winners) != 1:
            return Finding(what, False, f"{len(winners)} of {RACERS} writers at once were told that they had", True)
        if files.read(name) != b"%d" % winners[0]:
            return Finding(what, False, "what is there is another writer's than the one who was told so", True)
        if files.create(name, b"late") or files.read(name) == b"late":
            return Finding(what, False, "a second writer replaced what the first had created", True)
    return Finding(what, True, f"of {RACERS} writers at once one succeeds, {_ROUNDS} times", True)


def _ranges(files: Files, folder: str) -> Finding:
    data = os.urandom(4096)
    files.put(f"{folder}/ranges", data)
    asked = ((0, 10), (5, 100), (4090, 100), (4095, 1))
    holds = all(
        files.read(f"{folder}/ranges", start, length) == data[start : start + length] for start, length in asked
    )
    return Finding("reading parts of a file", holds, "each is what it should be" if holds else "they are wrong", True)


def _listing(files: Files, folder: str) -> Finding:
    missed = 0
    for number in range(5):
        files.put(f"{folder}/list/{number}", b"x")
        missed += f"{folder}/list/{number}" not in set(files.list(f"{folder}/list"))
    detail = f"{missed} of 5 new files were not listed" if missed else "new files are listed at once"
    return Finding("listing what was written", not missed, detail)


def _swapping(files: Files, swaps: Swaps, folder: str) -> Finding:
    what, name = "replacing a file only if it is as it was", f"{folder}/swap"
    accepted: list[str] = []
    for how, form in (("quoted", '"{}"'), ("unquoted", "{}")):
        files.put(name, b"first")
        before = swaps.tag(name).strip('"')
        with suppress(RemoteError):
            swapped = swaps.swap(name, b"second", form.format(before)) is not None
            stale = swaps.swap(name, b"third", form.format(before)) is not None
            if stale:
                return Finding(what, False, "a stale writer replaced what another had written")
            accepted += [how] if swapped else []
    if not accepted:
        return Finding(what, False, "it is refused")
    form = '"{}"' if "quoted" in accepted else "{}"
    files.put(name, b"first")
    tag = form.format(swaps.tag(name).strip('"'))
    winners = sum(_race(lambda me: swaps.swap(name, b"by %d" % me, tag) is not None))
    if winners != 1:
        return Finding(what, False, f"{winners} of {RACERS} writers at once were told that they had")
    return Finding(what, True, f"of {RACERS} writers at once one succeeds; the tag is to be {' or '.join(accepted)}")


def _parts(files: Files, swaps: Swaps, folder: str) -> Finding:
    data = os.urandom(1 << 20) * (_LARGE >> 20)
    try:
        swaps.put_in_parts(f"{folder}/parts", data)
    except RemoteError as error:
        return Finding("uploading in parts", False, str(error), True)
    holds = files.read(f"{folder}/parts") == data
    return Finding("uploading in parts", holds, "whole" if holds else "what is there is not what was sent", True)


def _clock(files: Files, swaps: Swaps, folder: str) -> Finding:
    before = time.time()
    files.put(f"{folder}/clock", b"x")
    there, after = swaps.clock(f"{folder}/clock"), time.time()
    # Most say whole seconds.
    off = max(0.0, before - 1 - there, there - after - 1)
    return Finding("its clock", off < 60, f"{off:.0f} s off this machine's" if off else "agrees with this machine's")


def _race(run: Callable[[int], T]) -> list[T]:
    """What writers that begin at the same moment are told."""
    start = Barrier(RACERS)

    def racer(me: int) -> T:
        start.wait()
        return run(me)

    with ThreadPoolExecutor(RACERS) as pool:
        try:
            return list(pool.map(racer, range(RACERS)))
        finally:
            start.abort()  # who is interrupted must not wait for those that have not begun


def _clean(files: Files, folder: str) -> None:
    with suppress(RemoteError):  # who may not delete leaves a few bytes
        for name in list(files.list(folder)):
            files.delete(name)
