"""Every Python example in the guides runs, each guide as one script in a folder of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
GUIDES = sorted(path for path in (PROJECT / "docs").glob("*.md") if "```python" in path.read_text())


NAMED = re.compile(r"docs/[\w/-]+\.md")


def test_the_pages_that_code_and_errors_name_are_there() -> None:
    code = (path for room in ("vcs", "pipeline", "cli") for path in (PROJECT / room).rglob("*.py"))
    named = {page for path in code for page in NAMED.findall(path.read_text())}
    assert "docs/steps.md" in named
    assert {page for page in named if not (PROJECT / page).is_file()} == set()


def python_blocks(guide: Path) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", guide.read_text(), re.MULTILINE | re.DOTALL))


def test_there_are_guides_with_examples() -> None:
    assert {"steps.md", "cache.md", "artifacts.md"} <= {guide.name for guide in GUIDES}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_the_examples_of_a_guide_run(guide: Path, tmp_path: Path) -> None:
    script = tmp_path / f"{guide.stem}_guide.py"
    script.write_text(python_blocks(guide))
    done = subprocess.run([sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
