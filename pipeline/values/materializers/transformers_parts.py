"""What goes with a Hugging Face model: configurations and tokenizers, as the files of the library."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import transformers

from .base import Materializer
from .files import dump_json, read_json, reading, write_json
from .typenames import class_path

_FOLDER = "tokenizer"
_CONFIG = "config.json"
_CLASS = "class.json"
# How the last call asked texts to be cut and filled; the next call sets it anew.
_LAST_CALL = ("truncation", "padding")
# What loading leaves in a tokenizer: it says where from, not what.
_TRACES = ("is_local", "local_files_only")


class ConfigMaterializer(Materializer):
    """Configurations whose class can be imported, defaults included: they differ between versions."""

    NAME = "artvcs.transformers.config"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (transformers.PreTrainedConfig,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for local classes and for what its dictionary does not bring back."""
        try:
            facts = data.to_dict()
            return class_path(type(data)) is not None and type(data).from_dict(facts).to_dict() == facts
        except Exception:  # the configuration's own code
            return False

    def save(self, data: Any) -> None:
        """Writes the configuration and its class."""
        data.to_json_file(Path(self.uri) / _CONFIG, use_diff=False)
        write_json(self.folder, _CLASS, self.class_path(type(data)))

    def load(self, data_type: type[Any]) -> Any:
        """Reads them."""
        with reading(_CLASS):
            cls = _subclass(self.find_class(read_json(self.folder, _CLASS)), transformers.PreTrainedConfig)
            return cls.from_dict(read_json(self.folder, _CONFIG))

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The class and the kind of model."""
        return {"class": type(data).__name__, "model_type": str(data.model_type)}


class TokenizerMaterializer(Materializer):
    """Tokenizers whose class can be imported."""

    NAME = "artvcs.transformers.tokenizer"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (transformers.PreTrainedTokenizerBase,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for local classes and for what would be written otherwise after loading."""
        if class_path(type(data)) is None:
            return False
        try:
            with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
                _write(data, Path(first))
                _write(_load(type(data), Path(first)), Path(second))
                return _files(Path(first)) == _files(Path(second))
        except Exception:  # the tokenizer's own code
            return False

    def save(self, data: Any) -> None:
        """Writes the library's files and the class."""
        _write(data, Path(self.uri) / _FOLDER)
        write_json(self.folder, _CLASS, self.class_path(type(data)))

    def load(self, data_type: type[Any]) -> Any:
        """Reads them; no code that comes with the files is run."""
        with reading(_CLASS):
            cls = _subclass(self.find_class(read_json(self.folder, _CLASS)), transformers.PreTrainedTokenizerBase)
            return _load(cls, Path(self.uri) / _FOLDER)

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The class and the number of tokens."""
        return {"class": type(data).__name__, "tokens": len(data)}


def _write(tokenizer: Any, folder: Path) -> None:
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer.json"
    if path.exists():
        path.write_bytes(dump_json({**json.loads(path.read_bytes()), **dict.fromkeys(_LAST_CALL)}))


def _load(cls: Any, folder: Path) -> Any:
    tokenizer = cls.from_pretrained(folder, local_files_only=True)
    for name in _TRACES:
        tokenizer.init_kwargs.pop(name, None)
    tokenizer.name_or_path = ""
    return tokenizer


def _subclass(found: type, base: type) -> Any:
    if not issubclass(found, base):
        raise ValueError(f"{found.__name__} is no {base.__name__}")
    return found


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
