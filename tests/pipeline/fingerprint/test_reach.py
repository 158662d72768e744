"""What a step reaches counts, by its text or by the live values that it uses; what it does not reach does not.

Each construct is a small project in `cases/`: its files, then edits and whether they count, then parts
that the step has to have.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

Project = Any  # the fixture in conftest.py

STEP = "pipeline.py"
CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


class Edit(NamedTuple):
    counts: bool
    file: str
    old: str
    new: str


class Case(NamedTuple):
    files: dict[str, str]
    edits: list[Edit]
    parts: set[str]


def read_case(path: Path) -> Case:
    sections = dict(re.findall(r"^=== (.+)\n((?:(?!===).*\n)*)", path.read_text(), re.MULTILINE))
    edits = []
    for line in sections.pop("edits").splitlines():
        verdict, file, old, new = re.fullmatch(r"(\w+) (\S+): (.+) -> (.+)", line).groups()  # type: ignore[union-attr]
        edits.append(Edit(verdict == "counts", file, ast.literal_eval(old), ast.literal_eval(new)))
    return Case(sections, edits, set(sections.pop("parts", "").split()))


def cases() -> Iterator[Any]:
    """All cases; every third is told here too, the rest by `make traces`."""
    for number, path in enumerate(CASES):
        yield pytest.param(path, marks=[pytest.mark.traces] if number % 3 else [], id=path.stem)


@pytest.mark.long
@pytest.mark.parametrize("path", list(cases()))
def test_exactly_what_is_reached_counts(project: Project, path: Path) -> None:
    case = read_case(path)
    project.write(case.files)
    original = project.follow()
    state = original.state()
    assert case.parts <= {part.name for part in original.fingerprint.parts} | state.parts.keys()
    before = original.fingerprint.id, state.values, state.parts
    for edit in case.edits:
        project.edit(edit.file, edit.old, edit.new)
        edited = project.follow()
        state = edited.state()
        assert ((edited.fingerprint.id, state.values, state.parts) != before) is edit.counts, edit
        project.write(case.files)
        assert project.fingerprint() == original.fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# note", "# another note"),
        ('"""Doc."""', '"""Other doc."""'),
        ('"""Doc."""', "pass"),
        ("x + 1", "(x  +  1)"),
        ("y = 2", "y: int = 2"),
        ("y = 2", "z: int\n    y = 2"),
        ("'text'", '"text"'),
        ("[1, 2]", "[\n        1,\n        2,\n    ]"),
        ("import os", "import os\nimport json"),
        ("def unrelated", "def renamed"),
        ("def helper", "def more():\n    return 0\n\n\ndef helper"),
    ],
)
def test_how_code_is_written_does_not_count(project: Project, old: str, new: str) -> None:
    text = '''\
        import os
        def unrelated():
            return os
        def helper(x):
            """Doc."""
            # note
            y = 2
            return x + 1, y, 'text', [1, 2]
        def train(x):
            return helper(x)
        '''
    project.write({STEP: text})
    original = project.fingerprint()
    project.edit(STEP, old, new)
    assert project.fingerprint().id == original.id


def test_the_order_of_definitions_does_not_count(project: Project) -> None:
    first, second = "def a():\n    return 1\n", "def b():\n    return 2\n"
    step = "def train():\n    return a() + b()\n"
    project.write({STEP: first + second + step})
    original = project.fingerprint()
    project.write({STEP: step + second + "\n\n" + first})
    assert project.fingerprint().id == original.id


def test_a_helper_that_is_a_step_is_followed_without_its_options(project: Project) -> None:
    files = {
        STEP: """\
            from common import step
            @step(enable_cache=False)
            def clean(x):
                return x + 1
            @step
            def train(x):
                return clean(x)
            """,
        "common.py": """\
            try:
                from artvcs import step
            except ImportError:
                def step(f=None, **_):
                    return f if f else step
            """,
    }
    project.write(files)
    original = project.fingerprint()
    assert "artvcs" not in original.packages
    project.edit(STEP, "enable_cache=False", "enable_cache=True")
    assert project.fingerprint().id == original.id
    project.edit(STEP, "x + 1", "x + 2")
    assert project.fingerprint().id != original.id
