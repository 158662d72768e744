"""Links in a repository, which a stranger may have put there: what they lead to is not written, moved or deleted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

VERBS = [
    ["ls"], ["status"], ["add", "more.txt", "--name", "more"], ["gc"], ["checkout", "text", "-o", "out"],
    ["rm", "text"], ["fsck"], ["fsck", "--repair"], ["ls"], ["add", "more.txt", "--name", "again"], ["gc"],
]  # fmt: skip
BEFORE_REPAIR, AFTER_REPAIR = 7, 3

RUN = f"""
import json
from artvcs.cli.main import run
print(json.dumps([run(verb) for verb in {json.dumps(VERBS)}]))
"""

DATA = ("ops", "packs", "index")
OTHERS = ("incoming", "leases", "running", "tmp", "quarantine", "checkouts", "workspace", "trust")
FILES = (
    "repair", "reserve", "turn", "queue", "root", "cache.db", "cache.db-journal", ".gitignore", "format", "cleaned",
    "incoming/1-2-3.journal", "incoming/1-2-3.pack", "leases/1-2-3", "checkouts/" + "ab" * 8, "trust/ab",
    "running/" + "ab" * 32, "ops/000000000002", "ops/000000000003", "ops/000000000004", "index/" + "ab" * 32,
)  # fmt: skip
LONG_AGO = 1_000_000_000


def some(names: Iterable[str], *always: str) -> list[object]:
    """Some are always looked at, the others by `make faults`."""
    return [pytest.param(name, marks=() if name in always else (pytest.mark.faults,)) for name in names]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two small artifacts: its newest op has the number 3."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "more.txt").write_text("more")
    (project / "text.txt").write_text("text")
    art(project, [["init"], ["add", "text.txt", "--name", "text"], ["add", "more.txt", "--name", "more"]])
    return project


def art(project: Path, verbs: list[list[str]] = VERBS) -> tuple[list[int], str]:
    """The exit codes of the verbs, and what they said."""
    code = RUN.replace(json.dumps(VERBS), json.dumps(verbs))
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Unexpected" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All files below a folder: which file it is, and what is in it."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.read_bytes()) for path in files}


@pytest.mark.long
@pytest.mark.parametrize("name", some([*DATA, *OTHERS], "packs", "leases", "tmp"))
def test_a_folder_that_lies_elsewhere_is_refused_and_what_is_there_stays(
    project: Path, tmp_path: Path, name: str
) -> None:
    elsewhere, inside = tmp_path / "elsewhere", project / ".artifacts" / name
    inside.mkdir(exist_ok=True)
    shutil.move(inside, elsewhere)
    (elsewhere / "thesis.txt").write_text("five years of work")
    (elsewhere / "0").mkdir()
    (elsewhere / "0" / "photo").write_text("the only one")
    for path in [*elsewhere.rglob("*"), elsewhere]:
        os.utime(path, (LONG_AGO, LONG_AGO))
    inside.symlink_to(elsewhere)
    before = contents(elsewhere)

    codes, said = art(project)

    assert contents(elsewhere) == before
    assert all(codes[:BEFORE_REPAIR])
    assert f"{inside} is a link" in said
    if name in DATA:
        assert all(codes), "the data is not here: only its owner can say where it is"
        inside.unlink()
        shutil.copytree(elsewhere, inside)
        (elsewhere / "thesis.txt").unlink()
        shutil.rmtree(inside / "0")
        (inside / "thesis.txt").unlink()
        assert art(project)[0] == [0] * len(VERBS)
    else:
        assert codes[-AFTER_REPAIR:] == [0] * AFTER_REPAIR


@pytest.mark.long
@pytest.mark.parametrize("name", some(OTHERS, "quarantine"))
def test_a_file_in_place_of_a_folder_is_set_aside(project: Path, name: str) -> None:
    inside = project / ".artifacts" / name
    shutil.rmtree(inside, ignore_errors=True)
    inside.write_text("in the way")
    codes, said = art(project)
    assert all(codes[:BEFORE_REPAIR])
    assert f"{inside} is no folder" in said
    assert codes[-AFTER_REPAIR:] == [0] * AFTER_REPAIR
    assert [path.read_text() for path in (project / ".artifacts" / "quarantine").iterdir()] == ["in the way"]


@pytest.mark.long
@pytest.mark.parametrize("name", some(FILES, "repair", "running/" + "ab" * 32, "ops/000000000003"))
def test_a_file_that_lies_elsewhere_stays_as_it_is(project: Path, tmp_path: Path, name: str) -> None:
    elsewhere, inside = tmp_path / "elsewhere", project / ".artifacts" / name
    elsewhere.mkdir()
    inside.parent.mkdir(exist_ok=True)
    if inside.exists():
        shutil.move(inside, elsewhere / "file")
    else:
        (elsewhere / "file").write_text("five years of work")
    inside.symlink_to(elsewhere / "file")
    before = contents(elsewhere)
    codes, _ = art(project)
    assert contents(elsewhere) == before
    assert codes[-AFTER_REPAIR:] == [0] * AFTER_REPAIR


@pytest.mark.long
def test_a_folder_of_packs_that_lies_elsewhere_is_not_written_to(project: Path, tmp_path: Path) -> None:
    """Another repository's, say, whose packs a forged state could have deleted."""
    (tmp_path / "elsewhere").mkdir()
    packs = project / ".artifacts" / "packs"
    for number in range(256):
        shutil.rmtree(packs / f"{number:02x}", ignore_errors=True)
        (packs / f"{number:02x}").symlink_to(tmp_path / "elsewhere")
    (project / "more.txt").write_bytes(os.urandom(1 << 20))
    codes, said = art(project)
    assert not list((tmp_path / "elsewhere").iterdir())
    assert codes[2], "it was not to be stored there"
    assert "is a link" in said
    assert codes[-AFTER_REPAIR:] == [0] * AFTER_REPAIR
