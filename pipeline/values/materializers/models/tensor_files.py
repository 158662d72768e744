"""Named torch tensors in one safetensors file, each piece of memory once.

safetensors knows neither gradients, strides nor that two names are one tensor; that is in the descriptions
that `write` returns and `read` takes. Tensors come from and go to the memory of the CPU: on which device
one was is no part of its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from ..protocols import Json

FILE = "tensors.safetensors"
_TYPES: dict[str, Any] = {"Tensor": torch.Tensor, "Parameter": torch.nn.Parameter}
# The types that every version of safetensors has; the others are stored as the numbers they consist of.
_NATIVE = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"}


def fits(tensor: torch.Tensor) -> bool:
    """Whether a tensor is kept exactly but for attributes that its user gave it."""
    usual = type(tensor) in _TYPES.values() and tensor.layout is torch.strided and not tensor.is_quantized
    if not usual or tensor.is_meta or any(getattr(tensor, "names", ())):  # names are gone in newer versions
        return False
    return tensor.is_complex() or _name(tensor.dtype) in _NATIVE or _carrier(tensor.dtype) is not None


def write(folder: Path, tensors: Mapping[str, torch.Tensor]) -> dict[str, Json]:
    """Writes tensors that `fits`; returns what is to be known of each beside its numbers."""
    content: dict[str, torch.Tensor] = {}
    described: dict[str, Json] = {}
    for group in _by_memory(tensors):
        if _overlap([tensors[name] for name in group]):
            content[group[0]] = _all_memory(tensors[group[0]])
            described |= {name: _describe_view(tensors[name], group[0]) for name in group}
            continue
        written: dict[Any, str] = {}
        for name in group:
            key = written.setdefault(_place(tensors[name]), name)
            order = _dense_order(tensors[name])
            described[name] = _describe(tensors[name]) | {"data": key, "order": order}
            if key == name:
                content[name] = _numbers(tensors[name].permute(order) if order else tensors[name])
    safetensors.torch.save_file(content, folder / FILE)
    return {name: described[name] for name in tensors}


def read(folder: Path, described: Mapping[str, Json]) -> dict[str, torch.Tensor]:
    """Reads what `write` wrote; raises nearly anything where it is malformed."""
    content = safetensors.torch.load_file(folder / FILE)
    restored: dict[Any, torch.Tensor] = {}
    return {name: _restore(content, restored, facts) for name, facts in described.items()}


def _restore(content: dict[str, torch.Tensor], restored: dict[Any, torch.Tensor], facts: Json) -> torch.Tensor:
    key, dtype = facts["data"], _dtype(facts["dtype"])
    if (key, dtype) not in restored:
        numbers = content[key]
        # In the file one number follows the other; the processor may crash on those that start just anywhere.
        # And strides could lead anywhere in the file, if the tensor had no memory of its own.
        copied = "stride" in facts or numbers.data_ptr() % dtype.itemsize
        restored[key, dtype] = _from_numbers(numbers.clone() if copied else numbers, dtype)
    found = restored[key, dtype].detach()
    if "stride" in facts:
        found = found.as_strided(facts["shape"], facts["stride"], facts["offset"])
    elif facts["order"]:
        found = found.permute([facts["order"].index(place) for place in range(len(facts["order"]))])
    if list(found.shape) != facts["shape"]:
        raise ValueError(f"a tensor of shape {list(found.shape)} that is said to have {facts['shape']}")
    if facts["type"] == "Parameter":
        return torch.nn.Parameter(found, requires_grad=facts["requires_grad"])
    return found.requires_grad_(facts["requires_grad"])


def _describe(tensor: torch.Tensor) -> dict[str, Json]:
    return {
        "type": type(tensor).__name__,
        "dtype": _name(tensor.dtype),
        "shape": list(tensor.shape),
        "requires_grad": tensor.requires_grad,
    }


def _describe_view(tensor: torch.Tensor, key: str) -> Json:
    return _describe(tensor) | {"data": key, "stride": list(tensor.stride()), "offset": tensor.storage_offset()}


def _by_memory(tensors: Mapping[str, torch.Tensor]) -> list[list[str]]:
    """The names, those together whose tensors lie in the same allocation."""
    groups: dict[Any, list[str]] = {}
    for name, tensor in tensors.items():
        place = (tensor.device, tensor.untyped_storage().data_ptr())
        alone = tensor.numel() == 0 or tensor.is_conj() or tensor.is_neg()
        groups.setdefault(name if alone else place, []).append(name)
    return list(groups.values())


def _overlap(group: list[torch.Tensor]) -> bool:
    """Whether some of the tensors share numbers without being the same view."""
    spans = sorted({_place(tensor): _span(tensor) for tensor in group}.values())
    return any(after[0] < before[1] for before, after in pairwise(spans))


def _place(tensor: torch.Tensor) -> Any:
    return (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())


def _span(tensor: torch.Tensor) -> tuple[int, int]:
    last = sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()


def _all_memory(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(tensor.untyped_storage()).cpu()


def _dense_order(tensor: torch.Tensor) -> list[int] | None:
    """The order of dimensions in which a tensor without gaps lies in memory, if it is not the usual one."""
    if tensor.is_contiguous():
        return None
    steps = tensor.stride()
    order = sorted(range(len(steps)), key=lambda place: -steps[place])
    return order if tensor.permute(order).is_contiguous() else None


def _numbers(tensor: torch.Tensor) -> torch.Tensor:
    plain = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous()
    if plain.is_complex():
        return torch.view_as_real(plain)
    carrier = _carrier(plain.dtype)
    return plain.view(carrier) if carrier else plain


def _from_numbers(numbers: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    if dtype.is_complex and numbers.dtype != torch.uint8:
        return torch.view_as_complex(numbers)
    return numbers if numbers.dtype == dtype else numbers.view(dtype)


def _carrier(dtype: torch.dtype) -> torch.dtype | None:
    """The type that carries the bits of one that safetensors may not know."""
    known = {"uint16": torch.int16, "uint32": torch.int32, "uint64": torch.int64}
    return torch.uint8 if _name(dtype).startswith("float8_") else known.get(_name(dtype))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _dtype(name: str) -> torch.dtype:
    found = getattr(torch, name)
    if not isinstance(found, torch.dtype):
        raise ValueError(f"{name} is no type of numbers")
    return found
