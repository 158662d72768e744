"""Nothing acknowledged is lost, nothing happens twice, nobody reads what is not history: in any interleaving."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from . import log_design, register_design
from .history import History
from .log_design import LogRules
from .register_design import RegisterRules
from .scenarios import ROUGH, Found, commit_point_run, many, sampled, without
from .world import Faults

STEPS = 600
LOG, REGISTER = log_design.FULL, register_design.FULL
LOG_RULES = [rule.name for rule in fields(LogRules)]
REGISTER_RULES = [rule.name for rule in fields(RegisterRules)]
# Broken only by three rare things in a row: test_by_hand.py plays all of these.
RARE = {"compare_hash", "judge_after_walk", "ask_newest", "mind_window", "await_deletes", "fresh_attempts"}


def runs(rules: LogRules | RegisterRules, seeds: range, stop_at_first: bool = False, steps: int = STEPS) -> Found:
    return many(lambda seed: commit_point_run(seed, rules, steps), seeds, stop_at_first)


@pytest.mark.parametrize("rules", [LOG, REGISTER], ids=["log", "register"])
def test_the_protocol_holds(rules: LogRules | RegisterRules) -> None:
    found = runs(rules, range(300))
    assert found.violations == ()
    assert found.changes > 3000
    assert found.looks > 2500


def test_it_holds_where_lists_are_snapshots() -> None:
    faults = replace(ROUGH, torn_lists=False)
    assert many(lambda seed: commit_point_run(seed, LOG, STEPS, faults=faults), range(100)).violations == ()


@pytest.mark.parametrize("rule", [rule for rule in LOG_RULES if rule not in RARE])
def test_no_rule_of_the_log_can_be_left_out(rule: str) -> None:
    assert runs(without(rule, LOG), range(400), stop_at_first=True).violations


@pytest.mark.parametrize("rule", ["compare", "look_for_change", "mind_window", "never_tidy"])
def test_no_rule_of_the_register_can_be_left_out(rule: str) -> None:
    assert runs(without(rule, REGISTER), range(400), stop_at_first=True).violations


def test_the_log_as_it_was_first_written_fails() -> None:
    found = runs(log_design.AS_FIRST_WRITTEN, range(150))
    assert {"lost", "twice", "stale"} <= found.kinds


@pytest.mark.faults
@pytest.mark.parametrize("rules", [LOG, REGISTER], ids=["log", "register"])
@pytest.mark.parametrize(
    "faults",
    [
        ROUGH,
        replace(ROUGH, sleep=0.01, naps=(5, 40)),
        replace(ROUGH, sleep=0.02, naps=(300, 900)),
        replace(ROUGH, applied_late=0.2, reply_lost=0, not_applied=0),
        replace(ROUGH, crash=0.03),
    ],
    ids=["rough", "brisk", "drowsy", "late", "crashing"],
)
def test_the_protocol_holds_for_long(rules: LogRules | RegisterRules, faults: Faults) -> None:
    """A third of the seeds, see `sampled`."""

    def run(seed: int) -> History:
        return commit_point_run(seed, rules, 2000, faults=faults)

    assert many(run, sampled(range(10_000, 14_000))).violations == ()


@pytest.mark.faults
@pytest.mark.parametrize("rule", [rule for rule in LOG_RULES if rule != "fresh_attempts"])
def test_random_runs_find_each_rule_of_the_log(rule: str) -> None:
    assert runs(without(rule, LOG), range(20_000), stop_at_first=True).violations


@pytest.mark.faults
@pytest.mark.parametrize("rule", REGISTER_RULES)
def test_random_runs_find_each_rule_of_the_register(rule: str) -> None:
    assert runs(without(rule, REGISTER), range(20_000), stop_at_first=True).violations
