"""A real notebook, run by a real kernel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

CELLS = [
    """
from typing import Annotated

import pandas as pd
from artvcs import Client, pipeline, step

@step
def load() -> Annotated[pd.DataFrame, "people"]:
    return pd.DataFrame({"age": [20, 30, 70], "<script>": ["a", "b", "b"]})

@step
def count(people: pd.DataFrame) -> Annotated[int, "number"]:
    return len(people)

@pipeline
def counting():
    count(load())

run = counting()
artifact = Client().get_artifact_version("people")
""",
    "artifact.visualize()",  # shown once, though it is also what the cell returns
    "run",
    "run.steps['count']",
    "artifact",
    "counting",
    "Client().list_pipeline_runs()",
    "artifact.visualizations()",  # named, and not shown
    "artifact.consumers",
    "counting.plan()",
]

FAILING = """
from artvcs import pipeline, step

@step
def look(column: str) -> int:
    return len(run.steps["load"].outputs["people"].load()[column])

@pipeline
def looking():
    look("height")

looking()
"""


def _displayed(cell: Any) -> dict[str, str]:
    [output] = [each for each in cell.outputs if each.output_type in ("display_data", "execute_result")]
    data: dict[str, str] = output.data
    return data


def _executed(project: Path, cells: list[str]) -> Any:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    kernel = project / "kernels" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (kernel / "kernel.json").write_text(f'{{"argv": {argv}, "display_name": "Python", "language": "python"}}')
    client = nbclient.NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(project)}}
    )
    client.create_kernel_manager().kernel_spec_manager.kernel_dirs.insert(0, str(project / "kernels" / "kernels"))
    client.execute()
    return notebook


@pytest.mark.long
def test_a_notebook_shows_a_failure_by_ones_own_lines(project: Path) -> None:
    notebook = _executed(project, [CELLS[0], FAILING])
    [error] = [each for each in notebook.cells[1].outputs if each.output_type == "error"]
    told = "\n".join(error.traceback)
    assert 'return len(run.steps["load"].outputs["people"].load()[column])' in told
    assert "frames of pandas" in told
    assert "site-packages" not in told
    assert "artvcs/" not in told
    assert told.splitlines()[-1].startswith("RunFailed: Step 'look' failed: KeyError: 'height'; mend it and run again")
    assert "(`art show looking-" in told


@pytest.mark.long
def test_a_notebook_shows_artifacts_runs_and_steps(project: Path) -> None:
    notebook = _executed(project, CELLS)

    shown = _displayed(notebook.cells[1])
    assert "people@1" in shown["text/html"]
    assert "&lt;script&gt;" in shown["text/html"]
    assert "<script>" not in shown["text/html"]
    assert "min 20" in shown["text/plain"]
    assert 'aria-label="graph of the steps"' in _displayed(notebook.cells[2])["text/html"]
    assert "number@1" in _displayed(notebook.cells[3])["text/html"]
    assert "pandas.DataFrame" in _displayed(notebook.cells[4])["text/html"]
    assert "pipeline counting" in _displayed(notebook.cells[5])["text/html"]
    assert "ipykernel" not in _displayed(notebook.cells[5])["text/html"]  # a cell is in no file
    assert "<td>counting</td>" in _displayed(notebook.cells[6])["text/html"]
    assert "<td>html</td>" in _displayed(notebook.cells[7])["text/html"]
    assert "<td>count</td>" in _displayed(notebook.cells[8])["text/html"]
    assert "<td>load</td>" in _displayed(notebook.cells[9])["text/html"]
