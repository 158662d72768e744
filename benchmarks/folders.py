"""Adding a folder of 100,000 files beside Git, and one large file beside cp, made as durable.

`git status` is what one waits for to learn that nothing has changed. Each command is a process of its own; the part
of ours that is no start of Python is shown too.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import measure

FILES = 100_000
RUNS = 7
LARGE = 1 << 30

_ADD = """
import sys, time
from pathlib import Path
from artvcs.vcs import worktree
from artvcs.vcs.repository import Repository
repository = Repository.discover()
began = time.perf_counter()
known = worktree.StatCache(repository.cache, repository.store)
with repository.transaction("add") as transaction:
    entry = worktree.add_path(transaction, Path(sys.argv[1]), "data", known=known)
    transaction.set_ref("tags/added", entry.id)
print((time.perf_counter() - began) * 1000)
"""


def main() -> None:
    art = str(Path(sys.executable).with_name("art"))
    with tempfile.TemporaryDirectory() as place:
        for title, per_folder in (("flat", 0), ("1000 × 100", 100)):
            _folder(art, Path(place, title), title, per_folder)
        _large(art, Path(place, "large"))


def _folder(art: str, top: Path, title: str, per_folder: int) -> None:
    data = top / "data"
    paths = _make(data, per_folder)
    os.chdir(top)
    subprocess.run(["git", "init", "-q"], check=True)
    (top / ".git" / "info" / "exclude").write_text("/.artifacts\n")
    status = ["git", "status", "--porcelain"]
    git_add = measure.process("git", "add", "data")
    subprocess.run([*status[:1], *_AUTHOR, "commit", "-qm", "data"], check=True)
    ours = measure.process(art, "add", "data", "--name", "data")
    measure.compare(f"{title}: art add, the first time", 1, [ours], "git add", [git_add])

    def add() -> float:
        return measure.process(art, "add", "data", "--name", "data")

    def change() -> None:
        path = random.Random(time.time()).choice(paths)
        path.write_bytes(os.urandom(150))
        time.sleep(0.1)

    subprocess.run(status, check=True, stdout=subprocess.DEVNULL)
    add()
    _beside(f"{title}: nothing changed", add, status)
    _beside(f"{title}: nothing changed, less the start", lambda: _inside(data), status)
    stored = _stored(top)
    _beside(f"{title}: one file changed", add, status, change)
    _beside(f"{title}: one file changed, less the start", lambda: _inside(data), status, change)
    each = (_stored(top) - stored) / (2 * RUNS)
    print(f"{title}: stored for one changed file {each / 1000:.1f} KB (asked ≤ 100) {'ok' if each <= 1e5 else 'ABOVE'}")


def _beside(title: str, ours: Callable[[], float], status: list[str], change: Callable[[], object] = lambda: 0) -> None:
    def changed() -> float:
        change()
        return ours()

    mine, git = measure.alternate(RUNS, changed, lambda: measure.process(*status))
    measure.compare(title, 2, mine, "git status", git)


def _inside(data: Path) -> float:
    done = subprocess.run([sys.executable, "-c", _ADD, str(data)], check=True, capture_output=True, text=True)
    return float(done.stdout)


def _large(art: str, top: Path) -> None:
    top.mkdir()
    os.chdir(top)
    with open(top / "data", "wb") as file:
        for seed in range(LARGE >> 24):
            file.write(random.Random(seed).randbytes(1 << 24))

    def add() -> float:
        shutil.rmtree(top / ".artifacts", ignore_errors=True)
        measure.process(art, "init")
        return _inside(top / "data")

    def copy() -> float:
        (top / "copy").unlink(missing_ok=True)
        return measure.process("sh", "-c", "cp data copy && sync copy")

    ours, cp = measure.alternate(3, add, copy)
    measure.compare(f"one file of {LARGE >> 20} MiB, durably", 2, ours, "cp, sync", cp)


def _make(data: Path, per_folder: int) -> list[Path]:
    order, paths = random.Random(1), []
    for number in range(FILES):
        folder = data / f"{number // per_folder:04}" if per_folder else data
        if not per_folder or number % per_folder == 0:
            folder.mkdir(parents=True, exist_ok=True)
        paths.append(folder / f"image_{number:06}.bin")
        paths[-1].write_bytes(order.randbytes(100 + number % 200))
    return paths


def _stored(top: Path) -> int:
    folders = (top / ".artifacts" / name for name in ("packs", "ops"))  # the index is derived, and written now and then
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


_AUTHOR = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
