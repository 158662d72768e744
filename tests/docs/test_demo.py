"""What `make demo` shows, and the pictures that are made of it."""

from __future__ import annotations

import html
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from rich.cells import cell_len

from artvcs.cli import main

PROJECT = Path(__file__).parents[2]
PICTURES = PROJECT / "docs" / "pictures"


def lines_of(picture: str) -> list[str]:
    """What a picture of a terminal says, but for ids, numbers and times."""
    found = dict[float, str]()
    for y, text in re.findall(r'<text[^>]* y="([0-9.]+)"[^>]*>([^<]*)</text>', picture):
        found[float(y)] = found.get(float(y), "") + html.unescape(text).replace("\xa0", " ")
    said = (re.sub(r"\b[0-9a-f]{12}\b", "ID", found[y]) for y in sorted(found))
    return [" ".join(re.sub(r"[\d.]+( m?s\b)?", "#", each).split()) for each in said]


def test_the_pictures_are_small_and_fetch_nothing() -> None:
    found = sorted(PICTURES.iterdir())
    assert [each.name for each in found] == ["notebook.png", "terminal.svg"]
    assert all(each.stat().st_size < 100_000 for each in found)
    assert re.findall(r"https?://[^\"]*", found[1].read_text()) == ["http://www.w3.org/2000/svg"]


@pytest.fixture(scope="module")
def pictures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pictures", PROJECT / "examples" / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Demo:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shown = run("sh", PROJECT / "examples" / "demo.sh", folder, cwd=folder.parent)

    def art(self, *arguments: str) -> str:
        return run("art", *arguments, cwd=self.folder)


def run(*command: str | Path, cwd: Path) -> str:
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        patch.setenv("PYTHONIOENCODING", "utf-8")
        for name in ("ARTVCS_DIR", "NO_COLOR"):
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm-256color")
        yield Demo(tmp_path_factory.mktemp("project") / "demo")


# What makes the demo takes long, and so it is run with the servers.


@pytest.mark.remotes
def test_the_demo_and_what_the_readme_says_of_verbs(demo: Demo, pictures: ModuleType) -> None:
    for line in (
        "  parameter max_depth: None → 4",
        "accuracy by max_depth",
        "digits-model@5 is production now",
        "| Params:  max_depth=16, trees=100",
    ):
        assert line in demo.shown
    readme = (PROJECT / "README.md").read_text()
    conditions = re.findall(r"`art (ls|runs)[^`]*`.*`--where '([^']*)'`", readme)
    assert conditions
    for verb, condition in conditions:
        listed = demo.art(verb, *(["digits-model"] if verb == "ls" else []), "--where", condition)
        assert [line.split()[0] for line in listed.splitlines()[1:]], verb
    [best, *_] = demo.art("runs", "--sort", "-accuracy", "--csv").splitlines()[1:]
    assert ",0.98" in best
    drawn = lines_of(pictures.draw_terminal(demo.folder))
    assert drawn == lines_of((PICTURES / "terminal.svg").read_text())  # else `make pictures` makes them anew
    assert any("accuracy" in line for line in drawn)


ELSEWHERE = re.compile(
    r"prices|s3://|data\.csv|train\.py|dvc|lfs|mlflow|zenml|training-|shop|origin|/srv|completion|fetch|pull|push|serve"
    "|-t 4f"
)
"""What the examples of `--help` name that is not of the demo."""


@pytest.mark.remotes
def test_the_examples_of_the_help_work_on_the_demo(demo: Demo) -> None:
    examples = [
        example
        for verb in main.VERBS
        for example in re.findall(r"Example: (art .*)", demo.art(verb, "--help"))
        if not ELSEWHERE.search(example)
    ]
    assert len(examples) >= 12
    for example in examples:
        done = subprocess.run(["sh", "-c", example], cwd=demo.folder, capture_output=True, text=True, check=False)
        assert (done.returncode, bool(done.stdout + done.stderr)) in {(0, True), (0, "lock" not in example)}, example


VERBS = [
    "ls", "ls digits-model", "log", "log --oneline", "log --graph", "log digits-model --oneline --graph", "runs",
    "runs --sort -accuracy", "status", "show digits-model", "show HEAD", "why train", "plot accuracy --by max_depth",
    "run digits.py --plan", "fsck", "gc --dry-run",
]  # fmt: skip


@pytest.mark.remotes
@pytest.mark.parametrize("columns", [20, 80, 140, 500])
def test_what_looks_fits_the_terminal(
    demo: Demo, pictures: ModuleType, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    screens = {verb: pictures.on_a_terminal(f"art {verb}", demo.folder, columns) for verb in VERBS}
    for verb, screen in screens.items():
        colours = set(re.findall(r"\x1b\[([0-9;]*)m", screen))
        # Bold, dim, and the colours that both a light and a dark palette can show: no black, no white, no background.
        assert colours <= {"0", "1", "2", "31", "32", "33", "34", "35", "36", "38;5;1"}, verb
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in screen.splitlines()]
        assert lines
        for line in lines:
            # Only a word may be too long: a name or a path, which nobody could type if it were cut. What is shown of
            # one thing is not cut either, and goes on in the next line.
            fits = cell_len(line) <= columns or max(map(cell_len, line.split())) > columns
            assert fits or (columns == 20 and verb.startswith("show")), (verb, line)
        assert columns < 140 or "…" not in (cut := "\n".join(lines)), (verb, cut)
        screens[verb] = "\n".join(lines)
    assert all(row["run"] in screens["runs"] for row in json.loads(demo.art("runs", "--json")))
    heads = {verb: screens[verb].splitlines()[0].split() for verb in ("ls", "runs")}
    if columns >= 140:
        assert {"id", "artifact", "type", "size", "made"} <= set(heads["ls"])
        assert heads["runs"][1:5] == ["max_depth", "test_size", "trees", "accuracy"]
        assert "No room" not in screens["runs"]
        assert screens["log"].splitlines()[0].endswith(" ago")
    elif columns == 80:
        assert heads["runs"][:3] == ["run", "max_depth", "accuracy"]
        assert "No room for test_size, trees" in screens["runs"]
    else:
        assert (heads["ls"], heads["runs"]) == (["artifact"], ["run"])
    assert all(name in screens["ls"] for name in ("digits-model@", "digits-report@", "x_train@"))
