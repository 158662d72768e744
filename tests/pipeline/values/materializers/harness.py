"""Saving and loading as the runner does it."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

from artvcs.pipelines.values.materializers import Materializer, by_name, find_for_value, resolve_type, type_name


def save(value: Any, folder: Path) -> Materializer:
    """Saves a value into a folder, which it makes, and copies what was included to where it belongs."""
    folder.mkdir(parents=True, exist_ok=True)
    materializer = find_for_value(value)(str(folder))
    materializer.save(value)
    for name, existing in materializer.included.items():
        target = folder / name
        copy = shutil.copytree if existing.is_dir() else shutil.copy2
        copy(existing, target)
    return materializer


def load(folder: Path, name: str, kind: str) -> Any:
    """Loads what was saved, from the names that an artifact records."""
    return by_name(name)(str(folder)).load(resolve_type(kind))


def round_trip(value: Any) -> Any:
    """Saves, loads, and deletes the files; pickling is an error."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        materializer = save(value, Path(folder, "value"))
        return load(Path(folder, "value"), materializer.NAME, type_name(value))


def files_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
