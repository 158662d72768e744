"""`art`: the entry point, its global options, and how errors end."""

from __future__ import annotations

import contextvars
import gc
import importlib
import io
import keyword
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from artvcs import __version__
from artvcs.vcs import ArtError, RepositoryNotFound, UnknownArtifact

from . import errors
from .terminal.output import Terminal, make_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

_ROOMS = {
    "working": {
        "init": "Make an artifact repository.",
        "run": "Run a pipeline.",
        "add": "Store an existing file or folder as an artifact.",
        "lock": "Pin the versions of data that stand in the project.",
        "tag": "Move a stage, such as production, to a version.",
        "checkout": "Put an artifact's files into the working directory.",
        "import": "Bring in what DVC, MLflow or Git LFS have kept.",
        "migrate": "Move a project here from another tool.",
        "trust": "Let a value made elsewhere run code when it is loaded.",
        "completion": "Print what makes a shell complete `art`.",
    },
    "looking": {
        "log": "Show runs, or where an artifact came from.",
        "show": "Show one artifact, run, commit or object.",
        "why": "Say why a step ran, or did not have to.",
        "plot": "Plot a measure of runs, or a curve of a training.",
        "runs": "Compare runs: parameters and measures in columns.",
        "ls": "List artifacts and their versions.",
        "cat": "Write a stored file to standard output.",
        "status": "Show the repository and its latest runs.",
        "cat-file": "Look at one stored object.",
    },
    "sharing": {
        "remote": "Add, list, remove or test repositories elsewhere.",
        "clone": "Make a repository of one elsewhere.",
        "fetch": "Bring the lineage of what others have made.",
        "pull": "Bring what others have made; data comes when it is read.",
        "push": "Send what was made here.",
        "mirror": "Copy all of a remote to another place.",
        "bundle": "Carry artifacts in one file, where no network goes.",
        "serve": "Answer for a repository's files, for remotes at ssh://.",
    },
    "upkeep": {
        "rm": "Delete a run's record, or a version that no run uses.",
        "prune": "Delete artifact versions that no run uses.",
        "gc": "Free the space of what nothing refers to.",
        "fsck": "Check every byte of the repository.",
    },
}
"""The folders of `commands/`, each with its verbs and what they are for."""

_ELSEWHERE = {
    "branch": "branches are Git's, and `art show NAME@BRANCH` shows a version as of one",
    "commit": "each run and each `art add` keeps what it made, and `art log` shows it",
    "diff": "`art why STEP` says what changed since the run before, and `art status` what was edited",
    "exp": "`art runs` compares runs, and `art plot` draws them",
    "get": "`art checkout NAME -o PATH` brings the files of a version",
    "list": "`art ls` lists artifacts, and `art log` runs",
    "metrics": "`art runs` shows measures and parameters in columns, and `art plot` draws them",
    "params": "`art runs` shows parameters and measures in columns",
    "plots": "`art plot` draws measures and curves",
    "repro": "`art run FILE` runs what changed and reuses the rest",
    "restore": "`art checkout NAME@VERSION -o PATH` puts the files of a version back",
    "ui": "`art runs`, `art show` and notebooks show what there is, without a server",
}
"""Words that people know from Git, DVC or MLflow → what does that here."""

_DID_YOU_MEAN = re.compile(r"\.? +(?:\()?[Dd]id you mean (?:one of )?:? ?([^?]+)\?\)?$")

VERBS = {verb: purpose for verbs in _ROOMS.values() for verb, purpose in verbs.items()}


class Verbs(click.Group):
    """The group of verbs; a verb's module is imported only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs' names."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The verb with this name."""
        if name not in VERBS:
            return None
        room = next(room for room, verbs in _ROOMS.items() if name in verbs)
        file = f"{name.replace('-', '_')}{'_' if keyword.iskeyword(name) else ''}"
        module = importlib.import_module(f"artvcs.cli.commands.{room}.{file}")
        command: click.Command = module.command
        return command

    def main(self, args: Sequence[str] | None = None, *rest: Any, **kwargs: Any) -> Any:
        """Runs the command, or answers a shell that asks how a word goes on; `help VERB` is `VERB --help`."""
        if args and args[0] == "help":
            args = [*args[1:2], "--help"]
        if "_ART_COMPLETE" in os.environ:
            from .shell import shells

            shells.known()
        return super().main(args, *rest, **kwargs)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that the arguments name, or an error with the one they may have meant."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from artvcs.pipelines.errors import perhaps  # who types a verb right needs none of it

            if args[0] in _ELSEWHERE:
                raise click.ClickException(f"There is no `art {args[0]}`; {_ELSEWHERE[args[0]]}.")
            ctx.fail(f"No such command {args[0]!r}{perhaps(args[0], VERBS)}.")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin so, without importing them."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(verb, help=VERBS[verb]) for verb in sorted(VERBS) if verb.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the verbs by their rooms, without importing them."""
        widest = max(map(len, VERBS))
        for room, verbs in _ROOMS.items():
            with formatter.section(room.capitalize()):
                formatter.write_dl([(verb.ljust(widest), purpose) for verb, purpose in verbs.items()])


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="art")
@click.option("-C", "folder", metavar="PATH", help="Work as if started in PATH.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and what was asked for.")
@click.option("--no-color", is_flag=True, help="No colours (as the variable NO_COLOR).")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def art(ctx: click.Context, folder: str | None, quiet: bool, no_color: bool, debug: bool) -> None:
    """Git for what pipelines make."""
    if folder is not None:
        try:
            os.chdir(folder)
        except OSError as error:
            raise click.UsageError(f"-C {folder}: {error.strerror}") from None
    ctx.obj = make_terminal(quiet=quiet, no_color=no_color, debug=debug)
    if not ctx.obj.colour:
        ctx.color = False
    _watch_making(ctx.obj, brings=ctx.invoked_subcommand in _ROOMS["sharing"])
    if ctx.obj.live:
        _watch_catalog()
        _watch_traffic(ctx.obj)


def _watch_making(terminal: Terminal, *, brings: bool) -> None:
    """Says where a repository was made, for that depends on where the command was started.

    And what brings what a remote has, unless the command is one of those itself.
    """
    from artvcs.vcs import making

    def tell(folder: Path) -> None:
        from .elsewhere import not_fetched

        hint = None if brings else not_fetched()
        terminal.tell(f"Made an artifact repository in {folder}" + (f"; {hint}." if hint else ""))

    making.set(tell)


def _watch_catalog() -> None:
    """Shows how far it is, when a new clone's catalog is made."""
    from artvcs.vcs import watcher

    from .terminal.output import count, show_bar, show_moving

    watcher.set(lambda done, of: show_bar(f"reading {count(of, 'record')}", done, of) if done < of else show_moving(""))


def _watch_traffic(terminal: Terminal) -> None:
    """Shows what comes and goes, when something is read that is elsewhere, or shared around a run."""
    from functools import partial

    from artvcs.vcs import traffic

    from .sharing import shown

    traffic.watcher.set(partial(shown, terminal))


def main() -> None:
    """Runs `art` and exits with the code of docs/exit-codes.md."""
    for each in _ENDING:
        if signal.getsignal(each) is signal.SIG_DFL:
            signal.signal(each, _stop)
    os.register_at_fork(after_in_child=_end_at_once)
    code = run(sys.argv[1:])
    gc.freeze()  # or Python would look through all that there is before it ends
    sys.exit(code)


_ENDING = (signal.SIGTERM, signal.SIGHUP)
"""A job's time is up, or a terminal is closed: what runs ends as by Ctrl-C, and what had finished is kept."""


def _stop(number: int, _frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    raise _Stopped(number)


def _end_at_once() -> None:
    """In a forked child, which a step's own code has made and ends: nothing here is the child's to keep."""
    for each in _ENDING:
        if signal.getsignal(each) is _stop:
            signal.signal(each, signal.SIG_DFL)


class _Stopped(KeyboardInterrupt):
    """Somebody ended the process by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def run(arguments: list[str]) -> int:
    """Runs `art` with these arguments and returns its exit code."""
    # A daemon may have closed them.
    sys.stdout, sys.stderr = (stream or io.StringIO() for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character shows another one; that is no reason to fail.
            stream.reconfigure(errors="replace")
    try:
        # In a context of its own: who watches this command does not watch what the process does after it.
        run_apart = contextvars.copy_context().run
        code: Any = run_apart(art.main, arguments, prog_name="art", standalone_mode=False)
        return code if isinstance(code, int) else errors.OK
    except (RepositoryNotFound, UnknownArtifact) as error:
        from .elsewhere import perhaps_elsewhere

        return _fail(arguments, perhaps_elsewhere(error), errors.exit_code(error))
    except ArtError as error:
        return _fail(arguments, str(error), errors.exit_code(error))
    except click.ClickException as error:
        return _misused(arguments, error)
    except (KeyboardInterrupt, click.Abort) as error:
        interrupt = error.__cause__ or error  # click raises its own from it
        message = str(interrupt) or "Interrupted; what had finished is kept: run it again to go on."
        number = interrupt.number if isinstance(interrupt, _Stopped) else signal.SIGINT
        return _fail(arguments, message, errors.BY_SIGNAL + number)
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain while it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.OK
    except Exception as error:
        message = f"Unexpected {type(error).__name__}: {error}; run again as `art --debug …` and report what it says."
        return _fail(arguments, message, errors.FAILED)


def _misused(arguments: list[str], error: click.ClickException) -> int:
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()
        return errors.USAGE
    # What click thinks was meant stands where ours does, before what to do.
    message = _DID_YOU_MEAN.sub(r" (did you mean \1?)", error.format_message()).rstrip(".")
    if not isinstance(error, click.UsageError):
        return _fail(arguments, error.format_message(), errors.USAGE)
    # click does not say of every misuse in which verb it was.
    named = next((f"art {each}" for each in arguments if each in VERBS), "art")
    verb = error.ctx.command_path if error.ctx is not None else named
    if isinstance(error, click.NoSuchOption) and any(error.option_name in each.opts for each in art.params):
        inside = verb.removeprefix("art ")
        return _fail(arguments, f"{message} of this verb; write `art {error.option_name} {inside} …`.", error.exit_code)
    return _fail(arguments, f"{message}; `{verb} --help` shows what it takes.", error.exit_code)


def _fail(arguments: list[str], message: str, code: int) -> int:
    # The command's own terminal may not have been made yet.
    terminal = make_terminal(quiet=False, no_color="--no-color" in arguments, debug="--debug" in arguments)
    if terminal.debug:
        import traceback

        terminal.lines(traceback.format_exc(), err=True)
    terminal.fail(message)
    return code


def terminal() -> Terminal:
    """The terminal of the running command."""
    found: Terminal = click.get_current_context().obj
    return found
