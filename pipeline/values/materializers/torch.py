"""torch tensors as safetensors, which holds numbers and nothing else."""

from __future__ import annotations

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
        write_json(self.folder, _HEADER, tensor_files.write(self.folder.path, {_NAME: data}))

    def load(self, data_type: type[Any]) -> Any:
        """Reads them."""
        with reading(_HEADER):
            return tensor_files.read(self.folder.path, read_json(self.folder, _HEADER))[_NAME]

    def extract_metadata(self, data: torch.Tensor) -> dict[str, Any]:
        """Shape, dtype, and the statistics of numbers unless there are very many."""
        facts: dict[str, Any] = {"shape": list(data.shape), "dtype": str(data.dtype).removeprefix("torch.")}
        facts["requires_grad"] = data.requires_grad
        if 0 < data.numel() <= _MAX_STATISTICS and not data.is_complex():
            numbers = data.detach().cpu().double()
            facts |= {"min": float(numbers.min()), "max": float(numbers.max())}
            facts |= {"mean": float(numbers.mean()), "std": float(numbers.std(correction=0))}
        return facts
