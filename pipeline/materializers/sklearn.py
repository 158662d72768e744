"""scikit-learn estimators by skops, which loads without running code.

skops writes a zip file with times in it, and the memory addresses of objects as their ids. Both are
taken out, so that one model is one artifact: the members are files of the folder, the ids are counted.
An estimator that skops would not load again without being told to trust it is pickled instead.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import sklearn.base
import skops.io

from .base import Materializer
from .files import dump_json, reading
from .models import model_metadata

_FOLDER = "model"
_SCHEMA = "schema.json"


class SklearnMaterializer(Materializer):
    """Estimators, transformers and pipelines of scikit-learn."""

    NAME = "artvcs.sklearn"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (sklearn.base.BaseEstimator,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for what skops does not load by itself, or not as it was."""
        try:
            members = _members(data)
            return _members(_loads(members)) == members
        except Exception:  # skops looks through objects of any kind
            return False

    def save(self, data: Any) -> None:
        """Writes the members of skops' zip file."""
        folder = Path(self.uri) / _FOLDER
        folder.mkdir()
        for name, content in _members(data).items():
            (folder / name).write_bytes(content)

    def load(self, data_type: type[Any]) -> Any:
        """Reads them."""
        with reading(Path(self.uri) / _FOLDER / _SCHEMA) as path:
            files = [file for file in path.parent.iterdir() if file.is_file() and not file.is_symlink()]
            return _loads({file.name: file.read_bytes() for file in files})

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The class and its parameters."""
        return model_metadata(data)


def _members(model: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members.pop(_SCHEMA))
    names: dict[str, str] = {}
    _renumber(schema, {}, names)
    found = {names[name]: content for name, content in members.items()}
    return {_SCHEMA: dump_json(schema), **dict(sorted(found.items()))}


def _renumber(node: Any, ids: dict[int, int], names: dict[str, str]) -> None:
    """Replaces memory addresses by numbers, in the order of the document."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, ids, names)
    elif isinstance(node, dict):
        if isinstance(node.get("__id__"), int):
            node["__id__"] = ids.setdefault(node["__id__"], len(ids) + 1)
        if "__loader__" in node and isinstance(node.get("file"), str):
            file = node["file"]
            node["file"] = names.setdefault(file, f"{len(names)}{Path(file).suffix}")
        for item in node.values():
            _renumber(item, ids, names)


def _loads(members: dict[str, bytes]) -> Any:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return skops.io.loads(buffer.getvalue(), trusted=[])
