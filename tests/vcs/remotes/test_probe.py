"""Looking at what a place guarantees ends, whatever happens meanwhile."""

from __future__ import annotations

import threading

import pytest
from obstore.store import MemoryStore

from artvcs.vcs.errors import RemoteRefused
from artvcs.vcs.remotes.places import probe
from artvcs.vcs.remotes.places.bucket import BucketFiles


def test_who_is_interrupted_does_not_wait_for_racers_that_never_began(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Thread.start
    left = iter(range(8))

    def start(thread: threading.Thread) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        begun(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        probe._race(lambda me: me)


class _Forgetful(BucketFiles):
    """A place that somebody cleans up all the time."""

    def put(self, name: str, data: bytes) -> None:
        super().put(name, data)
        if name.endswith("ranges"):
            self.delete(name)


def test_a_place_that_does_not_keep_what_is_written_is_told() -> None:
    with pytest.raises(RemoteRefused, match=r"did not keep probe/.*ranges.*try again\."):
        probe.probe(_Forgetful(MemoryStore(), "team", "mem://team"))
