"""Garbage collection: what is alive, what becomes of each pack, and doing it."""

from .collection import Done, Progress, collect, plan
from .verdicts import MAX_UNUSED, Plan

__all__ = ["MAX_UNUSED", "Done", "Plan", "Progress", "collect", "plan"]
