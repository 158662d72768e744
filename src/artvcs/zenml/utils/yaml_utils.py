"""YAML and JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .._names import finder


def read_yaml(file_path: str) -> Any:
    """What a YAML file holds."""
    import yaml

    return yaml.safe_load(Path(file_path).read_text())


def write_yaml(file_path: str, contents: Any, sort_keys: bool = True) -> None:
    """Writes a YAML file."""
    import yaml

    Path(file_path).write_text(yaml.safe_dump(contents, sort_keys=sort_keys))


def append_yaml(file_path: str, contents: dict[Any, Any]) -> None:
    """Adds to what a YAML file holds."""
    write_yaml(file_path, {**(read_yaml(file_path) or {}), **contents})


def is_yaml(file_path: str) -> bool:
    """Whether a file is called like one of YAML."""
    return file_path.endswith((".yaml", ".yml"))


def is_json_serializable(obj: Any) -> bool:
    """Whether JSON can hold something."""
    try:
        json.dumps(obj)
    except (TypeError, ValueError):
        return False
    return True


def read_json(file_path: str) -> Any:
    """What a JSON file holds."""
    return json.loads(Path(file_path).read_text())


def write_json(file_path: str, contents: Any, indent: int | None = None) -> None:
    """Writes a JSON file."""
    Path(file_path).write_text(json.dumps(contents, indent=indent))


def __getattr__(name: str) -> Any:
    return finder.look_up(__name__, name)
