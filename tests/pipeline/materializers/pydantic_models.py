"""Models that can be imported."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, PrivateAttr


class Item(BaseModel):
    name: str
    price: float


class Order(BaseModel):
    model_config = ConfigDict(extra="allow")

    items: list[Item]
    note: str = ""
    count: int = 0
    _seen: set[Any] = PrivateAttr(default_factory=set)
