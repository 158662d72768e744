"""An actor that carries messages between a coordinator and its workers, where an engine has nothing that does.

Ray makes it on a machine of the cluster, and it goes with the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any

_TOGETHER = 1000
"""So many messages are taken at once."""

_PATIENCE = 5.0
"""Seconds after which a worker that waits for messages is told that there are none: it asks again, if it lives."""


class Switchboard:
    """Carries the messages of one run.

    Args:
        parcel: What workers get who ask for the session.
    """

    def __init__(self, parcel: bytes) -> None:
        self._parcel = parcel
        self._messages: list[tuple[Any, ...]] = []
        self._count = 0
        self._come = asyncio.Event()
        self._numbers = itertools.count()
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._told: list[str] = []
        self._telling = asyncio.Condition()

    # For workers

    async def say(self, *message: Any) -> int:
        """Takes a message; returns which one it is, counted from 1."""
        self._messages.append(message)
        self._count += 1
        self._come.set()
        return self._count

    async def ask(self, worker: str, message: bytes) -> bytes:
        """Takes a question, and waits for the answer."""
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        await self.say("asked", worker, number, message)
        return await answer

    async def session(self) -> bytes:
        """The session."""
        return self._parcel

    async def told(self, known: int) -> list[str]:
        """What all workers are told beside what this one knows; waits for it, not too long."""
        with contextlib.suppress(TimeoutError):
            async with self._telling:
                await asyncio.wait_for(self._telling.wait_for(lambda: len(self._told) > known), _PATIENCE)
        return self._told[known:]

    # For the coordinator

    async def listen(self) -> list[tuple[Any, ...]]:
        """What has come; waits for it, not too long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._come.wait(), _PATIENCE)
        found, self._messages = self._messages[:_TOGETHER], self._messages[_TOGETHER:]
        if not self._messages:
            self._come.clear()
        return found

    async def reply(self, number: int, answer: bytes) -> None:
        """Answers a worker."""
        self._answers.pop(number).set_result(answer)

    async def tell(self, what: str) -> None:
        """Tells all workers something, see `post.EVERYWHERE`."""
        async with self._telling:
            self._told.append(what)
            self._telling.notify_all()
        self._come.set()  # who listens looks whether it still has to
