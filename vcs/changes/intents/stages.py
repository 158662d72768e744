"""What is meant with the stages of a name: moving one to a version, or taking it away."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from ...errors import Conflict
from ...maps import ref_names, stages, versions
from ...objects.kinds import Promotion
from ...objects.records import record
from ..view import View
from .base import Intent


@record
class Promote(Intent):
    """Moves a stage to a version, wherever it was; where it is there already, only another reason is noted.

    Attributes:
        promotion: What is to be noted; its time is put off where the promotion before it says to be later.
    """

    NAME: ClassVar[str] = "promote"
    promotion: Promotion

    def replay(self, view: View) -> None:
        """See `Intent.replay`."""
        new = self.promotion
        if new.artifact is not None and versions.by_value(view, new.name, new.artifact) is None:
            raise Conflict(f"The version of {new.name!r} that was to be {new.stage!r} has been deleted meanwhile.")
        if any(True for _ in view.items(ref_names.labels(new.name, new.stage))):
            raise Conflict(f"{new.name!r} has an explicit version {new.stage!r}; give the stage another name.")
        before = stages.last(view, new.name, new.stage)
        if before is None and new.artifact is None:
            return
        if before is not None and new.artifact == before.artifact and new.reason in ("", before.reason):
            return
        created = new.created if before is None else max(new.created, before.created + 1)
        noted = view.put(dataclasses.replace(new, created=created))
        view.set(ref_names.promotion(new.name, new.stage, created, noted), noted)
