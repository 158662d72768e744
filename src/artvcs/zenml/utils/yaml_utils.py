"""YAML and JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_yaml(file_path: str) -> Any:
    """What a YAML file holds."""
    import yaml

    return yaml.safe_load(Path(file_path).read_text())


def write_yaml(file_path: str, contents: Any, sort_keys: bool = True) -> None:
    """Writes a YAML file."""
    import yaml

    Path(file_path).write_text(yaml.safe_dump(contents, sort_keys=sort_keys))


def read_json(file_path: str) -> Any:
    """What a JSON file holds."""
    return json.loads(Path(file_path).read_text())


def write_json(file_path: str, contents: Any, indent: int | None = None) -> None:
    """Writes a JSON file."""
    Path(file_path).write_text(json.dumps(contents, indent=indent))
