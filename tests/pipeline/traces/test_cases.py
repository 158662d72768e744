"""What a step is seen to use decides whether its result is used again: never a stale one, rarely a needless run.

Each construct is a small project with a story in `cases/`; `harness.py` says how to read and write them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .harness import CASES, Case, World, read_case


def stories() -> Iterator[Any]:
    """All cases; of every sixth class the first is told here too, the rest by `make traces`."""
    classes = list(dict.fromkeys(path.stem.partition("_")[0] for path in CASES))
    left = set(classes[::6])
    for path in CASES:
        is_first = (of := path.stem.partition("_")[0]) in left
        left.discard(of)
        yield pytest.param(path, marks=[] if is_first else [pytest.mark.traces], id=path.stem)


@pytest.mark.long
@pytest.mark.parametrize("path", list(stories()))
def test_a_hit_can_be_trusted(tmp_path: Path, path: Path) -> None:
    World(tmp_path, read_case(path)).play()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_says_what_it_shows(path: Path) -> None:
    case = read_case(path)
    assert re.fullmatch(r"[A-Z].+[.]", case.sentence)
    assert "main.py" in case.files
    assert any(re.match(r"runs|cached|gives|uncached|fails|session", line) for line in case.story)


NAMES = """\
from artvcs import pipeline, step
@step
def train() -> list[str]:
    here = {key: value for key, value in globals().items() if key not in ("train", "flow", "pipeline", "step")}
    return [f"{key}={type(value).__name__}" for key, value in sorted(here.items())] + [str(here["__file__"])[-8:]]
@pipeline
def flow():
    train()
if __name__ == "__main__":
    print(train())
"""


def test_a_project_runs_as_if_it_were_started_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path, Case("names", "A project sees no name of the driver.", {"main.py": NAMES}, []))
    alone = world.run(["main.py"])
    assert alone.returncode == 0, alone.stderr
    [run] = world.drive().runs
    assert run["value"] == alone.stdout.strip()


def test_the_stories_that_the_docs_name_are_told() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cache.md").read_text(encoding="utf-8")
    named = re.findall(r"\| `(\w+)` \|$", page, re.MULTILINE)
    assert len(named) > 50
    assert set(named) <= {path.stem for path in CASES}
