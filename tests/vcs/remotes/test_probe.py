"""Looking at what a place guarantees ends, whatever happens meanwhile."""

from __future__ import annotations

import threading

import pytest

from artvcs.vcs.remotes.places import probe


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
