"""Models that can be imported."""

from __future__ import annotations

from typing import Any

from pydantic import (  # type: ignore[import-not-found, unused-ignore]
    BaseModel,
    ConfigDict,
    PrivateAttr,
)


class Item(BaseModel):  # type: ignore[misc, unused-ignore]
    name: str
    price: float


class Order(BaseModel):  # type: ignore[misc, unused-ignore]
    model_config = ConfigDict(extra="allow")

    items: list[Item]
    note: str = ""
    count: int = 0
    _seen: set[Any] = PrivateAttr(default_factory=set)
