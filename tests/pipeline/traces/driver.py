"""Runs the project in the working directory as `python main.py` would, and prints what its runs did as a line of JSON.

    python driver.py flow|session [ID,ID…]

main.py is executed as the real `__main__`. If it made no run itself (none but those with the ids given), `flow()` is
called; with `session`, the function `session()` is called, which returns the runs that it made.

The harness copies this file into a folder called site-packages, as if it were installed: nothing here is the user's
own code. Nothing of artvcs is imported before main.py does that.
"""

from __future__ import annotations

import importlib
import os
import site
import sys
import traceback
from importlib.machinery import SourceFileLoader
from json import dumps
from typing import Any

MARK = "DRIVER "
"""Begins the line of JSON."""

STEP = "train"


def main() -> None:
    """Runs main.py and prints what came of it."""
    what, seen = sys.argv[1], set(sys.argv[2].split(",")) if len(sys.argv) > 2 else set[str]()
    project = os.getcwd()
    error: str | None = None
    runs: list[Any] = []
    try:
        namespace = become_main(project, os.path.join(project, "main.py"))
        runs = namespace["session"]() if what == "session" else made_runs(project, seen)
        if not runs:
            namespace["flow"]()
    except BaseException:  # whatever the project does is told to the harness
        error = traceback.format_exc()
    runs = runs or made_runs(project, seen)
    print("\n" + MARK + dumps({"runs": [told(run, project) for run in runs], "error": error}), flush=True)


def become_main(project: str, path: str) -> dict[str, Any]:
    """Executes a file as the module `__main__`, with nothing of the driver in it; returns its namespace."""
    sys.argv[:] = [path]
    installed = sys.path.pop(0)
    sys.path.insert(0, project)
    site.addsitedir(installed)
    namespace = sys.modules["__main__"].__dict__
    builtins = namespace["__builtins__"]
    namespace.clear()
    loader = SourceFileLoader("__main__", path)
    namespace.update(__name__="__main__", __doc__=None, __package__=None, __loader__=loader, __spec__=None)
    namespace.update(__annotations__={}, __builtins__=builtins, __file__=path, __cached__=None)
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, namespace)
    return namespace


def made_runs(project: str, seen: set[str]) -> list[Any]:
    """The runs in the repository, oldest first, but those that were seen before."""
    from artvcs import Client

    if not os.path.isdir(os.path.join(project, ".artifacts")):
        return []
    runs = Client(project).list_pipeline_runs("flow")
    return [run for run in reversed(runs) if run.id not in seen]


def told(run: Any, project: str) -> dict[str, Any]:
    """What the harness wants to know about a run."""
    from artvcs import Client
    from artvcs.pipelines.cache.explain import explain

    if STEP not in run.steps:  # the run broke off before
        return {"id": run.id, "status": run.status, "value": None, "summary": "", "reasons": [], "unfollowed": []}
    step = run.steps[STEP]
    why = explain(Client(project).repository, STEP, run.id)
    return {
        "id": run.id,
        "status": step.status,
        "value": repr(step.output.load()) if step.outputs else None,
        "summary": why.summary,
        "reasons": [f"{reason.kind} {reason.subject}" for reason in why.reasons],
        "unfollowed": [*why.unfollowed, *why.unverified, *why.refused],
    }


if __name__ == "__main__":
    importlib.import_module("driver").main()  # a module of its own, since this one becomes the project's
