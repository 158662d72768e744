"""Garbage collection: what is alive, what becomes of each pack, and doing it."""

from .collection import Done, Progress, collect, collect_on, plan, plan_on, unseen
from .ground import Ground
from .verdicts import MAX_UNUSED, Plan

__all__ = ["MAX_UNUSED", "Done", "Ground", "Plan", "Progress", "collect", "collect_on", "plan", "plan_on", "unseen"]
