"""scikit-learn estimators by skops, which loads without running code.

skops writes a zip file with times in it, and the memory addresses of objects as their ids. Both are
taken out, so that one model is one artifact: the members are files of the folder, the ids are counted.
What skops does not load without being told to trust it is trusted here by `sklearn_types`. An estimator
that skops would not bring back identically, or that holds anything else, is pickled instead.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import sklearn.base
import skops.io

from ..base import Materializer
from ..files import dump_json, reading
from ..model_facts import model_metadata
from ..numpy.arrays import without_padding
from .sklearn_types import COMPILED, TRUSTED

_FOLDER = "model"
_SCHEMA = "schema.json"
_TREE = "sklearn.tree._tree.Tree"
# How a KDTree or BallTree says its state: arrays, sizes, the counters, the metric and the weights.
_SEARCH_TREES = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")
_SEARCH_TREE_PARTS = 13
_SEARCH_TREE_COUNTERS = slice(7, 11)


class SklearnMaterializer(Materializer):
    """Estimators, transformers and pipelines of scikit-learn."""

    NAME = "artvcs.sklearn"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (sklearn.base.BaseEstimator,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for what skops does not load by itself, or not as it was."""
        try:
            members = _members(data)
            return _members(_loads(_archive(members))) == members
        except Exception:  # skops looks through objects of any kind
            return False

    @classmethod
    def lacking(cls, data: Any) -> list[str]:
        """What skops would not load without being told to trust it."""
        try:
            itself = f"{type(data).__module__}.{type(data).__qualname__}"
            return sorted(set(skops.io.get_untrusted_types(data=skops.io.dumps(data))) - TRUSTED - COMPILED - {itself})
        except Exception:  # as in `accepts`
            return []

    def save(self, data: Any) -> None:
        """Writes the members of skops' zip file."""
        folder = Path(self.uri) / _FOLDER
        folder.mkdir()
        members = _members(data)
        for name, content in members.items():
            (folder / name).write_bytes(content)
        self.runs_code = _needs_trust(members)

    def load(self, data_type: type[Any]) -> Any:
        """Reads them."""
        with reading(_SCHEMA):
            path = Path(self.uri) / _FOLDER / _SCHEMA
            files = [file for file in path.parent.iterdir() if file.is_file() and not file.is_symlink()]
            members = {file.name: file.read_bytes() for file in files}
            if _needs_trust(members):
                self.require_trust()
            return _loads(_archive(members))

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """Parameters, and the features that count most."""
        from artvcs.pipelines.values.visualizations import writing
        from artvcs.pipelines.values.visualizations.kinds import model_table

        return writing.write(self.uri, model_table.of_model(data))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The class and its parameters."""
        return model_metadata(data)


def _members(model: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members.pop(_SCHEMA))
    names: dict[str, str] = {}
    _renumber(schema, {}, names)
    found = {names[name]: _without_padding(content) for name, content in members.items()}
    return {_SCHEMA: dump_json(schema), **dict(sorted(found.items()))}


def _renumber(node: Any, ids: dict[int, int], names: dict[str, str]) -> None:
    """Replaces memory addresses by numbers, in the order of the document."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, ids, names)
    elif isinstance(node, dict):
        if node.get("__module__") in _SEARCH_TREES and node.get("__loader__") == "ObjectNode":
            _forget_queries(node["content"]["content"])
        if node.get("__loader__") == "JsonNode":
            node.pop("__id__", None)  # whether two equal numbers are one object is no part of the value
        elif isinstance(node.get("__id__"), int):
            node["__id__"] = ids.setdefault(node["__id__"], len(ids) + 1)
        if "__loader__" in node and isinstance(node.get("file"), str):
            file = node["file"]
            node["file"] = names.setdefault(file, f"{len(names)}{Path(file).suffix}")
        for item in node.values():
            _renumber(item, ids, names)


def _forget_queries(state: list[Any]) -> None:
    """Sets the counters of past queries to zero: predicting would make another artifact of a model."""
    if len(state) == _SEARCH_TREE_PARTS:
        for counter in state[_SEARCH_TREE_COUNTERS]:
            counter["content"] = "0"


def _without_padding(content: bytes) -> bytes:
    """The nodes of a tree are records with gaps, which hold whatever was in memory."""
    if not content.startswith(np.lib.format.MAGIC_PREFIX):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    clean = without_padding(array)
    if clean is array:
        return content
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _archive(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _needs_trust(members: dict[str, bytes]) -> bool:
    # Both, since older versions of skops trust trees, and newer ones find them under other names too.
    named = _classes(json.loads(members[_SCHEMA]))
    return not COMPILED.isdisjoint({*named, *skops.io.get_untrusted_types(data=_archive(members))})


def _classes(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_classes, node))
    if not isinstance(node, dict):
        return set()
    # A tree by its loader too: some versions of skops make one whatever the class is said to be.
    name = _TREE if node.get("__loader__") == "TreeNode" else f"{node.get('__module__')}.{node.get('__class__')}"
    return {name}.union(*map(_classes, node.values()))


def _loads(archive: bytes) -> Any:
    return skops.io.loads(archive, trusted=sorted(TRUSTED | COMPILED))
