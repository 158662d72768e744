"""Loading a user's file: as plain Python would, and their mistakes named with file and line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from artvcs.cli.running import loading
from artvcs.cli.terminal import drawing
from artvcs.pipelines.errors import DefinitionError

from ..conftest import Art

HEAD = "from artvcs import pipeline, step\n@step\ndef one(x: int = 1) -> int:\n    return x\n"


def check(art: Art, project: Path, code: str, *expected: str) -> None:
    (project / "mine.py").write_text(HEAD + code)
    done = art("run", "mine.py")
    assert done.code == 1
    [line] = done.err.splitlines()
    assert line.startswith("error: ")
    for each in expected:
        assert each in line
    assert str(project) not in line, "files are named as they are called from here"


def test_an_exception_in_the_body_of_the_pipeline(art: Art, project: Path) -> None:
    check(art, project, "@pipeline\ndef p():\n    one()\n    1 / 0\n", "'p' failed before", "division", "(mine.py:8)")


def test_an_exception_in_what_the_body_calls(art: Art, project: Path) -> None:
    check(art, project, "import json\n@pipeline\ndef p():\n    json.loads('x')\n    one()\n", "JSONDecodeError", ":8)")


def test_an_exception_of_several_lines(art: Art, project: Path) -> None:
    check(art, project, "raise ValueError('one\\ntwo\\x1b[31m')\n", "ValueError: one two\\x1b[31m (mine.py:5)")


def test_a_mistake_in_an_imported_module(art: Art, project: Path) -> None:
    (project / "helper.py").write_text("def f(:\n")
    check(art, project, "import helper\n", "helper.py, line 1")


def test_a_mistake_of_ours_is_to_be_reported(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("missing")

    monkeypatch.setattr(loading, "bind", broken)
    (project / "mine.py").write_text(HEAD + "@pipeline\ndef p():\n    one()\n")
    done = art("run", "mine.py")
    assert done.code == 1
    assert "Unexpected KeyError: 'missing'; run again as `art --debug" in done.err


def test_a_users_click_is_theirs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "click", sys.modules["click"])
    (project / "click.py").write_text("NUMBER = 5\n")
    (project / "mine.py").write_text(HEAD + "import click\nassert click.NUMBER == 5\n@pipeline\ndef p():\n    one()\n")
    assert loading.load_pipeline("mine.py").name == "p"
    assert hasattr(vars(loading)["click"], "UsageError"), "what we imported of it stays ours"


def test_a_users_rich_is_theirs_and_nothing_is_drawn_with_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import rich

    monkeypatch.setitem(sys.modules, "rich", rich)
    monkeypatch.setattr(drawing, "_theirs", set())
    (project / "rich.py").write_text("NUMBER = 5\n")
    (project / "mine.py").write_text(HEAD + "import rich\nassert rich.NUMBER == 5\n@pipeline\ndef p():\n    one()\n")
    assert loading.load_pipeline("mine.py").name == "p"
    assert drawing.width("東京") == 2
    assert drawing.cut("東京東京", 3) == "東京東"
    assert drawing.bar("writing", 1, 4, "", 80) == " 25 %  writing"


def test_a_file_is_the_same_from_a_folder_below(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "mine.py").write_text(HEAD + "@pipeline\ndef p(x: int = 1):\n    one(x)\n")
    assert "completed" in art("run", "mine.py").out
    (project / "sub").mkdir()
    monkeypatch.chdir(project / "sub")
    assert "1 reused" in art("run", "../mine.py").out
    (project / "mine.py").write_text(HEAD + "1 / 0\n")
    assert "(../mine.py:5)" in art("run", "../mine.py").err


def test_an_edit_in_the_same_second_is_seen(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by `sed` in a loop. Python would take what it has compiled before for a file of this size and second."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for x in (1, 2):
        (project / "mine.py").write_text(HEAD + f"@pipeline\ndef p():\n    one({x})\n")
        os.utime(project / "mine.py", (1_700_000_000, 1_700_000_000 + x / 10))
        assert "reused" not in art("run", "mine.py").out


def test_what_stands_under_main_does_not_run(art: Art, project: Path) -> None:
    code = HEAD + "@pipeline\ndef p():\n    one()\nif __name__ == '__main__':\n    raise SystemExit(9)\n"
    (project / "mine.py").write_text(code)
    assert art("run", "mine.py").code == 0


def test_an_imported_pipeline_counts_where_there_is_no_other(art: Art, project: Path) -> None:
    (project / "mine.py").write_text("from adding import adding\n")
    assert art("run", "mine.py").code == 0


@pytest.mark.parametrize("name", ["notes.txt", "."])
def test_what_is_no_python_file(project: Path, name: str) -> None:
    (project / "notes.txt").write_text("x")
    with pytest.raises(Exception, match="Python file") as caught:
        loading.load_pipeline(name)
    assert caught.type.__module__.startswith("artvcs.")


def test_a_parameter_without_equals_is_a_usage_error(art: Art) -> None:
    done = art("run", "adding.py", "-p", "count")
    assert done.code == 2
    assert done.err == "error: -p count: write it as name=value; `art run --help` shows what it takes.\n"


def test_the_error_of_a_syntax_error_without_a_file() -> None:
    error = loading.not_run("x", SyntaxError("bad"))
    assert isinstance(error, DefinitionError)


def test_a_file_that_makes_a_run_as_it_is_loaded_is_told_so(art: Art, project: Path) -> None:
    (project / "mine.py").write_text(HEAD + "@pipeline\ndef p():\n    one()\np()\n")
    done = art("run", "mine.py", "--plan")
    assert done.code == 0
    assert "warning: mine.py makes the run p-" in done.err
    assert 'as it is loaded; put that call under if __name__ == "__main__":' in done.err


def test_a_file_sees_its_own_name_as_under_python(art: Art, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["art", "run", "mine.py"])
    (project / "mine.py").write_text(
        HEAD + "import sys\nassert sys.argv == ['mine.py']\n@pipeline\ndef p():\n    one()\n"
    )
    assert art("run", "mine.py").code == 0


def test_a_file_that_ends_the_process_says_where(art: Art, project: Path) -> None:
    (project / "mine.py").write_text(HEAD + "raise SystemExit(3)\n")
    done = art("run", "mine.py")
    assert done.code == 1
    said = 'mine.py ends the process as it is loaded (mine.py:5); put that under if __name__ == "__main__":'
    assert done.err == f"error: {said}\n"


def test_a_folder_is_said_to_be_one(art: Art, project: Path) -> None:
    (project / "steps.py").mkdir()
    assert "'steps.py' is a folder; give the path of a Python file" in art("run", "steps.py").err
