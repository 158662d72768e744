"""`art run -c`: parameters and options in a file."""

from __future__ import annotations

from pathlib import Path

from ..conftest import Art


def test_a_file_is_used_and_the_command_line_goes_before_it(art: Art, project: Path) -> None:
    (project / "conf.yaml").write_text("parameters: {count: 4, label: from the file}\ntags: [nightly]\n")
    art("run", "adding.py", "-c", "conf.yaml")
    [run] = art("log", "--json").json
    assert (run["parameters"], run["tags"]) == ({"count": 4, "label": "from the file"}, ["nightly"])
    art("run", "adding.py", "-c", "conf.yaml", "-p", "count=5")
    assert art("log", "--json").json[0]["parameters"]["count"] == 5


def test_a_file_that_cannot_be_understood_is_one_sentence(art: Art, project: Path) -> None:
    (project / "conf.yaml").write_text("parameters:\n\tcount: 4\n")
    done = art("run", "adding.py", "-c", "conf.yaml")
    assert done.code != 0
    assert done.err == "error: conf.yaml, line 2: a line begins with a tab; indent with spaces.\n"
    missing = art("run", "adding.py", "-c", "no.yaml")
    assert missing.err == "error: There is no file 'no.yaml'; give the path of a YAML file.\n"


def test_what_belongs_to_a_stack_is_warned_of_in_one_line(art: Art, project: Path) -> None:
    (project / "conf.yaml").write_text("settings: {docker: {}}\n")
    done = art("run", "adding.py", "-c", "conf.yaml")
    assert done.code == 0
    assert done.err.count("warning:") == 1
    assert "conf.yaml: 'settings' belongs to a stack, of which there are none here, and is passed over." in done.err


def test_what_to_type_after_a_failure_names_the_file(art: Art, project: Path) -> None:
    (project / "broken.py").write_text(
        "from artvcs import pipeline, step\n"
        "@step\n"
        "def fail(x: int) -> int:\n"
        "    return 1 // x\n"
        "@pipeline\n"
        "def failing(x: int = 1):\n"
        "    fail(x)\n"
    )
    (project / "zero.yaml").write_text("parameters: {x: 0}")
    done = art("run", "broken.py", "-c", "zero.yaml")
    assert "`art run broken.py -c zero.yaml` goes on from there" in done.err
