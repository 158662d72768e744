"""A fresh clone of a project whose remote has what is missing: whatever is asked for first, that is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .conftest import Machine

Clone = Callable[[str], Machine]

TAKING = """
from artvcs import Client, pipeline, step

@step
def load(raw: str) -> int:
    return len(raw)

@pipeline
def taking():
    load(Client().get_artifact_version("numbers"))
"""


def test_a_first_run_that_lacks_an_artifact_says_that_it_can_be_pulled(machine: Clone, shared: Path) -> None:
    ada, ben = machine("ada"), machine("ben")
    ada.ran()
    ada.art("push")
    (ben.folder / "taking.py").write_text(TAKING)
    hint = f"; `art pull` brings what is at {shared}.\n"
    for _ in range(2):
        failed = ben.art("run", "taking.py", code=3)
        assert failed.err.endswith(f"There is no artifact named 'numbers'{hint}")
    for verb, what in (("ls", "artifacts"), ("log", "runs"), ("runs", "runs"), ("prune", "versions")):
        assert ben.art(verb).err == f"There are no {what} yet{hint}"
    assert ben.art("show", "numbers", code=3).err.endswith(hint)
    ben.art("pull")
    ben.art("run", "taking.py")
    assert "`art ls` lists those there are" in ben.art("ls", "nothing", code=3).err
