"""What a run executes, told to other machines that share its remote: so that they wait for it, and take its results."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from artvcs.vcs import ArtError, FarClaims, Oid, Remote

from .exchange import Exchange

_LOOK = 2.0
"""Seconds after which is looked again who waits for something."""


class Claiming:
    """See `cache.claims.Elsewhere`.

    Args:
        exchange: What publishes results, and brings those of others.
        remote: What is shared.
    """

    def __init__(self, exchange: Exchange, remote: Remote) -> None:
        self._exchange = exchange
        self._remote = remote
        self._claims = FarClaims(remote)
        self._ended: set[Oid] = set()
        self._is_awaited = False  # by one that executes the same, and comes to what follows soon
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, key: Oid) -> bool:
        """See `Elsewhere.take`."""
        if self._thread is None:
            self._remote.begin_there()
            self._thread = threading.Thread(target=self._go_on, name="artvcs-claims", daemon=True)
            self._thread.start()
        return self._claims.take(key)

    def ended(self, key: Oid) -> None:
        """See `Elsewhere.ended`."""
        self._ended.add(key)

    def bring(self) -> None:
        """See `Elsewhere.bring`."""
        self._exchange.bring()

    def close(self) -> None:
        """Gives up all claims, and publishes what of it others wait for."""
        if self._thread is None:
            return
        self._over.set()
        self._thread.join()
        with suppress(ArtError):  # then they execute it themselves
            self._hand_over()
        with suppress(ArtError):  # they lapse
            self._claims.close()

    def _go_on(self) -> None:
        shown = time.monotonic()
        while not self._over.wait(_LOOK):
            with suppress(ArtError):  # the next time may do
                if time.monotonic() - shown > FarClaims.BEAT:
                    self._claims.beat()
                    shown = time.monotonic()
                self._hand_over()

    def _hand_over(self) -> None:
        """Where somebody waits for us: lets others see what has ended here, and then have it."""
        self._is_awaited = self._is_awaited or bool(self._claims.wanted())
        if self._is_awaited and (ended := list(self._ended)):
            self._exchange.publish_results(ended)
            for key in ended:
                self._claims.release(key)
                self._ended.discard(key)
