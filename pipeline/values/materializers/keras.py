"""Keras models as the members of a `.keras` file, without the times and memory addresses Keras writes.

Loading asks for trust: the format names functions and classes to call, and Keras has been made to call the
wrong ones more than once.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import keras

from artvcs.pipelines.errors import MaterializerError

from .base import Materializer
from .files import dump_json, reading
from .protocols import Json

_FOLDER = "model"
_CONFIG = "config.json"
_METADATA = "metadata.json"
_TIME = "date_saved"
_SHARED = "shared_object_id"
# Keras shares one policy among layers when it makes them, but not when it loads them: that says nothing.
_NEVER_SHARED = ("DTypePolicy",)


class KerasMaterializer(Materializer):
    """Models: structure, weights, optimizer and its state."""

    NAME = "artvcs.keras"
    RUNS_CODE = True
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (keras.Model,)

    def save(self, data: Any) -> None:
        """Writes the members.

        Raises:
            MaterializerError: Keras would not load the model again.
        """
        folder = Path(self.uri) / _FOLDER
        with tempfile.TemporaryDirectory() as temporary:
            archive = Path(temporary, "model.keras")
            data.save(archive)
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
        _rewrite(folder / _METADATA, _without_time)
        _rewrite(folder / _CONFIG, lambda config: _renumber(config, {}))
        if _custom_classes(json.loads((folder / _CONFIG).read_bytes())):
            self._check(data)

    def load(self, data_type: type[Any]) -> Any:
        """Has Keras read them; this can run code held in the file."""
        with reading(_CONFIG):
            path = Path(self.uri) / _FOLDER / _CONFIG
            has_lambda = b"__lambda__" in path.read_bytes()
            with tempfile.TemporaryDirectory() as temporary:
                archive = Path(temporary, "model.keras")
                _zip(path.parent, archive)
                return keras.saving.load_model(archive, safe_mode=not has_lambda)

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The class, the layers and the number of parameters."""
        facts: dict[str, Any] = {
            "class": type(data).__name__,
            "layers": [f"{layer.name}: {type(layer).__name__}" for layer in data.layers],
            "keras": str(keras.__version__),
        }
        if data.built:
            facts["parameter_count"] = int(data.count_params())
        optimizer = getattr(data, "optimizer", None)
        return facts if optimizer is None else facts | {"optimizer": type(optimizer).__name__}

    def _check(self, data: Any) -> None:
        try:
            self.load(type(data))
        except Exception as error:  # Keras runs the user's own classes
            raise MaterializerError(
                f"Keras cannot load this {type(data).__name__} again, since it does not find its classes; register "
                "them by @keras.saving.register_keras_serializable() in a module that can be imported."
            ) from error


def _rewrite(path: Path, change: Any) -> None:
    path.write_bytes(dump_json(change(json.loads(path.read_bytes()))))


def _without_time(metadata: Json) -> Json:
    return {name: value for name, value in metadata.items() if name != _TIME}


def _renumber(node: Json, numbers: dict[int, int]) -> Json:
    """The configuration with memory addresses replaced by numbers, in the order of the document."""
    if isinstance(node, list):
        return [_renumber(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("class_name") in _NEVER_SHARED:
        node = {name: value for name, value in node.items() if name != _SHARED}
    if isinstance(node.get(_SHARED), int):
        node = {**node, _SHARED: numbers.setdefault(node[_SHARED], len(numbers) + 1)}
    return {name: _renumber(value, numbers) for name, value in node.items()}


def _custom_classes(node: Json) -> bool:
    """Whether a configuration names classes that are not Keras's own."""
    if isinstance(node, list):
        return any(map(_custom_classes, node))
    if not isinstance(node, dict):
        return False
    module = node.get("module", "keras")
    return str(module).split(".")[0] != "keras" or any(map(_custom_classes, node.values()))


def _zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                opened.write(path, path.relative_to(folder).as_posix())
