"""Errors are one sentence, with an exit code from one table."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from artvcs.cli import errors
from artvcs.pipelines.errors import RunFailed
from artvcs.vcs.errors import ArtError, DiskFull

from ..conftest import Art

PROJECT = Path(__file__).parents[3]


def subclasses(kind: type[ArtError]) -> set[type[ArtError]]:
    return {kind}.union(*(subclasses(each) for each in kind.__subclasses__()))


def test_the_table_in_the_guide_is_the_table_in_the_code() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", (PROJECT / "docs/exit-codes.md").read_text(), re.M)}
    given = {errors.exit_code(kind.__new__(kind)) for kind in subclasses(ArtError)}
    ended = {errors.BY_SIGNAL + each for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    assert documented == given | {errors.OK, errors.USAGE} | ended


def test_the_guide_names_the_errors_of_each_code() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| `(\w+)` \|$", (PROJECT / "docs/exit-codes.md").read_text(), re.M)
    assert {name: int(code) for code, name in rows} == {kind.__name__: code for kind, code in errors.CODES}


def test_a_run_that_failed_for_lack_of_space_ends_as_such() -> None:
    failed = RunFailed("Step 'x' failed", FailedRun())
    assert errors.exit_code(failed) == errors.FAILED
    failed.__cause__ = DiskFull("No space is left")
    assert errors.exit_code(failed) == errors.STORAGE


class FailedRun:
    name = "x-1"
    tracebacks: Mapping[str, str] = MappingProxyType({})


def check(art: Art, arguments: list[str], code: int, sentence: str) -> None:
    done = art(*arguments)
    assert done.code == code
    [line] = done.err.strip().splitlines()
    assert line.startswith("error: ")
    assert sentence in line
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["log"], 4, "There is no artifact repository"),
        (["fsck"], 4, "There is no artifact repository"),
        (["run", "missing.py"], 3, "There is no file 'missing.py'"),
        (["run", "adding.py:nothing"], 3, "has no pipeline 'nothing'; it has adding"),
        (["run", "adding.py", "-p", "nothing=1"], 1, "has no parameter 'nothing'; it has count, label"),
        (["run", "adding.py", "-p", "count=many"], 1, "count"),
        (["run", "adding.py", "-p", "count=1", "-p", "count=2"], 1, "-p count=1 and -p count=2 give the parameter"),
        (["run", "adding.py", "-p", "count=1", "-p", "count=1"], 1, "-p count=1 and -p count=1 give the parameter"),
        (["add", "missing.csv", "--name", "x"], 3, "There is no file or folder"),
    ],
)
def test_in_an_empty_project(art: Art, arguments: list[str], code: int, sentence: str) -> None:
    check(art, arguments, code, sentence)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["add", "adding.py", "--name", "a@b"], 1, "contains '@'"),
        (["show", "totl"], 3, "did you mean 'total'?"),
        (["show", "total@9"], 3, "has no version '9'; it has 1"),
        (["show", "total@main"], 3, "no Git repository"),
        (["show", "ffffffffffff"], 3, "There is no artifact, run or object"),
        (["show", "adding-"], 3, "could be adding-"),
        (["why", "nothing"], 3, "No run has a step 'nothing'"),
        (["checkout", "nothing"], 3, "There is no artifact named 'nothing'"),
        (["rm", "nothing"], 3, "There is no run or artifact"),
    ],
)
def test_with_a_repository(art: Art, arguments: list[str], code: int, sentence: str) -> None:
    art("run", "adding.py")
    art("run", "adding.py", "-p", "count=3")
    check(art, arguments, code, sentence)


def test_a_damaged_newest_change(art: Art, project: Path) -> None:
    art("init")
    newest = max((project / ".artifacts" / "ops").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    check(art, ["ls"], 5, "is damaged; run `art fsck --repair`")


def test_a_newer_format(art: Art, project: Path) -> None:
    from artvcs.vcs.storage.disk.registers import write_register

    art("init")
    folder = project / ".artifacts"
    write_register(folder / "format", {"read": 99, "write": 99, "gc": 99}, folder / "tmp")
    check(art, ["ls"], 4, "upgrade artvcs")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("def broken(:\n", "broken.py, line 1"),
        ("import nothing_of_that_name\n", "ModuleNotFoundError"),
        ("x = 1 / 0\n", "broken.py:1"),
        ("x = 1\n", "has no pipeline"),
        ("from artvcs import step\n@step\ndef f(*args): pass\n", "takes *args"),
    ],
)
def test_a_file_that_cannot_be_run(art: Art, project: Path, code: str, sentence: str) -> None:
    (project / "broken.py").write_text(code)
    check(art, ["run", "broken.py"], 1, sentence)


def test_a_file_with_several_pipelines_asks_for_one(art: Art, project: Path) -> None:
    file = project / "adding.py"
    file.write_text(file.read_text() + "\n@pipeline\ndef other():\n    numbers(1)\n")
    check(art, ["run", "adding.py"], 1, "adding.py:adding, adding.py:other")
    assert art("run", "adding.py:other").code == 0


def test_a_failing_step_says_where(art: Art, project: Path) -> None:
    file = project / "adding.py"
    file.write_text(file.read_text().replace("return sum(values) * FACTOR", "raise ValueError('no sum today')"))
    done = art("run", "adding.py")
    assert done.code == 1
    last = done.err.strip().splitlines()[-1]
    assert last.startswith("error: Step 'total' failed: ValueError: no sum today")
    assert "adding.py:" in last
    assert last.index("adding.py:") < last.index("; mend it")


def test_a_failed_run_as_json(art: Art, project: Path) -> None:
    file = project / "adding.py"
    file.write_text(file.read_text().replace("return sum(values) * FACTOR", "raise ValueError('no sum today')"))
    done = art("run", "adding.py", "--json")
    assert done.code == 1
    assert done.json["status"] == "failed"
    failure = done.json["steps"]["total"]["failure"]
    assert (failure["type"], failure["message"]) == ("ValueError", "no sum today")
    assert failure["traceback"].startswith("Traceback (most recent call last):")
    assert done.json["steps"]["unnamed"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["frobnicate"], "No such command 'frobnicate'; `art --help`"),
        (["undo"], "No such command 'undo'; `art --help`"),
        (["chekout", "x"], "No such command 'chekout' (did you mean 'checkout'?); `art --help`"),
        (["diff", "x"], "There is no `art diff`; `art why STEP` says what changed since the run before"),
        (["push", "--to"], "Option '--to' requires an argument; `art push --help`"),
        (["tag", "x", "y", "-m"], "Option '-m' requires an argument; `art tag --help`"),
        (["run"], "Missing argument 'FILE[:PIPELINE]'; `art run --help`"),
        (["log", "--frob"], "No such option '--frob'"),
        (["log", "--jso"], "No such option '--jso' (did you mean '--json'?); `art log --help`"),
        (["log", "-q"], "No such option '-q' of this verb; write `art -q log …`"),
        (["log", "-n", "0"], "`art log --help`"),
        (["-C", "/no/such/folder", "ls"], "No such file or directory"),
    ],
)
def test_a_command_line_that_cannot_be_understood(art: Art, arguments: list[str], sentence: str) -> None:
    check(art, arguments, 2, sentence)


def test_debug_shows_the_traceback(art: Art) -> None:
    assert "Traceback" in art("--debug", "show", "nothing").err


def test_help_is_a_verb_too(art: Art) -> None:
    assert art("help").out == art("--help").out
    assert art("help", "ls").out == art("ls", "--help").out


def test_a_name_that_many_runs_begin_with(art: Art) -> None:
    for number in range(5):
        assert art("run", "adding.py", "-p", f"count={number}").code == 0
    refused = art("rm", "addin").err
    assert refused.count("adding-") == 3
    assert ", and more; give its id." in refused
