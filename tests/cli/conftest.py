"""A project with a small pipeline, and `art` run in this process."""

from __future__ import annotations

import json
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
