"""`art gc`."""

from __future__ import annotations

from functools import partial

import click

from artvcs.vcs import Repository, garbage, gc, op_seq

from ... import sharing
from ...main import terminal
from ...shell import completion
from ...terminal import output
from ...terminal.screen import Progress


@click.command()
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would go.")
@click.option(
    "--remote", metavar="REMOTE", is_flag=False, flag_value="", help="Elsewhere: by default the one, or `origin`.",
    shell_complete=completion.remotes,
)  # fmt: skip
@click.option(
    "--max-unused", type=click.FloatRange(0, 100), metavar="PERCENT",
    help="How much of what packs hold may stay unused; by default 5; elsewhere 25, or 0 once data was given up there.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(dry_run: bool, remote: str | None, max_unused: float | None, as_json: bool) -> None:
    """Free the space of what nothing refers to, and put small packs together.

    Runs may go on beside it; with --remote, so may whoever pushes or fetches there.

    Example: art gc --dry-run
    """
    repository = Repository.discover()
    far = None if remote is None else sharing.remote_named(repository, remote or None, "art gc --remote")
    if far is None:
        make, carry_out = partial(gc.plan, repository), partial(gc.collect, repository)
    else:
        make, carry_out = partial(garbage.plan, repository, far), partial(garbage.collect, repository, far)
    unused = {} if max_unused is None else {"max_unused": max_unused / 100}
    with Progress(live=terminal().live) as progress:
        done = None if dry_run else carry_out(progress=progress, **unused)
        plan = make(**unused) if done is None else done.plan
    if as_json:
        terminal().document(_document(plan, done))
        return
    if done is None:
        _say_packs(plan)
    verb = "Would free" if dry_run else "Freed"
    left = sum(plan.leftovers.values())
    files = f", and {output.size(left)} of files that older states or killed processes left" if left else ""
    terminal().sentence(
        f"{verb} {output.size(plan.freed)}: {output.count(plan.dead, 'object')} that nothing uses{files}; "
        f"{output.count(plan.live, 'object')} still used."
    )
    if done is not None:
        _say_rest(done)
    if far is not None:
        sharing.say_took(terminal(), far, True)
    for oid, why in plan.lost.items():
        terminal().sentence(f"Lost: {oid[:12]}: {why}")
    if plan.lost:
        terminal().sentence("`art fsck --repair` mends what can be mended, and says what needs the rest.")


def _say_packs(plan: gc.Plan) -> None:
    """What would become of which packs; of old changes there are many, and one line is enough."""
    chosen = [each for each in plan.verdicts if each.action != "keep"]
    packs = [each for each in chosen if op_seq(each.pack) is None]
    for each in packs:
        terminal().note(f"{each.action:<7}  {each.pack}: {each.reason}")
    if len(packs) < len(chosen):
        changes = output.count(len(chosen) - len(packs), "old change")
        terminal().note(f"{changes}: what is used of them goes into a pack")


def _say_rest(done: gc.Done) -> None:
    if done.waiting:
        packs, held = output.count(len(done.waiting), "pack"), ", ".join(map(str, done.held_by))
        terminal().sentence(f"{packs} will go when process {held} has ended: it uses them.")
    if done.full:
        terminal().sentence(
            "The disk is too full to write anything anew; what was wholly unused is gone: run it again."
        )
    for path in done.kept_edits:
        terminal().sentence(f"A killed checkout had moved edits away that were stored nowhere: they are in {path}.")


def _document(plan: gc.Plan, done: gc.Done | None) -> dict[str, object]:
    packs = [{**vars(each), "live": len(each.live)} for each in plan.verdicts]
    freed = {"live": plan.live, "dead": plan.dead, "bytes": plan.freed, "leftovers": plan.leftovers}
    waiting, held_by = (done.waiting, done.held_by) if done else ((), ())
    told = {"packs": packs, "lost": plan.lost, "waiting": waiting, "held_by": held_by, "dry_run": done is None}
    return {**freed, **told}
