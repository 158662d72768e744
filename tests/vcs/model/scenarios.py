"""Who takes part in a run, and what is checked at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ...conftest import COMPLETE
from .gc_design import GcDesign, GcRules, State
from .history import Entry, History, Outcome
from .log_design import EMPTY, LogDesign, LogRules
from .log_design import FULL as LOG
from .register_design import RegisterDesign, RegisterRules
from .world import Delete, Faults, Steps, Violation, World

ROUGH = Faults()
Design = LogDesign | RegisterDesign


@dataclass(frozen=True)
class Found:
    """What was found in many runs."""

    runs: int
    changes: int
    looks: int
    unknown: int
    violations: tuple[tuple[int, str], ...] = ()

    @property
    def kinds(self) -> set[str]:
        return {message.split(":")[0] for _, message in self.violations}


def without(rule: str, rules: Any = LOG) -> Any:
    return replace(rules, **{rule: False})


def design_for(world: World, rules: LogRules | RegisterRules, state: object = None) -> Design:
    empty = replace(EMPTY, state=state)
    return LogDesign(world, rules, empty) if isinstance(rules, LogRules) else RegisterDesign(world, rules, empty)


def commit_point_run(
    seed: int, rules: LogRules | RegisterRules, steps: int, writers: int = 5, faults: Faults = ROUGH
) -> History:
    """Writers, two readers, two cleaners and a hint that cannot be relied on; checks as it goes, and at the end."""
    world = World(seed, faults)
    design = design_for(world, rules)
    history = design.history

    def writer() -> Steps[None]:
        while True:
            change = world.number()
            history.note(change, (yield from design.commit(change, unchanged)))

    def reader() -> Steps[None]:
        while True:
            yield from history.look(design.newest)

    def cleaner() -> Steps[None]:
        while True:
            yield from design.clean()

    for number in range(writers):
        world.add(f"writer {number}", writer)
    for number in range(2):
        world.add(f"reader {number}", reader)
        world.add(f"cleaner {number}", cleaner)
    if design.hints():
        world.add("fate of the hint", lambda: _fate(world, design))
    world.run(steps)
    world.settle()
    for hint in (None, *range(1, history.last.seq + 1)) if design.hints() else ():
        world.files["root"] = hint
        _find_the_last(world, design)
    _find_the_last(world, design)
    history.check()
    return history


def gc_run(
    seed: int, rules: GcRules, steps: int, point: LogRules | RegisterRules = LOG, faults: Faults = ROUGH
) -> History:
    """Writers that reuse what is stored, readers, two collectors, one cleaner; at the end everybody has gone."""
    world = World(seed, faults)
    design = design_for(world, point, State())
    history = design.history
    gc = GcDesign(world, design, history, rules)
    history.watchers.append(gc.check)
    world.watchers.append(lambda request: gc.check() if isinstance(request, Delete) else None)

    def add(name: str, start: Callable[[], Steps[None]]) -> None:
        world.add(name, start, left=lambda: world.files.pop(f"leases/{name}", None))

    for name in ("writer 1", "writer 2", "writer 3"):
        add(name, lambda name=name: gc.writer(name))  # type: ignore[misc]
    for name in ("reader 1", "reader 2"):
        add(name, lambda name=name: gc.reader(name))  # type: ignore[misc]
    for name in ("collector 1", "collector 2"):
        add(name, gc.collector)
    add("cleaner", design.clean)
    world.run(steps)
    world.settle()
    world.end()
    _collect_the_rest(world, gc)
    history.check()
    return history


def _collect_the_rest(world: World, gc: GcDesign) -> None:
    for _ in range(2):
        world.alone(gc.collector())
    gc.check()
    needed = gc.history.last.state.needed
    for name, blobs in world.files.items():
        if name.startswith("packs/") and not blobs & needed:
            raise Violation(f"litter: {name} is still there, though nothing refers to it")


def unchanged(newest: Entry) -> Steps[Any]:
    return newest.state
    yield


def many(run: Callable[[int], History], seeds: range, stop_at_first: bool = False) -> Found:
    changes = looks = unknown = 0
    violations = []
    done = 0
    for seed in seeds:
        done += 1
        try:
            history = run(seed)
        except Violation as violation:
            violations.append((seed, str(violation)))
            if stop_at_first:
                break
            continue
        changes += history.last.seq
        looks += history.looks
        unknown += sum(outcome is Outcome.UNKNOWN for outcome in history.outcomes.values())
    return Found(done, changes, looks, unknown, tuple(violations))


def sampled(seeds: range) -> range:
    """Every third of these seeds; all with ARTVCS_COMPLETE=1 in the environment."""
    return seeds if COMPLETE else seeds[::3]


def _fate(world: World, design: Design) -> Steps[None]:
    while True:
        yield world.random.choice(design.hints())()


def _find_the_last(world: World, design: Design) -> None:
    found = world.alone(design.newest())
    if found is not design.history.last:
        raise Violation(f"stale: with hint {world.files.get('root')}, {found.seq} is found, not the last state")
