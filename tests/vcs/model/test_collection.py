"""Collectors delete beside writers and readers: nothing referred to is ever missing, nothing else stays."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from . import gc_design, log_design, register_design
from .gc_design import GcRules
from .history import History
from .log_design import LogRules
from .register_design import RegisterRules
from .scenarios import ROUGH, Found, gc_run, many, sampled, without
from .world import Faults

STEPS = 1500
FULL, REMOTE = gc_design.FULL, gc_design.REMOTE
LOG, REGISTER = log_design.FULL, register_design.FULL
DROWSY = replace(ROUGH, sleep=0.02, naps=(150, 600))
on_either = pytest.mark.parametrize("point", [LOG, REGISTER], ids=["log", "register"])

# What a writer with a lease does not need: its own pack may be condemned, but not deleted, while it has the lease.
ONLY_WITHOUT_LEASE = {"look_for_own_file", "fresh_names", "look_again"}
# Not rules that protect, but what a remote lacks, and how a writer goes on there.
SITUATIONS = {"writers_lease", "readers_lease", "begin_anew"}
RARE = {"lease_first", "leases_after_condemning"}
RULES = [rule.name for rule in fields(GcRules) if rule.name not in ONLY_WITHOUT_LEASE | SITUATIONS]


def runs(
    rules: GcRules,
    point: LogRules | RegisterRules,
    seeds: range,
    faults: Faults = ROUGH,
    stop_at_first: bool = False,
    steps: int = STEPS,
) -> Found:
    def run(seed: int) -> History:
        return gc_run(seed, rules, steps, point, faults)

    return many(run, seeds, stop_at_first)


@on_either
def test_nothing_is_missing_and_nothing_stays(point: LogRules | RegisterRules) -> None:
    found = runs(FULL, point, range(150))
    assert found.violations == ()
    assert found.changes > 2500


@on_either
def test_a_writer_whose_lease_ran_out_is_safe_too(point: LogRules | RegisterRules) -> None:
    assert runs(replace(FULL, writers_lease=False), point, range(100)).violations == ()


def test_a_writer_without_lease_must_look_for_its_own_files() -> None:
    rules = replace(FULL, writers_lease=False, look_for_own_file=False)
    assert runs(rules, LOG, range(400), stop_at_first=True).violations


@pytest.mark.long
@pytest.mark.parametrize("begin_anew", [True, False], ids=["anew", "again"])
def test_elsewhere_nothing_is_missing_without_any_lease(begin_anew: bool) -> None:
    """As many runs as asked for: crashes, two collectors, lost and late replies, lists that are torn."""
    found = runs(replace(REMOTE, begin_anew=begin_anew), LOG, range(2000), steps=400)
    assert found.violations == ()
    assert found.changes > 8000


@pytest.mark.parametrize(
    "rule",
    ["condemn_first", "condemned_is_absent", "revalidate", "revalidate_own", "look_for_own_file", "mark_again",
     "never_tidy", "look_again"],
)  # fmt: skip
def test_elsewhere_no_rule_can_be_left_out(rule: str) -> None:
    assert runs(without(rule, REMOTE), LOG, range(2000), stop_at_first=True, steps=400).violations


def test_a_writer_with_a_lease_need_not() -> None:
    assert runs(replace(FULL, look_for_own_file=False), LOG, range(100)).violations == ()


@on_either
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in RARE])
def test_no_rule_can_be_left_out(rule: str, point: LogRules | RegisterRules) -> None:
    assert runs(without(rule, FULL), point, range(200), stop_at_first=True).violations


@pytest.mark.parametrize(("rule", "faults"), [("lease_first", DROWSY), ("leases_after_condemning", ROUGH)])
def test_no_rule_of_leases_can_be_left_out(rule: str, faults: Faults) -> None:
    assert runs(without(rule, FULL), REGISTER, range(800), faults, stop_at_first=True).violations


@pytest.mark.faults
@on_either
@pytest.mark.parametrize("faults", [ROUGH, DROWSY, replace(ROUGH, crash=0.03)], ids=["rough", "drowsy", "crashing"])
@pytest.mark.parametrize("rules", [FULL, replace(FULL, writers_lease=False), REMOTE], ids=["here", "late", "elsewhere"])
def test_it_holds_for_long(point: LogRules | RegisterRules, faults: Faults, rules: GcRules) -> None:
    """A third of the seeds, see `sampled`."""
    assert runs(rules, point, sampled(range(10_000, 12_000)), faults, steps=3000).violations == ()


@pytest.mark.faults
@on_either
@pytest.mark.parametrize("rule", sorted(RARE))
def test_random_runs_find_each_rule_of_leases(rule: str, point: LogRules | RegisterRules) -> None:
    assert runs(without(rule, FULL), point, range(20_000), stop_at_first=True).violations


@pytest.mark.faults
@on_either
def test_a_writer_with_a_lease_never_needs_to_look_for_its_own_files(point: LogRules | RegisterRules) -> None:
    """A third of the seeds, see `sampled`."""
    assert runs(replace(FULL, look_for_own_file=False), point, sampled(range(10_000))).violations == ()
