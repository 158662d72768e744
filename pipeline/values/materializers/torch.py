"""torch tensors as safetensors, which holds numbers and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch

from . import tensor_files
from .base import Materializer
from .files import read_json, reading, write_json

_HEADER = "tensor.json"
_NAME = "tensor"
_MAX_STATISTICS = 10_000_000


class TensorMaterializer(Materializer):
    """Dense tensors and parameters of any type of number. History for gradients is no part of them."""

    NAME = "artvcs.torch.Tensor"
    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = (torch.Tensor, torch.nn.Parameter)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """False for sparse, quantized and named tensors, and for those that were given attributes."""
        return not vars(data) and tensor_files.fits(data)

    def save(self, data: torch.Tensor) -> None:
        """Writes the numbers, and what else there is to know."""
        folder = Path(self.uri)
        write_json(folder / _HEADER, tensor_files.write(folder, {_NAME: data}))

    def load(self, data_type: type[Any]) -> Any:
        """Reads them."""
        with reading(Path(self.uri) / _HEADER) as path:
            return tensor_files.read(path.parent, read_json(path))[_NAME]

    def extract_metadata(self, data: torch.Tensor) -> dict[str, Any]:
        """Shape, dtype, and the statistics of numbers unless there are very many."""
        facts: dict[str, Any] = {"shape": list(data.shape), "dtype": str(data.dtype).removeprefix("torch.")}
        facts["requires_grad"] = data.requires_grad
        if 0 < data.numel() <= _MAX_STATISTICS and not data.is_complex():
            numbers = data.detach().cpu().double()
            facts |= {"min": float(numbers.min()), "max": float(numbers.max())}
            facts |= {"mean": float(numbers.mean()), "std": float(numbers.std(correction=0))}
        return facts
