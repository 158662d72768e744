"""What `make demo` shows, and the pictures that are made of it."""

from __future__ import annotations

import html
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


@pytest.mark.remotes  # it takes long
def test_the_demo_and_what_the_readme_says_of_verbs(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8"}
    environment.pop("ARTVCS_DIR", None)

    def run(*command: str | Path, cwd: Path = tmp_path) -> str:
        done = subprocess.run(command, cwd=cwd, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    demo = tmp_path / "demo"
    shown = run("sh", PROJECT / "examples" / "demo.sh", demo)
    for line in (
        "  parameter max_depth: None → 4",
        "accuracy by max_depth",
        "digits-model@5 is production now",
        "| Params:  max_depth=16, trees=100",
    ):
        assert line in shown
    readme = (PROJECT / "README.md").read_text()
    conditions = re.findall(r"`art (ls|runs)[^`]*`.*`--where '([^']*)'`", readme)
    assert conditions
    for verb, condition in conditions:
        listed = run("art", verb, *(["digits-model"] if verb == "ls" else []), "--where", condition, cwd=demo)
        assert [line.split()[0] for line in listed.splitlines()[1:]], verb
    [best, *_] = run("art", "runs", "--sort", "-accuracy", "--csv", cwd=demo).splitlines()[1:]
    assert ",0.98" in best

    spec = importlib.util.spec_from_file_location("pictures", PROJECT / "examples" / "pictures.py")
    assert spec is not None
    assert spec.loader is not None
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        drawn = lines_of(pictures.draw_terminal(demo))
    assert drawn == lines_of((PICTURES / "terminal.svg").read_text())  # else `make pictures` makes them anew
    assert any("accuracy" in line for line in drawn)
