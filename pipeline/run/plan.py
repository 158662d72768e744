"""What a run would do, as it is told: a line a step, and one for the items of a map that are alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ..cache.reasons import Reason
from ..escaping import printable


@dataclass(frozen=True, repr=False)
class PlannedStep:
    """What would happen to one step.

    Attributes:
        step: Its invocation id.
        action: `reuse` an earlier result, `run`, `maybe` run, depending on the steps before it, or run `again` though
            its result is reused, for what it leaves behind.
        summary: Why, in one sentence.
        reasons: What changed since the execution before.
        seconds: How long its last execution took; None where it has not run before, or is reused.
        size: Bytes of what that returned.
    """

    step: str
    action: Literal["reuse", "run", "maybe", "again"]
    summary: str
    reasons: list[Reason] = field(default_factory=list)
    seconds: float | None = None
    size: int | None = None

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.planned_card(self)

    def __repr__(self) -> str:
        return printable(f"<{self.action} {self.step}: {self.summary}>")


class Plan(list[PlannedStep]):
    """What would happen to the steps of a pipeline, in their order.

    Attributes:
        seconds: How long it would take if all run that may, by how long they took; as many side by side as there are
            jobs.
        groups: Of those that are items of a `step.map`: the first one → all of them.
    """

    def __init__(
        self, steps: Iterable[PlannedStep], seconds: float, groups: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(steps)
        self.seconds = seconds
        self.groups = groups or {}

    @property
    def running(self) -> list[PlannedStep]:
        """The steps that would run, or may."""
        return [each for each in self if each.action != "reuse"]

    def _repr_html_(self) -> str:
        from ..values.visualizations import cards

        return cards.plan_table(self.shown())

    def shown(self) -> list[PlannedStep]:
        """The steps as they are shown: items of a map of which the same would become, for the same reasons, as one.

        Its `step` says how many they are. Reasons are given where they are the same to the letter.
        """
        group_of = {item: first for first, items in self.groups.items() for item in items}
        alike: dict[object, list[PlannedStep]] = {}
        for each in self:
            first = group_of.get(each.step)
            alike.setdefault(each.step if first is None else (first, *_in_short(each)), []).append(each)
        return [_as_one(*some) for some in alike.values()]


def _in_short(planned: PlannedStep) -> tuple[object, ...]:
    """What would become of an item, and why, as it may be the same for many: each waits for an item of its own."""
    why = tuple((reason.kind, reason.subject) for reason in planned.reasons)
    return planned.action, why or (planned.summary if planned.action != "maybe" else "")


def _as_one(first: PlannedStep, *others: PlannedStep) -> PlannedStep:
    if not others:
        return first
    reasons = first.reasons if all(each.reasons == first.reasons for each in others) else []
    return replace(first, step=f"{first.step} ×{len(others) + 1:,}", reasons=reasons)
