"""What a run executes, told to other machines that share its remote: so that they wait for it, and take its results."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from artvcs.vcs import ArtError, FarClaims, Oid, Remote
from artvcs.vcs.tracebacks import warn

from ....errors import SharingWarning
from .exchange import Exchange

T = TypeVar("T")

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
        self._mutex = threading.Lock()  # of what follows, and of what is done about it
        self._ended: set[Oid] = set()
        self._is_awaited = False  # by one that executes the same, and comes to what follows soon
        self._has_failed = False
        self._over, self._is_handed_over = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def take(self, key: Oid) -> bool:
        """See `Elsewhere.take`."""
        return self._attempt(lambda: self._take(key)) is not False

    def _take(self, key: Oid) -> bool:
        if not self._threads:
            self._remote.begin_there()
            # What is handed over may take long, and we are there meanwhile.
            for work in (self._show, self._go_on):
                self._threads.append(threading.Thread(target=work, name="artvcs-claims", daemon=True))
                self._threads[-1].start()
        with self._mutex:
            self._ended.discard(key)  # it is executed once more
        return self._claims.take(key)

    def ended(self, key: Oid) -> None:
        """See `Elsewhere.ended`."""
        with self._mutex:
            self._ended.add(key)

    def bring(self) -> None:
        """See `Elsewhere.bring`."""
        self._attempt(self._exchange.bring)

    def close(self) -> None:
        """Gives up all claims, and publishes what of it others wait for."""
        if not self._threads:
            return
        shows, goes_on = self._threads
        self._over.set()
        goes_on.join()
        self._attempt(self._hand_over)
        self._is_handed_over.set()
        shows.join()
        self._attempt(self._claims.close)

    def _show(self) -> None:
        while not self._is_handed_over.wait(FarClaims.BEAT):
            self._attempt(self._claims.beat)

    def _go_on(self) -> None:
        while not self._over.wait(_LOOK):
            self._attempt(self._hand_over)

    def _attempt(self, work: Callable[[], T]) -> T | None:
        """Does what may fail: the run goes on without, for claims guard no data. It is said once."""
        try:
            return work()
        except (ArtError, OSError) as error:
            if not self._has_failed:
                self._has_failed = True
                reason = str(error).rstrip(".")
                warn(
                    f"Other machines could not be told at {self._remote.name} what is executed here ({reason}); what "
                    "they execute may be executed here, too.",
                    SharingWarning,
                )
            return None

    def _hand_over(self) -> None:
        """Where somebody waits for us: lets others see what has ended here, and then have it."""
        self._is_awaited = self._is_awaited or bool(self._claims.wanted())
        if not self._is_awaited:
            return
        with self._mutex:
            ended = list(self._ended)
        try:
            if ended:
                self._exchange.publish_results(ended)
        finally:  # who waits goes on in any case
            for key in ended:
                with self._mutex, suppress(KeyError):
                    self._ended.remove(key)
                    self._claims.release(key)
