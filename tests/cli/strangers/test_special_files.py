"""Links, pipes, folders and endless files in place of a repository's files: every verb ends soon, and in words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

VERBS = [
    ["ls"], ["status"], ["fsck"], ["add", "more.txt", "--name", "more"], ["gc"], ["checkout", "text", "-o", "out"],
    ["fsck", "--repair"], ["ls"], ["add", "more.txt", "--name", "again"], ["gc"],
]  # fmt: skip

RUN = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from artvcs.cli.main import run
codes = [run(verb) for verb in {json.dumps(VERBS)}]
[peak] = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")]
print([peak, *codes], file=sys.stderr)
"""


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def looping(path: Path) -> None:
    path.symlink_to(path.name)


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 20 << 30)


KINDS: list[Callable[[Path], None]] = [endless, dangling, looping, huge, os.mkfifo, os.mkdir]

PLACES = [
    "format", "root", ".gitignore", "ops/000000000003", "ops/000000000002", "ops/000000000004", "packs", "turn",
    "queue", "incoming/1-2-3.journal", "incoming/1-2-3.pack", "leases/1-2-3", "running/" + "ab" * 32, "cache.db",
    "reserve", "checkouts/1", "index/" + "ab" * 32, "trust/ab",
]  # fmt: skip
"""What is replaced; of `packs` the only pack. The newest op has the number 3."""

ALWAYS = {
    ("ops/000000000003", dangling), ("ops/000000000004", dangling), ("ops/000000000004", os.mkdir),
    ("packs", huge), ("root", os.mkfifo), ("format", endless),
}  # fmt: skip


def marks(place: str, kind: Callable[[Path], None]) -> Sequence[pytest.MarkDecorator]:
    """Some are always looked at, the others by `make faults`."""
    return () if (place, kind) in ALWAYS else (pytest.mark.faults,)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a small artifact, and one that is a pack of its own."""
    project = tmp_path_factory.mktemp("base")
    (project / "more.txt").write_text("more")
    (project / "text.txt").write_text("text")
    (project / "large").write_bytes(os.urandom(400_000))
    for words in (["init"], ["add", "text.txt", "--name", "text"], ["add", "large", "--name", "large"]):
        subprocess.run(
            [sys.executable, "-c", "import sys; from artvcs.cli.main import run; sys.exit(run(sys.argv[1:]))", *words],
            cwd=project, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    assert (project / ".artifacts/ops/000000000003").exists()
    assert not (project / ".artifacts/ops/000000000004").exists()
    return project


@pytest.mark.long
@pytest.mark.parametrize(
    ("place", "kind"),
    [
        pytest.param(place, kind, id=f"{kind.__name__}-{place}", marks=marks(place, kind))
        for kind in KINDS
        for place in PLACES
    ],
)
def test_every_verb_ends_soon_and_in_words(
    base: Path, tmp_path: Path, kind: Callable[[Path], None], place: str
) -> None:
    project = tmp_path / "project"
    shutil.copytree(base, project, symlinks=True)
    path = project / ".artifacts" / place
    if place == "packs":
        [path] = [each for each in path.rglob("*") if each.is_file()]
    if path.exists():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    kind(path)
    done = subprocess.run([sys.executable, "-c", RUN], cwd=project, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Unexpected" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    peak, *codes = json.loads(done.stderr.splitlines()[-1])
    assert peak <= 200 << 10
    assert codes[-3:] == [0, 0, 0], done.stderr  # after the repair all goes on
