"""What is asked about many steps is read at once, each once; what the run before has told is not read at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from artvcs import pipeline, step
from artvcs.vcs import Repository
from artvcs.vcs.storage.store import ObjectStore


@step
def first(number: int) -> int:
    return number


@step
def second(number: int) -> int:
    return number + 1


@pipeline
def chains(count: int) -> None:
    for number in range(count):
        second(first(number))


@pytest.mark.long
@pytest.mark.parametrize("jobs", [1, 2])
def test_each_step_is_asked_about_once(project: Any, monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    run = chains.with_options(executor="threads", jobs=jobs)
    run(60)
    asked = list[str]()
    read_ahead = ObjectStore.read_ahead

    def noted(self: ObjectStore, oids: Iterable[Any], cls: Any, **more: Any) -> None:
        found = list(oids)
        asked.extend(found if cls.KIND == "commit" else ())
        read_ahead(self, found, cls, **more)

    monkeypatch.setattr(ObjectStore, "read_ahead", noted)
    again = run(60)
    assert {each.status for each in again.steps.values()} == {"cached"}
    assert not asked  # all of it was found out as they ran

    Repository.discover().layout.cache.unlink()
    again = run(60)
    assert {each.status for each in again.steps.values()} == {"cached"}
    commits = {each.record.commit for each in again.steps.values()}
    assert len(asked) <= 2 * len(commits)  # for what it has cost, and for what came of it
    assert asked
