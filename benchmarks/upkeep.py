"""Collecting garbage among a million objects, checking them, and checking large blobs beside hashing the same bytes.

Asked: a collection takes at most a minute and 500 MB, also where half of every pack is garbage; a check reads a
gigabyte a second, or as fast as the disk does. Each collection and each check is a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import blake3

OBJECTS = 1_000_000
IN_A_FOLDER = 100
TOGETHER = 1_000
"""So many versions are published at once."""

LARGE, BLOBS = 2 << 30, 16
ROUNDS = 3

MOST_SECONDS, MOST_MEMORY, LEAST_RATE = 60.0, 500.0, 1.0

_MAKE = """
import random, sys
from pathlib import Path
from artvcs.vcs.changes.intents import AddVersion, DeleteVersion
from artvcs.vcs.maps import ref_names
from artvcs.vcs.objects.kinds import Artifact, Version
from artvcs.vcs.objects.nodes import FILE, Entry, Tree
from artvcs.vcs.repository import Repository

folder, count, inside, together = Path(sys.argv[1]), *map(int, sys.argv[2:])
repository, chance = Repository.init(folder), random.Random(1)

def add(transaction, number):
    contents = [chance.randbytes(chance.randrange(30, 130)).hex().encode() for _ in range(inside)]
    blobs = zip(transaction.put_blobs(contents), contents)
    tree = Tree(0, tuple(Entry(f"{at:04d}", FILE, oid, len(data)) for at, (oid, data) in enumerate(blobs)))
    artifact = transaction.put(Artifact("folder", "folder", 1, transaction.put(tree), tree.size, False))
    transaction.add(AddVersion(Version(
        name=f"n{number % 100}", number=0, label=None, artifact=artifact, commit=None, output=None, run=None,
        origin="saved", created=0, tags=(), metadata={},
    ), {}))

for start in range(0, count, together):
    with repository.transaction("write") as transaction:
        for number in range(start, min(start + together, count)):
            add(transaction, number)
with repository.transaction("delete") as transaction:
    found = list(repository.refs().items(ref_names.ARTIFACTS))
    for ref, oid in found[::2]:
        transaction.add(DeleteVersion(ref_names.name_of(ref), ref_names.number_of(ref), oid))
"""

_LARGE = """
import os, sys
from pathlib import Path
from artvcs.vcs.repository import Repository

folder, size, count = Path(sys.argv[1]), *map(int, sys.argv[2:])
with Repository.init(folder).transaction("write") as transaction:
    for number in range(count):
        transaction.set_ref(f"tags/{number}", transaction.put_blob(os.urandom(size // count)))
"""

_MEASURE = """
import resource, sys, time
from pathlib import Path
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.check.fsck import fsck

began, folder = time.perf_counter(), Path(sys.argv[1])
{work}
used = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss, which begins with what the process had that started this one.
[peak] = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(time.perf_counter() - began, used.ru_utime + used.ru_stime, peak / 1000, said)
"""

_COLLECT = _MEASURE.format(
    work="plan = gc.collect(Repository(folder)).plan; said = f'{plan.dead} objects went, {plan.live} stayed'"
)
_CHECK = _MEASURE.format(work="said = f'{len(list(fsck(folder)))} problems'")


def run(code: str, *arguments: object) -> str:
    """What a Python process says that runs `code`."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def measured(title: str, code: str, folder: Path) -> None:
    """Prints what one process took."""
    seconds, busy, memory, said = run(code, folder).strip().split(maxsplit=3)
    verdict = "ok" if float(seconds) <= MOST_SECONDS and float(memory) <= MOST_MEMORY else "ABOVE"
    asked = f" (asked ≤ {MOST_SECONDS:g} s, {MOST_MEMORY:g} MB) {verdict}" if code == _COLLECT else ""
    print(
        f"{title:<26} {float(seconds):6.1f} s ({float(busy):.1f} s of processors), {float(memory):4.0f} MB: {said}"
        + asked,
        flush=True,
    )


def of_many(folder: Path) -> None:
    """Collecting and checking a million small objects, of which half is garbage."""
    begun = time.perf_counter()
    run(_MAKE, folder, OBJECTS // (IN_A_FOLDER + 3), IN_A_FOLDER, TOGETHER)
    print(f"{OBJECTS} objects written in {time.perf_counter() - begun:.0f} s", flush=True)
    measured("fsck before the collection", _CHECK, folder)
    measured("gc", _COLLECT, folder)
    measured("fsck after it", _CHECK, folder)


def of_large(folder: Path) -> None:
    """Checking large blobs, and the same bytes hashed and read by others."""
    run(_LARGE, folder, LARGE, BLOBS)
    packs = sorted(str(path) for path in folder.glob("packs/*/*"))
    size = sum(map(os.path.getsize, packs)) / 1e9
    candidates: dict[str, Callable[[], object]] = {
        "fsck": lambda: run(_CHECK, folder), "blake3": lambda: _hash(packs), "cat": lambda: _cat(packs),
    }  # fmt: skip
    for state, prepare in (("not in memory", _forget), ("in memory", _cat)):
        rates: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(ROUNDS):
            for name, candidate in candidates.items():
                prepare(packs)
                rates[name].append(size / _seconds(candidate))
        ours, hashed, read = (sorted(found)[ROUNDS // 2] for found in rates.values())
        asked = min(LEAST_RATE, read)
        print(
            f"fsck of {size:.1f} GB {state:<14} {ours:5.2f} GB/s   hashed by blake3 {hashed:5.2f}   read by cat "
            f"{read:5.2f} (asked ≥ {asked:.2f}) {'ok' if ours >= asked else 'BELOW'}",
            flush=True,
        )


def _seconds(candidate: Callable[[], object]) -> float:
    begun = time.perf_counter()
    candidate()
    return time.perf_counter() - begun


def _hash(paths: Sequence[str]) -> None:
    for path in paths:
        blake3.blake3(max_threads=blake3.blake3.AUTO).update_mmap(path).digest()


def _cat(paths: Sequence[str]) -> None:
    subprocess.run(["cat", *paths], check=True, stdout=subprocess.DEVNULL)


def _forget(paths: Sequence[str]) -> None:
    """Has the system forget what it keeps of files in memory."""
    for path in paths:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    """Prints the figures."""
    for measure in (of_many, of_large):
        with tempfile.TemporaryDirectory() as name:
            measure(Path(name) / ".artifacts")


if __name__ == "__main__":
    main()
