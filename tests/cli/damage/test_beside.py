"""Eight writers, `art gc`, `art fsck` and `art log` at once, again and again: nothing is lost, no alarm is false."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from artvcs.vcs.maps import versions
from artvcs.vcs.repository import Repository

from ...vcs.helpers import outputs, problems, process, tags
from ...vcs.helpers import versions as versions_of

WRITERS = 8
KEPT = 2
"""Rounds after which a writer deletes what it wrote, so that there is always garbage."""

WRITE = """
from artvcs.vcs.changes.intents import DeleteRun, DeleteVersion
repository, me, KEPT, written = Repository(Path(args[0])), args[1], int(args[2]), []

def text_of(number):
    return f"{me} {number} " + random_text(number % 7, 160_000) * (number % 4 == 0)

for number, _ in enumerate(sys.stdin):
    with repository.transaction("write") as transaction:
        put_text_in(transaction, f"tags/{me}/{number}", text_of(number))
        put_run(transaction, a_run(f"{me}-{number}", "completed", started=number))
        version = add_version(transaction, "model", f"{me}x{number}")
        if number >= KEPT:
            old = written.pop(0)
            transaction.set_ref(f"tags/{me}/{number - KEPT}", None)
            transaction.add(DeleteRun(f"{me}-{number - KEPT}"))
            of_old = version_refs.by_value(transaction, "model", old)
            transaction.add(DeleteVersion("model", of_old.number, of_old.oid))
        written.append(version.artifact)
    looking = Repository(Path(args[0]))
    for kept in range(max(0, number - KEPT + 1), number + 1):
        assert looking.store.read(tags(looking)[f"tags/{me}/{kept}"], "blob").decode() == text_of(kept), kept
        assert version_refs.by_value(looking.refs(), "model", written[kept - number - 1]) is not None, kept
    print("written", flush=True)
"""

COMMAND = """
import contextlib, io, json
from artvcs.cli import main
os.chdir(args[0])
for _ in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main.run(args[1:])
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


@pytest.mark.parametrize("rounds", [20, pytest.param(1000, marks=pytest.mark.faults)])
def test_writers_a_collector_a_checker_and_a_reader(tmp_path: Path, rounds: int) -> None:
    """In each round everybody does one thing, all at once; the next begins when the last of them has ended."""
    folder = tmp_path / ".artifacts"
    Repository.init(folder)
    writers = [process(WRITE, folder, number, KEPT) for number in range(WRITERS)]
    collector = process(COMMAND, tmp_path, "gc", "--max-unused", "0", "--json")
    checker = process(COMMAND, tmp_path, "fsck", "--json")
    reader = process(COMMAND, tmp_path, "log", "-n", 1000, "--json")
    everybody = [*writers, collector, checker, reader]
    for number in range(rounds):
        for each in everybody:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        assert [line_of(each) for each in writers] == ["written\n"] * WRITERS, number
        assert told(collector)["lost"] == {}, number
        assert told(checker) == [], number
        found = told(reader)
        assert not any("damaged" in run for run in found), number
        # What this round deletes and writes may be there or not.
        certain = {f"{writer}-{number - 1}" for writer in range(WRITERS)} if number else set()
        possible = {f"{writer}-{before}" for writer in range(WRITERS) for before in range(number - KEPT, number + 1)}
        assert certain <= {run["id"] for run in found} <= possible, number
    outputs(everybody)
    check_nothing_lost(folder, rounds)


def line_of(writer: subprocess.Popen[str]) -> str:
    assert writer.stdout is not None
    assert writer.stderr is not None
    return writer.stdout.readline() or writer.stderr.read()


def told(command: subprocess.Popen[str]) -> Any:
    """What a command wrote as JSON; that it ended well, and said nothing else."""
    code, out, err = json.loads(line_of(command))
    assert (code, err) == (0, ""), out
    return json.loads(out)


def check_nothing_lost(folder: Path, rounds: int) -> None:
    repository, last = Repository(folder), range(rounds - KEPT, rounds)
    assert problems(folder) == []
    assert tags(repository).keys() == {f"tags/{writer}/{number}" for writer in range(WRITERS) for number in last}
    assert len(versions_of(repository, "model")) == WRITERS * KEPT
    assert versions.last_number(repository.refs(), "model") == WRITERS * rounds
