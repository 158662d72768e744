"""The same value gives the same bytes, in another process too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .frames import extension_arrays, frames, series, singles
from .harness import files_of, save
from .samples import Plain, arrays, containers, scalars

PROGRAM = """
import hashlib, json, sys, tempfile, warnings
from pathlib import Path
from materializers import frames, harness, samples, test_determinism

warnings.simplefilter("ignore")
found = {}
for name, value in test_determinism.values().items():
    with tempfile.TemporaryDirectory() as folder:
        harness.save(value, Path(folder, "v"))
        for path, content in harness.files_of(Path(folder, "v")).items():
            found[f"{name}/{path}"] = hashlib.sha256(content).hexdigest()
print(json.dumps(found))
"""


def values() -> dict[str, object]:
    groups = {
        group.__name__: group() for group in (scalars, containers, arrays, frames, series, extension_arrays, singles)
    }
    found = {f"{name}-{key}": value for name, group in groups.items() for key, value in group.items()}

    class Local:
        def __init__(self) -> None:
            self.value = ("x", 1)

    found["pickled"] = Plain([1, "a"])
    found["pickled parts"] = {"a": Plain(1), "b": [Plain((2, "x"))]}
    found["local class"] = [Local(), Local()]
    return found


def _bytes_with(seed: str) -> dict[str, str]:
    folder = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.long
def test_two_processes_write_the_same_bytes() -> None:
    assert _bytes_with("1") == _bytes_with("2")


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", values())
def test_saving_twice_writes_the_same_bytes(name: str, tmp_path: Path) -> None:
    value = values()[name]
    save(value, tmp_path / "1")
    save(value, tmp_path / "2")
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")


def test_pickled_code_does_not_hold_the_path_of_its_file() -> None:
    from artvcs.pipelines.values.materializers.pickled.pickle_bytes import stable_dumps

    content = stable_dumps([values()["local class"], lambda x: x + 1])
    assert str(Path(__file__).parent).encode() not in content
