"""`art completion`."""

from __future__ import annotations

import click

from ...main import art, terminal
from ...shell import shells

_SHELLS = {shell.name: shell for shell in (shells.Bash, shells.Zsh, shells.Fish)}


@click.command()
@click.argument("shell", type=click.Choice([*_SHELLS]))
def command(shell: str) -> None:
    """Print what makes a shell complete verbs, options, files, names of artifacts, runs, steps and parameters.

    Example: eval "$(art completion bash)"
    """
    terminal().lines(_SHELLS[shell](art, {}, "art", "_ART_COMPLETE").source())
