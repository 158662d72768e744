"""The schedule by which a pack rises from the dead, played by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .gc_design import FULL, GcDesign, GcRules, State
from .log_design import EMPTY, LogDesign
from .test_by_hand import Hand
from .world import Delete, Put, Violation, World


def put_arrives_late(rules: GcRules) -> None:
    """A writer without a lease puts a pack twice under one name; the first put arrives when the pack was deleted."""
    world = World(0)  # by this seed the writer has something to put
    point = LogDesign(world, empty=replace(EMPTY, state=State()))
    gc = GcDesign(world, point, point.history, rules)
    world.watchers.append(lambda request: gc.check() if isinstance(request, Delete) else None)

    writer = Hand(world, gc.writer("writer"))
    writer.sleep_before_any(Put, "packs/")
    late = writer.lose_reply(applied=False)
    assert isinstance(late, Put)
    writer.answer_one()  # put again, and answered
    sleeping = Hand(world, gc.collector())
    sleeping.sleep_before_any(Delete, "packs/")
    world.alone(gc.collector())  # another one deletes the pack, and takes it from the condemned list
    world.answer(late)
    writer.go_on()
    sleeping.go_on()
    gc.check()


def test_a_put_without_a_reply_is_tried_again_under_another_name() -> None:
    put_arrives_late(replace(FULL, writers_lease=False))
    with pytest.raises(Violation, match="dangling"):
        put_arrives_late(replace(FULL, writers_lease=False, fresh_names=False))


def test_with_a_lease_the_name_may_be_the_same() -> None:
    with pytest.raises(StopIteration):  # the collector does not come to delete anything
        put_arrives_late(replace(FULL, fresh_names=False))
