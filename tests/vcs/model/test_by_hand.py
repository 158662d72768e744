"""The schedules that decide between rules, played by hand: who does what, in which order."""

from __future__ import annotations

from typing import Any

import pytest

from .history import Outcome
from .log_design import FULL, LogDesign, LogRules, op
from .scenarios import unchanged, without
from .world import NO_FAULTS, Create, Delete, Read, Reply, Request, Steps, Violation, World


class Play:
    """A repository, and actors that move only when told to."""

    def __init__(self, rules: LogRules) -> None:
        self.world = World(0, NO_FAULTS)
        self.design = LogDesign(self.world, rules)
        self.history = self.design.history

    def commits(self, count: int) -> None:
        for _ in range(count):
            change = self.world.number()
            assert self.world.alone(self.design.commit(change, unchanged)) is Outcome.COMMITTED

    def clean(self) -> None:
        self.world.alone(self.design.clean())

    def writer(self) -> Hand:
        change = self.world.number()

        def steps() -> Steps[None]:
            self.history.note(change, (yield from self.design.commit(change, unchanged)))

        return Hand(self.world, steps())

    def reader(self) -> Hand:
        return Hand(self.world, self.history.look(self.design.newest))


class Hand:
    """Moves one actor."""

    def __init__(self, world: World, steps: Steps[Any]) -> None:
        self.world = world
        self.steps = steps
        self.pending: Request = next(steps)

    def sleep_before(self, request: Request) -> None:
        """Go on until this is what it asks next."""
        while not (type(self.pending) is type(request) and self.pending.name == request.name):  # type: ignore[union-attr]
            self.answer_one()

    def sleep_before_any(self, kind: type[Request], prefix: str) -> None:
        while not (isinstance(self.pending, kind) and self.pending.name.startswith(prefix)):  # type: ignore[union-attr]
            self.answer_one()

    def answer_one(self) -> None:
        self.pending = self.steps.send(self.world.answer(self.pending))

    def lose_reply(self, applied: bool) -> Request:
        """The request is answered by a time-out."""
        request = self.pending
        if applied:
            self.world.answer(request)
        self.pending = self.steps.send(Reply.LOST)
        return request

    def go_on(self) -> None:
        def rest() -> Steps[None]:
            try:
                while True:
                    self.pending = self.steps.send((yield self.pending))
            except StopIteration:
                return

        self.world.alone(rest())


def holds_only_with(rule: str, play: Any) -> None:
    play(Play(FULL))
    with pytest.raises(Violation):
        play(Play(without(rule)))


def test_two_stale_writers_meet_where_all_was_cleaned_up() -> None:
    """The junk of the first looks like the predecessor of the second's."""

    def play(on: Play) -> None:
        on.commits(3)
        first = on.writer()
        first.sleep_before(Create(op(4), None))
        on.commits(1)
        second = on.writer()
        second.sleep_before(Create(op(5), None))
        on.commits(6)
        on.clean()
        first.sleep_before(Read(op(3)))  # ops/4 is there again, and not yet known to be junk
        second.go_on()

    holds_only_with("compare_hash", play)


def test_a_reader_sleeps_in_the_middle_of_its_walk() -> None:
    """What it has read vouches for nothing that it reads after a clean-up."""

    def play(on: Play) -> None:
        on.commits(3)
        writer, reader = on.writer(), on.reader()
        writer.sleep_before(Create(op(4), None))
        reader.sleep_before(Read(op(4)))
        on.commits(6)
        on.clean()
        writer.sleep_before(Read(op(3)))
        reader.go_on()

    holds_only_with("judge_after_walk", play)


def test_the_first_entry_is_written_by_one_who_is_late() -> None:
    def play(on: Play) -> None:
        writer = on.writer()
        writer.sleep_before(Create(op(1), None))
        on.commits(6)
        on.clean()
        writer.go_on()

    holds_only_with("mark_first_cleaning", play)


def test_a_lost_reply_where_all_was_cleaned_up() -> None:
    """Its own change under its own number proves nothing: it may be junk."""

    def play(on: Play) -> None:
        on.commits(3)
        writer = on.writer()
        writer.sleep_before(Create(op(4), None))
        on.commits(3)
        on.clean()
        writer.lose_reply(applied=True)
        writer.go_on()

    holds_only_with("ask_newest", play)


def test_a_writer_sleeps_for_longer_than_the_newest_state_can_tell() -> None:
    """Committed, cleaned up and forgotten, before it could see that it was."""

    def play(on: Play) -> None:
        on.commits(3)
        writer = on.writer()
        writer.sleep_before(Create(op(4), None))
        writer.lose_reply(applied=True)
        on.commits(10)
        on.clean()
        writer.go_on()
        on.history.check()

    holds_only_with("mind_window", play)


def test_a_delete_that_was_given_up_leaves_a_hole_above_it() -> None:
    def play(on: Play) -> None:
        on.commits(4)
        writer = on.writer()
        writer.sleep_before(Create(op(5), None))
        on.commits(6)
        cleaner = Hand(on.world, on.design.clean())
        cleaner.sleep_before(Delete(op(4)))
        cleaner.lose_reply(applied=False)
        cleaner.go_on()
        writer.go_on()

    holds_only_with("await_deletes", play)


def test_the_same_bytes_arrive_again_after_a_clean_up() -> None:
    """A create that was given up arrives late. Were it equal to the one that counted, it would vouch for junk."""

    def play(on: Play) -> None:
        on.commits(3)
        first = on.writer()
        first.sleep_before(Create(op(4), None))
        late = first.lose_reply(applied=False)
        first.go_on()
        second = on.writer()
        second.sleep_before(Create(op(5), None))
        on.commits(6)
        on.clean()
        on.world.answer(late)
        second.go_on()

    holds_only_with("fresh_attempts", play)
