"""`art why`: what changed since the execution before. The project is a file that is edited between runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.cache.reasons import Reason, reasons_seen
from artvcs.vcs import Code, Commit, Oid

PROJECT = """
import json, sys
from artvcs import CachePolicy, Client, pipeline, save_artifact, step
from artvcs.pipelines.cache.explain import explain

RATE = 2

def scaled(x):
    return x * RATE

@step
def first(n: int) -> int:
    return scaled(n)

@step(cache=CachePolicy(files=["notes.txt"], env=["MODE"]))
def second(x: int) -> int:
    return x // 100

@step
def third(x: int) -> int:
    return x + Client().get_artifact_version("offset").load()

@pipeline
def work(n: int = 1):
    third(second(first(n)))

if __name__ == "__main__":
    n, offset = int(sys.argv[1]), int(sys.argv[2])
    save_artifact(offset, name="offset")
    work(n)
    found = {name: explain(Client().repository, name) for name in ("first", "second", "third")}
    print(json.dumps({name: [e.status, e.summary, [vars(r) for r in e.reasons]] for name, e in found.items()}))
"""


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "work.py"
        self.file.write_text(PROJECT)
        (folder / "notes.txt").write_text("one")

    def run(self, n: int = 1, offset: int = 5, **environment: str) -> dict[str, Any]:
        command = [sys.executable, "work.py", str(n), str(offset)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True, env=environment)
        answers: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answers

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    first = made.run()
    assert [first[step][1] for step in first] == ["It ran for the first time."] * 3
    return made


def kinds(answer: list[Any]) -> list[tuple[str, str]]:
    return [(reason["kind"], reason["subject"]) for reason in answer[2]]


def test_nothing_changed(project: Project) -> None:
    answers = project.run()
    assert [answers[step][0] for step in answers] == ["cached"] * 3
    assert "It was reused" in answers["first"][1]


def test_a_parameter_changed_and_early_cut_off_spares_the_rest(project: Project) -> None:
    answers = project.run(n=7)
    assert kinds(answers["first"]) == [("parameter", "n")]
    assert answers["first"][2][0]["old"] == "1"
    assert answers["first"][2][0]["new"] == "7"
    assert kinds(answers["second"]) == [("input", "x")]
    assert "first" in answers["second"][2][0]["new"]
    assert answers["third"][0] == "cached"


def test_a_constant_that_a_helper_uses_changed(project: Project) -> None:
    project.edit("RATE = 2", "RATE = 3")
    answers = project.run()
    assert kinds(answers["first"]) == [("code", "work.py::RATE")]
    assert "-RATE = 2\n+RATE = 3" in answers["first"][2][0]["diff"]
    assert "its code" in answers["first"][1]


def test_that_edited_code_uses_another_package_stands_in_its_lines(project: Project) -> None:
    project.edit("    return x * RATE", "    import numpy\n    return int(numpy.multiply(x, RATE))")
    assert kinds(project.run()["first"]) == [("code", "work.py::scaled")]


def test_a_file_of_the_cache_policy_changed(project: Project) -> None:
    (project.folder / "notes.txt").write_text("two")
    assert kinds(project.run()["second"]) == [("file", "notes.txt")]


def test_an_environment_variable_changed_and_its_value_is_not_told(project: Project) -> None:
    answers = project.run(MODE="secret-token")
    assert kinds(answers["second"]) == [("env", "MODE")]
    assert "secret-token" not in json.dumps(answers)


def test_an_artifact_that_the_step_reads_has_a_new_version(project: Project) -> None:
    answers = project.run(offset=6)
    assert kinds(answers["third"]) == [("read", "offset")]
    assert answers["third"][2][0]["new"].startswith("offset@2")


READER = """
import sys
from pathlib import Path
from artvcs import Client, pipeline, step
from artvcs.pipelines.cache.explain import explain

@step
def read(n: int) -> str:
    return Path("a.txt").read_text() + Path("b.txt").read_text() + str(n)

@pipeline
def reading(n: int = 1):
    read(n)

if __name__ == "__main__":
    reading.with_options(run_all=sys.argv[2:] == ["anew"])(int(sys.argv[1]))
    found = explain(Client().repository, "read")
    print(found.summary, "|", ", ".join(f"{each.kind} {each.subject}" for each in found.reasons))
"""


def _said(folder: Path, *arguments: str, file: str = "reader.py") -> str:
    done = subprocess.run([sys.executable, file, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    (tmp_path / "reader.py").write_text(READER)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("1")
    return tmp_path


@pytest.mark.long
def test_what_was_used_last_is_what_is_compared_with(reader: Path) -> None:
    _said(reader, "1")
    (reader / "a.txt").write_text("2")
    _said(reader, "1")
    (reader / "a.txt").write_text("1")
    assert _said(reader, "1").startswith("It was reused")
    (reader / "b.txt").write_text("5")
    assert _said(reader, "1").endswith("| file b.txt"), "a.txt is what it was in the run before"


def test_code_that_only_stands_elsewhere_is_no_reason(reader: Path) -> None:
    _said(reader, "1")
    (reader / "reader.py").rename(reader / "renamed.py")
    assert _said(reader, "1", file="renamed.py").startswith("It was reused")
    assert _said(reader, "2", file="renamed.py").endswith("| parameter n")


@pytest.mark.long
def test_a_run_without_cache_says_that_this_is_why(reader: Path) -> None:
    _said(reader, "1")
    assert _said(reader, "1", "anew") == "It ran because caching was off for it. |"
    said = _said(reader, "2", "anew")
    assert said.startswith("It ran because caching was off for it; a parameter changed since the run reading-")
    assert said.endswith(", too. | parameter n")


def test_what_comes_into_a_folder_is_told_as_such(reader: Path) -> None:
    (reader / "data").mkdir()
    code = READER.replace('Path("a.txt").read_text()', 'str(len(list(Path("data").iterdir())))')
    (reader / "reader.py").write_text(code)
    _said(reader, "1")
    (reader / "data" / "c.csv").write_text("")
    said = _said(reader, "1")
    assert said.startswith("It ran because a folder changed since the run ")
    assert said.endswith("| folder data")


@pytest.mark.long
@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("raise KeyboardInterrupt", "It was interrupted while it ran; it runs again next time."),
        ("import os; os.kill(os.getpid(), 9)", "The step 'read' has not ended in any run; reading-"),
    ],
)
def test_a_step_that_was_interrupted_or_killed_is_said_to_be(reader: Path, ending: str, said: str) -> None:
    (reader / "reader.py").write_text(READER.replace("    return Path", f"    {ending}\n    return Path"))
    subprocess.run([sys.executable, "reader.py", "1"], cwd=reader, capture_output=True, check=False)
    asking = "from artvcs import Client; from artvcs.pipelines.cache.explain import explain; "
    asking += "print(explain(Client().repository, 'read').summary)"
    done = subprocess.run([sys.executable, "-c", asking], cwd=reader, capture_output=True, text=True, check=False)
    assert said in done.stdout + done.stderr


def test_a_failure_is_told_with_its_place(reader: Path) -> None:
    (reader / "a.txt").unlink()
    failed = subprocess.run([sys.executable, "reader.py", "1"], cwd=reader, capture_output=True, check=False)
    assert failed.returncode == 1
    asking = "from artvcs import Client; from artvcs.pipelines.cache.explain import explain; "
    asking += "print(explain(Client().repository, 'read').summary)"
    done = subprocess.run([sys.executable, "-c", asking], cwd=reader, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("It failed: FileNotFoundError: ")
    assert " (reader.py:9). It ran for the first time." in done.stdout


@pytest.mark.parametrize("changed", [5, "file", [["a kind of tomorrow", "x", None, None]], [5, [], ["file", 1, None]]])
def test_reasons_that_a_stranger_wrote_are_passed_over(changed: Any) -> None:
    kept = ["file", "a.txt", "before", "after"]
    commit = Commit(
        step="train", pipeline="flow", code=Code(Oid("0" * 64), Oid("1" * 64), "flow.py", 1), params={},
        config={"changed": [*changed, kept] if isinstance(changed, list) else changed}, inputs={}, reads={},
        outputs={}, parents=(), cache_key=None, trace=Oid("2" * 64), environment={}, git=None, author="A", started=0,
        finished=1, metadata={}, log=None,
    )  # fmt: skip
    expected = [Reason("file", "a.txt", "before", "after")] if isinstance(changed, list) else []
    assert list(reasons_seen(commit)) == expected
