"""`art migrate zenml`: the imports are changed, all else is left alone, and what has no meaning here is listed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ..conftest import Art

CODE = '''"""A project."""
import os, zenml
import zenml.client
import zenml.enums as kinds
from zenml import (  # zenml in words stays
    pipeline,
    step,
)
from zenml.client import Client
from zenml.config import DockerSettings
from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker
from zenml_of_ours import nothing  # another module
from .zenml import local
text = "from zenml import step"


def lazily():
    from zenml.logger import get_logger
    Client().create_trigger()
    return get_logger(zenml.__name__), kinds.ArtifactType, zenml.client.Client
'''

MOVED = '''"""A project."""
import os, artvcs.zenml as zenml
import artvcs.zenml.client, artvcs.zenml as zenml
import artvcs.zenml.enums as kinds
from artvcs.zenml import (  # zenml in words stays
    pipeline,
    step,
)
from artvcs.zenml.client import Client
from artvcs.zenml.config import DockerSettings
from artvcs.zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker
from zenml_of_ours import nothing  # another module
from .zenml import local
text = "from zenml import step"


def lazily():
    from artvcs.zenml.logger import get_logger
    Client().create_trigger()
    return get_logger(zenml.__name__), kinds.ArtifactType, zenml.client.Client
'''


def test_imports_are_changed_and_nothing_else(art: Art, project: Path) -> None:
    (project / "flow.py").write_text(CODE)
    shown = art("migrate", "zenml", "--dry-run")
    assert (project / "flow.py").read_text() == CODE
    assert {"-from zenml.client import Client", "+from artvcs.zenml.client import Client"} <= {*shown.out.splitlines()}
    assert "  zenml.config.DockerSettings  (flow.py:10)\n" in shown.out.split("Passed over")[1].split("Not here")[0]
    missing = shown.out.split("Not here")[1]
    assert "  zenml.integrations.mlflow.experiment_trackers.MLFlowExperimentTracker  (flow.py:11)\n" in missing
    assert "  Client().create_trigger  (flow.py:19)\n" in missing
    done = art("migrate", "zenml")
    assert done.code == 0
    assert (project / "flow.py").read_text() == MOVED
    assert done.out.endswith("Changed 1 file; `art run FILE` runs a pipeline.\n")
    assert "Nothing imports ZenML" in art("migrate", "zenml").out


def test_what_is_moved_runs(art: Art, project: Path) -> None:
    (project / "small.py").write_text(
        "import zenml\nimport zenml.client\nfrom zenml import pipeline, step\n"
        "@step\ndef one() -> int:\n    return 1\n"
        "@pipeline\ndef flow():\n    one()\n"
        "if __name__ == '__main__':\n"
        "    flow()\n"
        "    print(zenml.client.Client().get_pipeline('flow').last_run.steps['one'].output.load())\n"
    )
    art("migrate", "zenml", "small.py")
    done = subprocess.run([sys.executable, "small.py"], cwd=project, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1\n")
    said = [line.partition(" after ")[0].rpartition(": ")[2] for line in done.stderr.splitlines()]
    assert said[:3] == ["1 step", "one begins", "one completed"]  # as ZenML's runs do, and nothing else
    assert len(said) == 4
    assert art("run", "small.py").code == 0


def test_notebooks_and_requirements(art: Art, project: Path) -> None:
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": ["from zenml import step"]},
            {"cell_type": "code", "source": ["!pip install zenml\n", "%load x\n", "from zenml import step\n", "x='ü'"]},
            {"cell_type": "code", "source": "import zenml"},
            {"cell_type": "code", "source": ["this is no Python: from zenml import step"]},
        ],
        "nbformat": 4,
    }  # fmt: skip
    text = json.dumps(notebook, indent=3, ensure_ascii=False) + "\n\n"
    (project / "book.ipynb").write_text(text)
    (project / "requirements.txt").write_text("zenml[server]>=0.50  \nzenml-extras\nnumpy\n")
    done = art("migrate", "zenml", ".")
    assert (done.code, "where pip does not find it, install it from its folder" in done.out) == (0, True)
    moved = (project / "book.ipynb").read_text()
    assert [len(text.splitlines()), moved[-2:]] == [len(moved.splitlines()), "\n\n"]
    cells = ["".join(cell["source"]) for cell in json.loads(moved)["cells"]]
    assert cells[0] == "from zenml import step"
    assert cells[1] == "!pip install zenml\n%load x\nfrom artvcs.zenml import step\nx='ü'"
    assert cells[2] == "import artvcs.zenml as zenml"
    assert cells[3] == "this is no Python: from zenml import step"
    assert (project / "requirements.txt").read_text() == "artvcs\nzenml-extras\nnumpy\n"


CELLS = {
    "!pip install zenml \\\n  pandas\nfrom zenml import step": (
        "!pip install zenml \\\n  pandas\nfrom artvcs.zenml import step"
    ),
    "files = !ls\nfrom zenml import step": "files = !ls\nfrom artvcs.zenml import step",
    "step?\n?step\nfrom zenml import step": "step?\n?step\nfrom artvcs.zenml import step",
    "from zenml import step; %matplotlib inline\n": "from artvcs.zenml import step; %matplotlib inline\n",
    "    from zenml import step\n    a = 1": "    from artvcs.zenml import step\n    a = 1",
    "if True:\n    %pip install x \\\n y\n    import zenml": (
        "if True:\n    %pip install x \\\n y\n    import artvcs.zenml as zenml"
    ),
    "a = 'x; %s' % 1\nfrom zenml import step": "a = 'x; %s' % 1\nfrom artvcs.zenml import step",
    "%%capture\n!zenml init\nfrom zenml import step": "%%capture\n!zenml init\nfrom artvcs.zenml import step",
}
"""Cells with what is IPython's own → the same, moved."""


def test_cells_with_what_is_no_python(art: Art, project: Path) -> None:
    cells = [{"cell_type": "code", "source": code} for code in CELLS]
    (project / "book.ipynb").write_text(json.dumps({"cells": cells}))
    done = art("migrate", "zenml", "--yes", ".")
    assert [cell["source"] for cell in json.loads((project / "book.ipynb").read_text())["cells"]] == [*CELLS.values()]
    left = [line.strip() for line in done.out.split("still wanted:")[1].splitlines() if line.startswith("  ")]
    assert left == ["!pip install zenml \\  (book.ipynb:cell 1)", "!zenml init  (book.ipynb:cell 8)"]


def test_requirements_of_all_kinds(art: Art, project: Path) -> None:
    (project / "requirements").mkdir()
    for name, before, after in (
        ("requirements.txt", 'zenml ; python_version > "3.8"\n', 'artvcs ; python_version > "3.8"\n'),
        ("dev-requirements.txt", "zenml@git+https://x/y#egg=zenml\r\nnumpy\r\n", "artvcs\r\nnumpy\r\n"),
        ("requirements/base.txt", "-e git+https://github.com/zenml-io/zenml.git@main#egg=zenml\n", "artvcs\n"),
        ("requirements.in", "zenml[server]==0.50  # pinned\nzenml_helper\n", "artvcs # pinned\nzenml_helper\n"),
        ("flow.pyi", "from zenml import step\n", "from artvcs.zenml import step\n"),
    ):
        (project / name).write_bytes(before.encode())
        art("migrate", "zenml", "--yes", name)
        assert (project / name).read_bytes().decode() == after
    (project / "requirements.txt").write_text("numpy\n--find-links /wheels/of/zenml\n")
    assert "  --find-links /wheels/of/zenml  (requirements.txt:2)\n" in art("migrate", "zenml", "--dry-run").out


def test_the_bytes_around_stay(art: Art, project: Path) -> None:
    before = "# -*- coding: latin-1 -*-\r\nfrom zenml import step  # ü\r\nname = 'é'\r\n".encode("latin-1")
    (project / "old.py").write_bytes(before)
    (project / "old.py").chmod(0o755)
    art("migrate", "zenml", ".")
    assert (project / "old.py").read_bytes() == before.replace(b"zenml", b"artvcs.zenml")
    assert (project / "old.py").stat().st_mode & 0o777 == 0o755


def test_what_else_names_zenml_is_listed_and_left(art: Art, project: Path) -> None:
    """Whoever moves in is told of all that is left to do, and is told again as long as it is there."""
    (project / "book.ipynb").write_text(json.dumps({"cells": [
        {"cell_type": "code", "source": "from zenml.integrations.mlflow.steps import MLFlowDeployerParameters, grow"},
        {"cell_type": "code", "source": "!zenml init\n!echo zenml-less"},
        {"cell_type": "code", "source": "broken (( from zenml import step"},
    ]}))  # fmt: skip
    (project / "flow.py").write_text(
        "import importlib\n"
        "from zenml import *\n"
        "from zenml.client import Client\n"
        "from zenml.nothing_like_it import Thing\n"
        "from elsewhere import Client as Other\n"
        "found = importlib.import_module('zenml.client')\n"
        "Client().active_stack.model_deployer.deploy()\n"
        "print(Client().active_stack.artifact_store.path, Client().active_stack.alerter.name, Other().create())\n"
        "tracker, registry = Client().active_stack.experiment_tracker, None\n"
        "registry = Client().active_stack.model_registry\n"
        "if not registry or not isinstance(registry, object):\n    raise RuntimeError('there has to be one')\n"
        "if not tracker:\n    raise RuntimeError('there has to be one')\n"
    )
    (project / "pyproject.toml").write_text("# zenml once\n[project]\ndependencies = ['zenml[server]']\n")
    (project / "run.yaml").write_text("settings: {}\nfailure_hook_source: zenml.hooks.alert\n")
    (project / "start.sh").write_text("zenml up\npython flow.py\ngit clone zenml-io/zenml-projects\n")
    for shown in (art("migrate", "zenml", "--yes"), art("migrate", "zenml", "--dry-run")):
        left = shown.out.split("Names ZenML, and was left as it is; look whether it is still wanted:")[1]
        assert {line.strip() for line in left.splitlines() if line.startswith("  ")} == {
            "'zenml.client'  (flow.py:6)",
            "!zenml init  (book.ipynb:cell 2)",
            "a cell that is no Python (invalid syntax)  (book.ipynb:cell 3)",
            "dependencies = ['zenml[server]']  (pyproject.toml:3)",
            "failure_hook_source: zenml.hooks.alert  (run.yaml:2)",
            "zenml up  (start.sh:1)",
        }
        assert "  Client().active_stack.model_deployer.deploy  (flow.py:7)\n" in shown.out
        assert "  a check that stops without Client().active_stack.model_registry  (flow.py:11)\n" in shown.out
        assert "alerter" not in shown.out
        assert "tracker" not in shown.out
        assert "create" not in shown.out.split("Names ZenML")[0].split("Not here")[1]
    assert shown.out.startswith("Nothing imports ZenML in ")


def test_names_that_are_not_here_are_told_from_those_that_raise_a_sentence(art: Art, project: Path) -> None:
    (project / "flow.py").write_text(
        "from zenml import *\n"
        "from zenml.nothing_like_it import Thing\n"
        "from zenml import Clientt\n"
        "from zenml.integrations.mlflow.experiment_trackers import MLFlowExperimentTracker\n"
    )
    found = art("migrate", "zenml", "--dry-run", "--json").json
    assert found["unknown"] == {"zenml.nothing_like_it.Thing": ["flow.py:2"], "zenml.Clientt": ["flow.py:3"]}
    assert [*found["missing"]] == ["zenml.integrations.mlflow.experiment_trackers.MLFlowExperimentTracker"]


def test_what_cannot_be_understood_is_left_and_said(art: Art, project: Path) -> None:
    (project / "broken.py").write_text("from zenml import (\n")
    (project / "broken.ipynb").write_text("zenml {")
    (project / "outside").symlink_to(project / "broken.py")
    done = art("migrate", "zenml", ".")
    assert done.code == 0
    assert "warning: broken.py was left as it is: line 1: " in done.err
    assert "warning: broken.ipynb was left as it is: " in done.err
    assert art("migrate", "zenml", "nowhere").err == (
        "error: There is no file or folder 'nowhere'; give the project's.\n"
    )
