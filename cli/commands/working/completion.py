"""`art completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ...main import art, terminal


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what makes a shell complete verbs, options, names of artifacts, runs, steps and parameters.

    Example: eval "$(art completion bash)"
    """
    cls = get_completion_class(shell)
    assert cls is not None, "one of click's own"
    terminal().lines(cls(art, {}, "art", "_ART_COMPLETE").source())
