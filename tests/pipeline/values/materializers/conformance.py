"""What every materializer of a library has to keep to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from artvcs.pipelines.errors import MaterializerError, UntrustedData
from artvcs.pipelines.values.materializers import by_name, find_for_value
from artvcs.vcs.objects import values

from .harness import files_of, load, save

_PROGRAM = """
import hashlib, importlib, json, sys, tempfile, warnings
from pathlib import Path
from materializers import harness

warnings.simplefilter("ignore")
found = {}
for name, value in importlib.import_module(f"materializers.{sys.argv[1]}").samples().items():
    with tempfile.TemporaryDirectory() as folder:
        harness.save(value, Path(folder, "v"))
        for path, content in harness.files_of(Path(folder, "v")).items():
            found[f"{name}/{path}"] = hashlib.sha256(content).hexdigest()
print(json.dumps(found))
"""


def reload(value: Any, folder: Path, name: str, exact: bool = True) -> Any:
    """What comes back of a value that `name` stores; writing it again gives the same bytes if it is exact."""
    saved = save(value, folder / "first")
    assert name == saved.NAME
    save(value, folder / "again")
    assert files_of(folder / "first") == files_of(folder / "again")
    values.encode(saved.extract_metadata(value))
    loaded = load(folder / "first", name, "object")
    assert type(loaded) is type(value)
    if exact:
        save(loaded, folder / "reloaded")
        assert files_of(folder / "first") == files_of(folder / "reloaded")
    return loaded


def hashes(module: str, seed: str) -> dict[str, str]:
    """The hashes of all files that the `samples()` of a test module become in a new process."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, module.rpartition(".")[2]], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def needs_trust(value: Any, folder: Path) -> None:
    """Loading is refused where it is not trusted, before anything is read."""
    saved = save(value, folder / "value")
    assert saved.runs_code
    reader = by_name(saved.NAME)(str(folder / "value"))
    reader.trusted = False
    with pytest.raises(UntrustedData, match="trust"):
        reader.load(object)


def refuses_cut_files(value: Any, folder: Path, *skipped: str) -> None:
    """Files that end early, or hold nothing, are refused with one kind of error."""
    save(value, folder)
    found = find_for_value(value)
    for path, content in files_of(folder).items():
        if Path(path).name in skipped:
            continue
        for length in {0, 1, len(content) // 2}:
            (folder / path).write_bytes(content[:length])
            with pytest.raises(MaterializerError):
                found(str(folder)).load(object)
        (folder / path).write_bytes(content)
