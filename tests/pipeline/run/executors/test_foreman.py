"""Who hands tasks to workers, where tasks come from many threads, as in a worker of a cluster."""

import threading
from concurrent.futures import Future
from typing import Any, cast

import pytest

from artvcs.pipelines.run.executors.processes.foreman import Foreman, Job
from artvcs.pipelines.run.executors.spelling import Inherited
from tests.pipeline.helpers import PATIENCE

THREADS, TASKS = 4, 3000


class NoHost:
    """Of which no process is forked."""

    def end(self, *, kill: bool) -> None:
        """Nothing is there."""


@pytest.mark.long
def test_tasks_may_come_from_many_threads_while_others_are_dropped() -> None:
    foreman = Foreman(0, cast(Any, None), Inherited([]), cast(Any, NoHost()))
    works = threading.Thread(target=foreman.run)
    works.start()
    futures: list[Future[Any]] = [Future() for _ in range(THREADS * TASKS)]

    def submit(mine: list[Future[Any]]) -> None:
        for number, future in enumerate(mine):
            foreman.add(Job(cast(Any, None), future))
            if number % 2:
                future.cancel()

    senders = [threading.Thread(target=submit, args=(futures[at::THREADS],)) for at in range(THREADS)]
    for each in senders:
        each.start()
    for each in senders:
        each.join()
    foreman.end(interrupt=True)
    works.join(PATIENCE)
    assert not works.is_alive()
    assert all(each.cancelled() for each in futures)
