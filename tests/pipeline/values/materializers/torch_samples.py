"""Modules that can be imported."""

from __future__ import annotations

from typing import Any

import torch


class Tied(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """Weights that two layers share, buffers that are not saved by torch, and tensors that are attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(5, 3)
        self.output = torch.nn.Linear(3, 5, bias=False)
        self.output.weight = self.embedding.weight
        for name in ("one", "two", "three"):
            self.register_buffer(name, torch.zeros(2), persistent=False)
        self.whole = torch.arange(10.0)
        self.part = self.whole[2:5]

    def forward(self, x: Any) -> Any:
        return self.output(self.embedding(x))


def tied() -> Any:
    """The same module each time."""
    torch.manual_seed(0)
    return Tied()
