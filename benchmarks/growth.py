"""What looking costs at 100,000 runs and versions beside 100, and publishing at 1,000,000 refs beside 1,000.

Looking is measured as whole processes, when the catalog is up to date; how long it takes to make it anew is said too.
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.repository import Repository
from tests.histories import run_name, write_runs

from . import measure

RUNS = 7
FEW, MANY = 100, 100_000
FEW_REFS, MANY_REFS = 1_000, 1_000_000
LIMIT = 1.5

VERBS = (
    ("ls",),
    ("ls", "model"),
    ("show", "model"),
    ("show", "model@50"),
    ("show", "sales"),  # which every run took
    ("show", run_name(50)),
    ("status",),
    ("log", "-n", "20"),
    ("log", "model", "-n", "20"),
    ("log", "--graph", "-n", "20"),
    ("why", "train"),
)

_TOGETHER = 100_000


def main() -> None:
    """Prints each verb at many runs beside few, and publishing at many refs beside few."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_with_runs(Path(folder), count) for count in (FEW, MANY))
        for verb in VERBS:
            times = measure.alternate(RUNS, *(partial(_art, place, *verb) for place in (many, few)))
            measure.compare(f"art {' '.join(verb)}", LIMIT, times[0], f"{FEW} runs", times[1])
    with tempfile.TemporaryDirectory() as folder:
        less, more = (_with_refs(Path(folder), count) for count in (FEW_REFS, MANY_REFS))
        times = measure.alternate(5 * RUNS, partial(_publish, more), partial(_publish, less))
        measure.compare("publishing one small change", LIMIT, times[0], f"{FEW_REFS} refs", times[1])


def _with_runs(folder: Path, count: int) -> Path:
    """A project with so many runs and versions, and its catalog."""
    project = folder / str(count)
    project.mkdir()
    start = time.perf_counter()
    write_runs(Repository.init(project / ".artifacts"), count)
    written = time.perf_counter()
    _art(project, "show", "model")
    print(f"{count} runs written in {written - start:.1f} s, catalog made in {time.perf_counter() - written:.1f} s")
    return project


def _with_refs(folder: Path, count: int) -> Repository:
    """A repository with so many refs, which all lead to one object."""
    repository = Repository.init(folder / str(count) / ".artifacts")
    for start in range(0, count, _TOGETHER):
        with repository.transaction("many refs") as transaction:
            oid = transaction.put_blob(b"one")
            for number in range(start, min(start + _TOGETHER, count)):
                transaction.set_ref(f"kept/{_key(number)}", oid)
    _publish(repository)
    return repository


def _publish(repository: Repository) -> float:
    """Milliseconds that it takes to set one ref."""
    start = time.perf_counter()
    with repository.transaction("one small change") as transaction:
        transaction.set_ref(f"kept/{_key(time.time_ns())}", transaction.put_blob(b"another"))
    return (time.perf_counter() - start) * 1000


def _key(number: int) -> Oid:
    return hash_bytes(b"%d" % number)


def _art(project: Path, *arguments: str) -> float:
    return measure.process(str(Path(sys.executable).with_name("art")), "-C", str(project), *arguments)
