"""A project with a small pipeline, and `art` run in this process."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from artvcs.cli import main

PIPELINE = """
from typing import Annotated
from artvcs import log_metadata, pipeline, step

FACTOR = 10

@step
def numbers(count: int) -> Annotated[list[int], "numbers"]:
    print("counting")
    return list(range(count))

@step
def total(values: list[int]) -> Annotated[int, "total"]:
    log_metadata({"values": len(values)})
    return sum(values) * FACTOR

@step
def unnamed(value: int) -> int:
    return value + 1

@pipeline
def adding(count: int = 3, label: str = "x"):
    unnamed(total(numbers(count)))
"""


@dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARTVCS_DIR", raising=False)
    (tmp_path / "adding.py").write_text(PIPELINE)
    # What `art run` imports must not be found by other tests.
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Projects that were made before, by name: see `Once`."""
    return Templates(tmp_path_factory.mktemp("templates"))


class Templates(dict[str, Path]):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder


Once = Callable[[str, Callable[[], object]], None]


@pytest.fixture
def once(project: Path, templates: Templates) -> Once:
    """Makes a project, or copies the one that was made so before: many tests begin with the same."""

    def make(name: str, making: Callable[[], object]) -> None:
        if name in templates:
            shutil.copytree(templates[name], project, symlinks=True, dirs_exist_ok=True)
        else:
            making()
            templates[name] = Path(shutil.copytree(project, templates.folder / name, symlinks=True))

    return make


@pytest.fixture
def art(project: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Done]:
    """Runs `art` with arguments; returns its exit code and what it wrote."""

    def run(*arguments: str) -> Done:
        capfdbinary.readouterr()
        code = main.run(list(arguments))
        out, err = capfdbinary.readouterr()
        return Done(code, out.decode(), err.decode())

    return run


Art = Callable[..., Done]
