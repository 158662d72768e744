"""Hugging Face models as `save_pretrained` writes them: configuration and safetensors, no pickle.

That keeps the weights, not what was done to a model in memory. Which parameters were frozen and which
modules were training is written beside; a model that is not what its configuration says goes to the
materializer of torch modules.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import torch
import transformers
from transformers.utils import logging

from .base import Materializer
from .files import read_json, reading, write_json
from .protocols import Json
from .torch_modules import module_metadata
from .typenames import class_path

_FOLDER = "model"
_STATE = "state.json"
# Other names than these are downloaded from a hub, and run.
_ATTENTION = ("eager", "sdpa", "flex_attention", "flash_attention_2", "flash_attention_3")


class ModelMaterializer(Materializer):
    """Models whose class can be imported, and that are what their configuration says."""

    NAME = "artvcs.transformers.model"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (transformers.PreTrainedModel,)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for models of several types of number, quantized ones, and those that were changed by hand."""
        kinds = {each.dtype for each in data.parameters()}
        usual = (
            class_path(type(data)) is not None and len(kinds) == 1 and data.config._attn_implementation in _ATTENTION
        )
        return usual and not _is_special(data) and _is_as_configured(data)

    def save(self, data: Any) -> None:
        """Writes the model, and what `save_pretrained` leaves out."""
        with quiet():
            data.save_pretrained(Path(self.uri) / _FOLDER)
        state = {
            "class": self.class_path(type(data)),
            "dtype": str(next(data.parameters()).dtype).removeprefix("torch."),
            "attention": data.config._attn_implementation,
            "training": [name for name, module in data.named_modules() if module.training],
            "frozen": [name for name, each in data.named_parameters() if not each.requires_grad],
        }
        write_json(self.folder, _STATE, state)

    def load(self, data_type: type[Any]) -> Any:
        """Reads them; no code that comes with the files is run."""
        with reading(_STATE):
            state, folder = read_json(self.folder, _STATE), Path(self.uri) / _FOLDER
            model = _read(self.find_class(state["class"]), folder, state)
            training, frozen = set(state["training"]), set(state["frozen"])
            for name, module in model.named_modules():
                module.training = name in training
            for name, each in model.named_parameters():
                each.requires_grad_(name not in frozen)
            return model

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """The class, the kind of model, and how many parameters it has."""
        return {**module_metadata(data), "model_type": str(data.config.model_type)}


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars for what takes part of a second."""
    progress: Any = logging
    shown = progress.is_progress_bar_enabled()
    progress.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            progress.enable_progress_bar()


def _is_special(data: Any) -> bool:
    hooked = any(module._forward_hooks or module._forward_pre_hooks for module in data.modules())
    quantized = getattr(data.config, "quantization_config", None) is not None
    return bool(hooked or quantized or getattr(data, "_hf_peft_config_loaded", False))


def _is_as_configured(data: Any) -> bool:
    """Whether the configuration gives a model of the same parts, which takes no memory to find out."""
    try:
        with torch.device("meta"), torch.random.fork_rng(devices=[]):
            fresh = type(data)(copy.deepcopy(data.config))
    except Exception:  # the model's own code
        return False
    same_shapes = {name: each.shape for name, each in fresh.state_dict().items()} == {
        name: each.shape for name, each in data.state_dict().items()
    }
    return same_shapes and repr(fresh) == repr(data) and fresh.config.to_dict() == data.config.to_dict()


def _read(cls: Any, folder: Path, state: Json) -> Any:
    if not issubclass(cls, transformers.PreTrainedModel) or state["attention"] not in _ATTENTION:
        raise ValueError(f"{state['class']} with {state['attention']} is no model that was stored here")
    if "quantization_config" in json.loads((folder / "config.json").read_bytes()):
        raise ValueError("a quantized model is not stored this way")
    with quiet(), torch.random.fork_rng(devices=[]):
        model, found = cls.from_pretrained(
            folder,
            dtype=getattr(torch, state["dtype"]),
            attn_implementation=state["attention"],
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    if any(found.values()):
        raise ValueError(f"weights are missing or too many: {found}")
    model.config._name_or_path = model.name_or_path = ""  # where it was read is nobody's business
    return model
