"""`art push`."""

from __future__ import annotations

import click

from artvcs.vcs import Pushed, Remote, Repository, config, push, signatures, would_push

from ... import placing, sharing
from ...main import terminal
from ...shell import completion
from ...terminal import output

_NAMED = "art push --to"
"""What is written before the name of a remote."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME[@VERSION]]...", shell_complete=completion.names_and_versions)
@click.option(
    "--to", "remote", metavar="REMOTE", help="To which remote; by default the one, or `origin`.",
    shell_complete=completion.remotes,
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="All that is only here; that is what is pushed without NAME.")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--verify", is_flag=True, help="Read back what was sent, and check each object.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    names: tuple[str, ...], remote: str | None, everything: bool, dry_run: bool, verify: bool, as_json: bool
) -> None:
    """Send what is only here: all of it, or NAME with all that it was made from.

    What others have sent meanwhile comes here first; nothing of theirs is ever replaced.

    Example: art push digits-model
    """
    if names and everything:
        raise click.UsageError("--all sends everything; leave it out, or the names.")
    near = Repository.discover()
    far = sharing.remote_named(near, remote, _NAMED, names)
    versions = sharing.versions_named(near, names, _NAMED)
    with sharing.shown(terminal(), f"pushing to {far.name}", far.traffic):
        done = would_push(near, far, versions) if dry_run else push(near, far, versions, verify=verify)
    placing.follow_numbers(near, done.fetched)
    if as_json:
        terminal().document(_document(far, done, dry_run))
        return
    sharing.say_fetched(terminal(), far.name, done.fetched)
    terminal().note(f"{far.name}: {_said(done, dry_run)}; {sharing.took(far.traffic)}")
    trusted = config.read(near).trust
    if done.objects and done.signed is None and trusted is not None and trusted.results is not None and not dry_run:
        terminal().note(
            "what was pushed is not signed, so that its results are hits for you alone; to sign, give Git a key "
            f"(gpg.format, user.signingkey), or set {signatures.KEY_VARIABLE}"
        )
    if not done.is_known:
        terminal().warn("The key that signed is in no line of the file of allowed signers: so it counts for nobody.")


def _said(done: Pushed, dry_run: bool) -> str:
    if not done.objects and not done.runs and not done.versions:
        return "nothing to push"
    what = f"{sharing.counted(done.runs, done.versions)}, {output.count(done.objects, 'object')}"
    signed = f", {done.signed} signed" if done.signed else ""
    return f"{what} ({output.size(done.size)}{signed}) {'would go' if dry_run else 'went'} there"


def _document(far: Remote, done: Pushed, dry_run: bool) -> dict[str, object]:
    return {
        **vars(done), "remote": far.name, "fetched": vars(done.fetched), "dry_run": dry_run,
        "traffic": sharing.traffic_document(far.traffic),
    }  # fmt: skip
