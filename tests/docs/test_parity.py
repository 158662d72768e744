"""docs/parity.md points at tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| (.+?) \| `(.+?)::(.+?)` \|$", (PROJECT / "docs" / "parity.md").read_text(), re.MULTILINE)


def functions(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


def test_there_are_rows() -> None:
    assert len(ROWS) > 50
    lines = (PROJECT / "docs" / "parity.md").read_text().splitlines()
    claims = [line for line in lines if line.startswith("|") and not re.search(r"\| \|$|---|\| the test \|", line)]
    assert len(claims) == len(ROWS), "every row that claims something names a test"


@pytest.mark.parametrize(("claim", "file", "name"), ROWS, ids=[claim for claim, _, _ in ROWS])
def test_the_test_of_a_row_exists(claim: str, file: str, name: str) -> None:
    assert name in functions(PROJECT / file), claim
