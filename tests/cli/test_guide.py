"""docs/cli.md is real: its commands print what it says, and JSON documents have the keys it lists."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
GUIDE = (PROJECT / "docs" / "cli.md").read_text()

VARYING = [
    (r"\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d_\d{6}", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME"),
    (r"\b\d+ (second|minute)s? ago", "AGO"),
    (r"\b\d+(\.\d)? (ms|s)\b", "TOOK"),
    (r"\b\d+(\.\d)? (KiB|MiB)", "SIZE"),
    (r"\d+ objects that nothing uses; \d+ objects still used", "OBJECTS"),
    (r"\b[0-9a-f]{12}\b|\b[0-9a-f]{8}\b", "ID"),
    (r"Author:.*", "Author"),
    (r" +$", ""),
    (r" +", " "),  # columns are as wide as what varies in them
    (r"AGO \S+@\S+", "AGO AUTHOR"),
]


def without_what_varies(text: str) -> str:
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return text.strip()


def commands() -> list[tuple[str, str]]:
    """Each `$ command` of the guide with the output below it."""
    blocks = re.findall(r"^```text\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    parts = [re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:] for block in blocks]
    return [pair for part in parts for pair in zip(part[::2], part[1::2], strict=True)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "shop"
    folder.mkdir()
    [code, *_] = re.findall(r"^```python\n(.*?)^```$", (PROJECT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    (folder / "pipeline.py").write_text(code)
    (folder / "sales.csv").write_text("a,b\n1,2\n")
    return folder


def run(folder: Path, command: str, *, both: bool = False) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTHONIOENCODING": "utf-8"}
    environment.pop("ARTVCS_DIR", None)
    errors = subprocess.STDOUT if both else None
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.replace(str(folder.parent), "~")


@pytest.fixture(scope="module")
def session(shop: Path) -> list[tuple[str, str, str]]:
    """The guide gone through: each command, what it printed, and what the guide says that it prints."""
    return [(command, run(shop, command, both=True), printed) for command, printed in commands()]


def test_the_commands_print_what_the_guide_says(session: list[tuple[str, str, str]]) -> None:
    for command, found, printed in session:
        assert without_what_varies(found) == without_what_varies(printed), command


def keys_of(row: str) -> list[str]:
    """The keys that the guide lists for a document."""
    [keys] = re.findall(rf"^\| {re.escape(row)} \| (.*) \|$", GUIDE, re.MULTILINE)
    return re.findall(r"`(\w+)`", keys)


DOCUMENTS: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("`art add`", "add sales.csv --name raw-sales", lambda found: found),
    ("a run (`art log`, `art run`)", "log", lambda found: found[0]),
    ("a step of a run", "log", lambda found: found[0]["steps"]["load"]),
    ("a history entry (`art log`, `art show`)", "log total", lambda found: found[0]),
    ("`art runs`", "runs", lambda found: found[0]),
    ("a version (`art ls`)", "ls", lambda found: found[0]),
    ("a version (`art show`)", "show total", lambda found: found),
    ("`art status`", "status", lambda found: found),
    ("`edited` of `art status`", "status", lambda found: found["edited"][0]),
    ("`art why`", "why convert", lambda found: found),
    ("a reason (`art why`, `art run --plan`)", "why convert", lambda found: found["reasons"][0]),
    ("`art run --plan`", "run pipeline.py --plan", lambda found: found[0]),
    ("`art gc`", "gc --dry-run", lambda found: found),
    ("`art trust`", "trust --all", lambda found: found[0]),
    ("`art prune`", "prune --dry-run --include-manual", lambda found: found[0]),
]


@pytest.mark.usefixtures("session")
def test_json_documents_have_the_keys_that_the_guide_lists(shop: Path) -> None:
    found: dict[str, Any] = {}
    for row, command, choose in DOCUMENTS:
        if command not in found:
            found[command] = json.loads(run(shop, f"art {command} --json"))
        assert list(choose(found[command])) == keys_of(row), row
    [data] = json.loads(run(shop, "art log raw-sales@1 --json"))
    assert list(data) == keys_of("a history entry (`art log`, `art show`)")[:8]
