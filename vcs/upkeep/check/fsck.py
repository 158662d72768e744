"""Checking everything: every byte of every file, and that whatever is referred to is there.

Never changes and never deletes anything. Looks at one moment, so that writers beside it are no problem; where the
newest op is damaged, at the newest that can be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ...errors import ArtError, storage_errors
from ...repository import Repository
from ...storage.disk import leases
from ...storage.files import Files
from ...storage.layout import Layout, op_name, segment_name
from ...storage.op_log import OpLog
from ...storage.packs.pack import Pack
from ...storage.packs.segment import Segment
from . import log_look, strangers
from .log_look import LogLook
from .problem import Problem as Problem
from .references import check_references
from .survey import Progress, Survey

THREADS = 1 + (os.cpu_count() or 1)
"""One may wait for the disk while the others keep all processors busy."""


def fsck(folder: Path, progress: Progress = lambda _, __, ___: None) -> Iterator[Problem]:
    """Checks the repository in `folder` (the `.artifacts` folder itself).

    Args:
        folder: The repository.
        progress: Told how it goes.

    Yields:
        What is wrong; nothing for a repository that is whole.
    """
    with storage_errors(f"checking {folder}"):
        elsewhere = [Problem(path.name, what) for path, what in Layout(folder).wrong_folders()]
        yield from elsewhere
        if elsewhere:
            return
        try:
            repository = Repository(folder)
        except ArtError as error:
            yield Problem("format", str(error))
            return
        yield from strangers.small_files(repository.layout)
        lease = _lease(repository.layout)
        try:
            yield from _check(repository, lease, progress)
        finally:
            if lease is not None:
                lease.end()


def _lease(layout: Layout) -> leases.Lease | None:
    try:
        return leases.begin(layout.leases, 0)  # whatever was there before holds back everything
    except OSError:
        return None  # it can be read and not written: then nobody collects garbage here either


def _check(repository: Repository, lease: leases.Lease | None, progress: Progress) -> Iterator[Problem]:
    files = repository.store.files
    log = log_look.look(files)
    yield from log.problems()
    if log.head is None:
        yield Problem("ops", "no op can be read")
        return
    if lease is not None:
        lease.move(log.head.seq)
    with ThreadPoolExecutor(THREADS) as executor:
        survey = Survey(files, repository.layout, log.head, executor, progress)
        yield from _check_index(files, survey)
        yield from _check_packs(survey, log)
        yield from survey.check_lists()
        yield from strangers.strangers(repository.layout, files)
        progress("references", 1, 1)
        yield from check_references(survey)


def _check_packs(survey: Survey, log: LogLook) -> Iterator[Problem]:
    """Reads all that the moment names, and the other ops there are."""
    named = survey.names()
    yield from survey.read(named)
    others = {op_name(seq) for seq in log.entries} - set(named)
    for problem in survey.read(sorted(others)):
        if problem.where not in others or not survey.conditions[problem.where].missing:
            yield problem  # else it was cleaned up since


def _check_index(files: Files, survey: Survey) -> Iterator[Problem]:
    opened = {segment.name: segment for segment in survey.head.segments}
    for oid in survey.head.state.segments:
        name = segment_name(oid)
        try:
            segment = opened.get(oid) or Segment.open(files, name)
            if not segment.whole():
                yield Problem(name, "is damaged: its bytes do not match its name")
                continue
            yield from _check_rows(files, survey, segment)
        except FileNotFoundError:
            if OpLog(files).is_newest(survey.head.entry):  # else it may have been replaced since
                yield Problem(name, "is missing")
        except ArtError as error:
            yield Problem(name, str(error))


def _check_rows(files: Files, survey: Survey, segment: Segment) -> Iterator[Problem]:
    """That a segment says of each pack what the pack says of itself."""
    segment.check()
    sums = segment.sums()
    for number in sums:
        segment.pack_of(number)
    for number, name in enumerate(segment.packs):
        if name in survey.head.state.condemned:
            continue
        try:
            table = Pack.open(files, name).table
            if sums[number] != table.sums()[0]:
                yield Problem(segment_name(segment.name), f"does not list what {name} holds")
        except (FileNotFoundError, ArtError):
            continue  # named by itself
