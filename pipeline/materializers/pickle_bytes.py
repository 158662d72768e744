"""Pickles whose bytes do not differ from one process to the next."""

from __future__ import annotations

import hashlib
from typing import Any


def stable_dumps(value: Any) -> bytes:
    """Pickles `value` by cloudpickle, without the random ids of classes that are pickled whole.

    cloudpickle gives each class of `__main__` or of a function a random id, so that unpickling in the
    same process finds the same class. A hash of the pickle does as well, and is the same each time.
    """
    import cloudpickle

    content = bytes(cloudpickle.dumps(value, protocol=5))
    classes = _tracked_classes()
    found = [(content.find(text.encode()), text, cls) for cls, text in classes.items() if text.encode() in content]
    if not found:
        return content
    found.sort(key=lambda item: item[0])
    blank = content
    for number, (_, text, _) in enumerate(found):
        blank = blank.replace(text.encode(), f"{number:032x}".encode())
    digest = hashlib.blake2b(blank, digest_size=12).hexdigest()
    for number, (_, text, cls) in enumerate(found):
        stable = f"{digest}{number:08x}"
        content = content.replace(text.encode(), stable.encode())
        _track(stable, cls)
    return content


def _tracked_classes() -> dict[type, str]:
    from cloudpickle import cloudpickle

    return dict(getattr(cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_CLASS", {}))


def _track(stable: str, cls: type) -> None:
    """Lets this process find the class again, under its old id and under the new one."""
    from cloudpickle import cloudpickle

    by_id = getattr(cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_ID", None)
    if by_id is not None:
        by_id[stable] = cls
