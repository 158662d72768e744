"""One step has one fingerprint: as a script, by import, in another clone, process or Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import artvcs

Project = Any  # the fixture in conftest.py

FILES = {
    "pipeline.py": """\
        import math, pkg.sub
        from helpers import clean as tidy
        RATES = {"a": 1, "b": 2.5}
        NAMES = {"x", "y", "z"}
        class Net:
            size: int = 3
            def forward(self, x):
                return f"{x!r:>{self.size}}" + f"{x:{self.size}.{self.size}}"
        def train(x: "Net" = None) -> int:
            def inner(y, n=2):
                return [tidy(i) for i in y if i not in NAMES]
            try:
                return inner(pkg.sub.f()) + RATES["a"] + 10**20 + len('caf\\u00e9 \\U0001F600')
            except* ValueError:
                pass
            return None
        if __name__ == "__main__":
            from artvcs.pipelines.fingerprint import fingerprint
            print(fingerprint(train).id)
        """,
    "helpers.py": "def clean(x):\n    import pipeline\n    return x, pipeline.RATES\n",
    "pkg/__init__.py": "",
    "pkg/sub.py": "def f():\n    return 1\n",
}
BY_IMPORT = (
    "import pipeline, sys; from artvcs.pipelines.fingerprint import fingerprint as f; print(f(pipeline.train).id)"
)
BY_PATH = """
import importlib.util, sys
from artvcs.pipelines.fingerprint import fingerprint
spec = importlib.util.spec_from_file_location("__art_run__", sys.argv[1])
module = sys.modules["__art_run__"] = importlib.util.module_from_spec(spec)
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
spec.loader.exec_module(module)
print(fingerprint(module.train).id)
"""


def run(arguments: list[str], cwd: Path, python: str = sys.executable, seed: str = "0") -> str:
    source = str(Path(artvcs.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": source, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_way_to_load_a_step_gives_one_fingerprint(project: Project, tmp_path: Path) -> None:
    project.write(FILES)
    clone = tmp_path / "elsewhere" / "clone"
    shutil.copytree(project.folder, clone)
    ids = {
        "script": run(["pipeline.py"], project.folder),
        "script, from another folder": run([str(project.folder / "pipeline.py")], tmp_path, seed="1"),
        "module": run(["-m", "pipeline"], project.folder, seed="2"),
        "import": run(["-c", BY_IMPORT], project.folder, seed="3"),
        "path": run(["-c", BY_PATH, str(project.folder / "pipeline.py")], tmp_path, seed="4"),
        "clone": run(["pipeline.py"], clone),
    }
    assert len(set(ids.values())) == 1, ids


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_gives_the_same_fingerprint(project: Project, version: str) -> None:
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", "import blake3"], capture_output=True, check=False).returncode:
        pytest.skip(f"no Python {version} with blake3 here")
    project.write(FILES)
    assert run(["pipeline.py"], project.folder, python) == run(["pipeline.py"], project.folder)


def test_a_script_that_changed_folder_is_still_found(project: Project) -> None:
    project.write(FILES)
    original = run(["pipeline.py"], project.folder)
    project.edit("pipeline.py", "import fingerprint\n", "import fingerprint\n    import os; os.chdir('/')\n")
    assert run(["pipeline.py"], project.folder) == original


def test_without_git_the_nearest_pyproject_is_the_root(project: Project) -> None:
    (project.folder / ".git").rmdir()
    project.write({"pyproject.toml": "", "src/app/__init__.py": "", "src/app/steps.py": "def train():\n    return 1\n"})
    code = (
        "import sys; sys.path.insert(0, 'src'); import app.steps as s;"
        "from artvcs.pipelines.fingerprint import fingerprint as f; print(f(s.train).parts[0].name)"
    )
    assert run(["-c", code], project.folder) == "src/app/steps.py::train"
