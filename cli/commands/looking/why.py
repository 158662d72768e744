"""`art why`."""

from __future__ import annotations

import click

from artvcs.pipelines.cache import explain
from artvcs.pipelines.cache.reasons import Reason
from artvcs.vcs import Repository

from ...main import terminal
from ...shell import completion
from ...terminal import output


@click.command()
@click.argument("step", metavar="[PIPELINE::|RUN/]STEP", shell_complete=completion.steps)
@click.option(
    "--run",
    "run",
    help="In this run, instead of the newest that has the step.",
    shell_complete=completion.runs_with_step,
)
@click.option("--code", is_flag=True, help="Also list what the step's code reaches that cannot be followed.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(step: str, run: str | None, code: bool, as_json: bool) -> None:
    """Say why a step ran, or did not have to: what changed since its execution before.

    Example: art why train
    """
    found = explain.explain(Repository.discover(), step, run)
    if as_json:
        terminal().document({**vars(found), "reasons": [vars(reason) for reason in found.reasons]})
        return
    of = f" of {found.pipeline}" if found.elsewhere or "::" in step else ""
    terminal().sentence(f"{found.step}{of} ({output.status(found.status)}): {found.summary}")
    say_reasons(found.reasons)
    for thing in found.unverified:
        terminal().sentence(f"  cannot be compared: {thing}")
    if found.elsewhere:
        other = ", ".join(f"`art why {each}::{found.step}`" for each in found.elsewhere)
        terminal().note(f"Other pipelines have a step of that name: {other}")
    if code:
        for gap in found.unfollowed or ["all of its code could be followed"]:
            terminal().sentence(f"  not followed: {gap}" if found.unfollowed else f"  {gap}")


def say_reasons(reasons: list[Reason]) -> None:
    """Writes reasons, code with its changed lines."""
    for reason in reasons:
        if reason.kind == "code":
            terminal().sentence(
                f"  code {output.style(_code_in_words(reason.subject), bold=True)} {_code_change(reason)}"
            )
            for line in reason.diff.splitlines()[2:]:
                terminal().say(f"    {_coloured(line)}")
        elif reason.kind == "unverified":
            terminal().sentence(f"  it used {output.style(reason.subject, bold=True)}")
        else:
            old, new = (text if text is not None else "nothing" for text in (reason.old, reason.new))
            said = f"{_brief(old)} → {_brief(new)}" if reason.kind != "folder" else _of_folder(reason)
            terminal().sentence(f"  {reason.kind} {output.style(reason.subject, bold=True)}: {said}")


def _of_folder(reason: Reason) -> str:
    """What came into a folder and what went."""
    told = [f"{text} {verb}" for text, verb in ((reason.new, "came"), (reason.old, "went")) if text is not None]
    return _brief("; ".join(told))


def _brief(text: str) -> str:
    return output.brief(output.one_line(text), 120)


_CODE_IN_WORDS = {
    "::<place>": "{}, which does something when it is imported,",
    "::<lines>": "the lines of {}, which code looks at,",
    "::<module>": "what {} does when it is imported",
    ".<names>": "the naming of local variables in {}, which code looks at,",
}


def _code_in_words(subject: str) -> str:
    """The name of a part of code, or what it stands for where it has none."""
    for end, words in _CODE_IN_WORDS.items():
        if subject.endswith(end):
            return words.format(subject.removesuffix(end))
    return subject


def _code_change(reason: Reason) -> str:
    return "is new" if reason.old is None else "is gone" if reason.new is None else "changed"


def _coloured(line: str) -> str:
    return output.style(line, fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))
