"""Many processes that publish at once: the throughput of all together, and a collector beside writers that never pause.

Each publishing is one small version. Asked: the total never falls below that of one process, every one is there in the
end, the collector ends every time, and no writer waits more than 100 ms for it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from artvcs.vcs.maps import ref_names
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep import gc

TOGETHER = 2000
ROUNDS = 3
SECONDS = 8.0

_WRITER = """
import sys, time
from pathlib import Path
from artvcs.vcs.changes.intents import AddVersion
from artvcs.vcs.objects.kinds import Artifact, Version
from artvcs.vcs.objects.nodes import Tree
from artvcs.vcs.repository import Repository

folder, me, count, seconds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
repository, slowest = Repository(folder), 0.0


def publish(number):
    begun = time.monotonic()
    with repository.transaction("write") as transaction:
        payload = transaction.put(Tree(0, ()))
        artifact = transaction.put(Artifact(f"t.{me}x{number}", "text", 1, payload, 0, False))
        transaction.add(AddVersion(Version(
            name=f"n{me}", number=0, label=None, artifact=artifact, commit=None, output=None, run=None, origin="saved",
            created=0, tags=(), metadata={},
        ), {}))
    return time.monotonic() - begun


publish(0)  # what only the first one needs is loaded
number = 1
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + seconds
while number < count if count else time.monotonic() < end:
    slowest, number = max(slowest, publish(number)), number + 1
print(number, slowest, flush=True)
"""


def write(folder: Path, processes: int, count: int = 0, seconds: float = 0.0) -> list[subprocess.Popen[str]]:
    """Starts so many writers, which wait for `go`."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(folder), str(me), str(count), str(seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for me in range(processes)
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    return started


def go(started: list[subprocess.Popen[str]]) -> None:
    """Lets all begin at the same moment."""
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def finish(started: list[subprocess.Popen[str]]) -> tuple[int, float]:
    """How many publishings there were, and the seconds that the slowest took."""
    answers = [process.communicate()[0].split() for process in started]
    return sum(int(answer[0]) for answer in answers), max(float(answer[1]) for answer in answers)


def throughput(place: Path, processes: int) -> float:
    """Publishings a second, all of them checked to be there; the repository in `place` is left there."""
    folder = place / ".artifacts"
    repository = Repository.init(folder)
    started = write(folder, processes, count=TOGETHER // processes)
    begun = time.perf_counter()
    go(started)
    done, _ = finish(started)
    took = time.perf_counter() - begun
    there = repository.refs().count(ref_names.ARTIFACTS)
    assert there == done == TOGETHER, (there, done)
    return done / took


def beside(*, collecting: bool) -> tuple[float, int]:
    """The slowest publishing of eight writers, in milliseconds, and how many collections ended meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / ".artifacts"
        repository = Repository.init(folder)
        started, ended = write(folder, 8, seconds=SECONDS), 0
        go(started)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if collecting:
                gc.collect(repository)
                ended += 1
            else:
                time.sleep(0.1)
        return finish(started)[1] * 1000, ended


def main() -> None:
    """Prints the figures."""
    rates: dict[int, list[float]] = {processes: [] for processes in (1, 2, 4, 8)}
    # Nothing is removed in between: some file systems make files more slowly for minutes after many were deleted.
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            for processes, found in rates.items():
                found.append(throughput(Path(folder) / f"{number}-{processes}", processes))
    one = sorted(rates[1])[ROUNDS // 2]
    for processes, found in rates.items():
        rate = sorted(found)[ROUNDS // 2]
        verdict = "ok" if rate >= one else "BELOW"
        print(f"{processes} writers: {rate:6.0f} publishings a second, {rate / one:.2f} of one (asked ≥ 1) {verdict}")
    without, _ = beside(collecting=False)
    slowest, ended = beside(collecting=True)
    verdict = "ok" if slowest - without <= 100 and ended else "ABOVE"
    print(
        f"8 writers, slowest publishing: {without:.0f} ms alone, {slowest:.0f} ms beside {ended} collections "
        f"(asked ≤ 100 ms more) {verdict}"
    )


if __name__ == "__main__":
    main()
