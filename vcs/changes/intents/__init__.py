"""What a change means: add a version, label it, note something, delete what was looked at.

A transaction records intents and not their effects. Publishing replays them on the newest state, whatever others have
published since: edits of different things are put together, a number is taken only then, and what can no longer be
meant is a `Conflict`. Intents are small records, so that a journal can keep them.
"""

from ...errors import DamagedError
from ...objects.records import Json
from .base import Intent, SetRef
from .merge import Merge
from .runs import DeleteRun, EditRun, EndStep, PutRun
from .stages import Promote
from .versions import AddVersion, DeleteVersion, EditVersion

__all__ = [
    "INTENTS",
    "AddVersion",
    "DeleteRun",
    "DeleteVersion",
    "EditRun",
    "EditVersion",
    "EndStep",
    "Intent",
    "Merge",
    "Promote",
    "PutRun",
    "SetRef",
    "decode",
    "encode",
]

INTENTS: dict[str, type[Intent]] = {
    cls.NAME: cls
    for cls in (SetRef, AddVersion, EditVersion, DeleteVersion, Promote, PutRun, EndStep, EditRun, DeleteRun, Merge)
}


def encode(intent: Intent) -> Json:
    """An intent as JSON data."""
    return {"intent": intent.NAME, **intent.to_json()}


def decode(data: Json) -> Intent:
    """Reads what `encode` wrote.

    Raises:
        DamagedError: It is not an intent.
    """
    fields = dict(data) if isinstance(data, dict) else {}
    cls = INTENTS.get(str(fields.pop("intent", None)))
    if cls is None:
        raise DamagedError("A journal holds something that is no intent; run `art fsck`.")
    return cls.from_json(fields)
