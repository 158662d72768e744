"""`art tag`."""

from __future__ import annotations

import dataclasses
import shlex

import click

from artvcs.pipelines.history.finding import meant
from artvcs.pipelines.history.views import from_ms
from artvcs.pipelines.promotion import demote, promote
from artvcs.vcs import Promotion, Refs, Repository, stages, versions

from ...main import terminal
from ...shell import completion
from ...stored import finding, history
from ...terminal import output


@click.command()
@click.argument("target", metavar="[NAME[@VERSION]]", required=False, shell_complete=completion.names_and_versions)
@click.argument("stage", required=False, shell_complete=completion.stage_names)
@click.option("-m", "--message", "reason", default="", metavar="WHY", help="Why, for whoever reads the history.")
@click.option("-d", "--delete", "take", is_flag=True, help="Take the stage away from the version that is in it.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(target: str | None, stage: str | None, reason: str, take: bool, as_json: bool) -> None:
    """Move a stage to a version: NAME@STAGE is that version from then on.

    Without STAGE, show which versions of NAME have been in which stage, by whom and why; without NAME, what is in a
    stage now. By default the newest version of NAME is meant.

    Example: art tag digits-model@1 production -m 'fewer wrong sevens'
    """
    repository = Repository.discover()
    if target is None or stage is None:
        if take or reason:
            typed = shlex.join(
                [*["-d"] * take, target or "digits-model", "production", *(["-m", reason] if reason else [])]
            )
            raise click.UsageError(f"Say which stage, as in `art tag {typed}`.")
        refs = repository.refs()
        found = _now(refs) if target is None else _history(refs, target)
        _list(repository, found, as_json=as_json)
        finding.say_model_too(terminal(), repository, target)
        return
    if take:
        version = demote(target, stage, reason)
        terminal().note(f"{output.style(f'{version.name}@{version.version}', fg='yellow')} is {stage} no more")
        return
    meant.check_one(repository.refs(), target)
    wanted = finding.version(repository, target)
    before = stages.version(repository.refs(), wanted.name, stage)
    promote(meant.exactly(wanted.name), stage, wanted.number, reason)
    called = output.style(f"{wanted.name}@{wanted.version}", fg="yellow")
    if before is not None and before.artifact == wanted.id:
        terminal().note(f"{called} is {stage} already{'; why is noted' if reason else ''}")
    else:
        instead = "" if before is None else f", and {before.spelt} no more"
        terminal().note(f"{called} is {stage} now{instead}")


def _now(refs: Refs) -> list[Promotion]:
    """The promotion to each stage that a version is in, by name; what was noted later moved nothing."""
    last = dict[tuple[str, str], Promotion]()
    for each in stages.history(refs):
        before = last.get((each.name, each.stage))
        since = before.created if before is not None and before.artifact == each.artifact else each.created
        last[each.name, each.stage] = dataclasses.replace(each, created=since)
    return [each for each in last.values() if each.artifact is not None]


def _history(refs: Refs, name: str) -> list[Promotion]:
    """All promotions of a name, newest first."""
    stored = meant.named(refs, name.partition("@")[0])
    found = sorted(stages.history(refs, stored), key=lambda each: each.created, reverse=True)
    if not found and not versions.exists(refs, stored):
        raise meant.no_artifact(refs, stored)
    return found


def _list(repository: Repository, found: list[Promotion], *, as_json: bool) -> None:
    if as_json:
        terminal().document([_document(repository, each) for each in found])
        return
    rows = [
        [_version(repository, each), each.stage, output.ago(from_ms(each.created)), each.author, each.reason]
        for each in found
    ]
    terminal().table(
        ["artifact", "stage", "since", "by", "why"], rows, whole="artifact", spare=("by", "since", "stage")
    )
    if not rows:
        terminal().tell("No version is in a stage; `art tag NAME@VERSION production` puts one there.")


def _version(repository: Repository, promotion: Promotion) -> str:
    if promotion.artifact is None:
        return f"{promotion.name} (none)"
    called = history.version_name(repository, promotion.name, promotion.artifact)
    return f"{called} (deleted)" if called == promotion.name else called


def _document(repository: Repository, promotion: Promotion) -> dict[str, object]:
    run = None if promotion.run is None else history.History(repository).run_name(promotion.run)
    return {
        "name": promotion.name, "stage": promotion.stage, "artifact": promotion.artifact,
        "version": _version(repository, promotion).partition("@")[2] or None,
        "created": from_ms(promotion.created), "author": promotion.author, "reason": promotion.reason, "run": run,
    }  # fmt: skip
