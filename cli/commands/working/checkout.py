"""`art checkout`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from artvcs.pipelines.history import pins
from artvcs.pipelines.history.models import ModelVersion
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.vcs import (
    FOLDER,
    ArtError,
    Entry,
    Repository,
    UnknownName,
    WouldOverwrite,
    check_entry_name,
    storage_errors,
    worktree,
)

from ... import placing
from ...main import terminal
from ...shell import completion
from ...stored import finding
from ...stored.files import bring_here, given_by, is_given
from ...terminal.screen import Counter

_NAMED = 3
"""So many artifacts of a model are named."""

_LARGE = 8 << 20
"""Of less than this many bytes nobody wants to see the progress."""

_WITH_SUFFIX = re.compile(r".+?((?:\.tar)?\.[A-Za-z0-9]{1,12})", re.DOTALL)


@click.command()
@click.argument("target", required=False, metavar="NAME[@VERSION]", shell_complete=completion.names_and_versions)
@click.option(
    "-o", "--output", "output", type=click.Path(readable=False),
    help="Where to put it; by default here, under NAME with the stored file's suffix.",
)  # fmt: skip
@click.option("--gitignore", is_flag=True, help="Have Git leave the path alone.")
@click.option("--lock", is_flag=True, help="Put all that artifacts.lock pins in its place.")
def command(target: str | None, output: str | None, gitignore: bool, lock: bool) -> None:
    """Put an artifact's files into the working directory. Edits that are not stored are never overwritten.

    Example: art checkout prices@2 -o old/
    """
    if output == "":
        raise click.UsageError("The place to put it is empty; name one, or leave --output away.")
    if lock == (target is not None):
        raise click.UsageError("Name an artifact, or give --lock for all that artifacts.lock pins.")
    repository = Repository.discover()
    for edits in worktree.clean_up(repository.layout):
        terminal().sentence(f"{edits} holds edits made while an earlier checkout was killed")
    if target is not None:
        found = finding.version(repository, target)
        if found.record.origin == "model":
            raise _of_model(ModelVersion(repository, found.record))
        _put(repository, found, partial(_where, output, target), ignored=gitignore)
        return
    pinned = pins.read(repository.project)
    if not pinned:
        raise UnknownName(f"There is no {pins.FILE_NAME} that pins anything; `art lock` makes one.")
    problems: list[ArtError] = []
    for path, pin in pinned.items():
        try:
            found = ArtifactVersion(repository, pin.find(repository.refs()))
            _put(repository, found, partial(_where_pinned, repository.project / path), ignored=gitignore)
        except ArtError as error:  # one that is edited, or not known here, hides none of the others
            problems.append(error)
    if problems:
        for each in problems[1:]:
            terminal().warn(str(each))
        raise problems[0]


def _of_model(model: ModelVersion) -> UnknownName:
    """What is said of a model, whose value is nothing but a number: what belongs to it has files."""
    named = [f"`art checkout {each.name}@{each.version}`" for each in model.artifacts.values()]
    bring = f"{', '.join(named[:_NAMED])}{', …' if named[_NAMED:] else ''} brings what" if named else "nothing"
    return UnknownName(f"{model.name}@{model.version} is a model, which has no files; {bring} belongs to it.")


def _put(repository: Repository, found: ArtifactVersion, choose: Callable[[Entry], Path], *, ignored: bool) -> None:
    with repository.reading():
        bring_here(found)
        entry = given_by(repository, found.artifact.payload)
        where = choose(entry)
        kept = partial(is_given, repository)
        with Counter("writing", entry.size, live=terminal().live and entry.size > _LARGE) as counter:
            written = worktree.checkout(repository.store, repository.layout, entry, where, kept, counter)
    terminal().note(f"{where} holds {found.name}@{found.version}{'' if written else ' already'}")
    placing.note(repository, where, found.record, entry, ignored=ignored)
    for folder in placing.around(repository, where) if written else ():
        terminal().warn(
            f"{where} lies in {folder}, and `art add -u` makes it part of that; move it away if it is none."
        )
    stored, given = _suffix(entry.name), _suffix(where.name)
    if entry.mode != FOLDER and given and given.casefold() != stored.casefold():
        what = f"a {stored} file" if stored else "a file without a suffix"
        terminal().warn(f"{where} is {what}, as {found.name}@{found.version} is stored, whatever its name says.")


def _where_pinned(place: Path, _: Entry) -> Path:
    """Where it goes, as seen from here."""
    return Path(os.path.relpath(place))


def _where(output: str | None, target: str, entry: Entry) -> Path:
    """Where it goes: a file into a folder that is there, or is spelt as one, under its default name."""
    default = _default_place(target, entry)
    if output is None:
        return default
    place = Path(output)
    with storage_errors(f"writing {place}"):
        if entry.mode != FOLDER:
            return place / default if place.is_dir() or output.endswith(("/", "/.")) else place
        if place.exists() and place.resolve() in (Path.cwd(), *Path.cwd().parents):
            raise WouldOverwrite(
                f"{output} is the folder you are in, which is replaced as a whole; go elsewhere first."
            )
        return place


def _suffix(name: str) -> str:
    """The suffix of a file's name, if it has one."""
    plain = _WITH_SUFFIX.fullmatch(name)
    return plain.group(1) if plain else ""


def _default_place(target: str, entry: Entry) -> Path:
    """The name that the user typed, with the suffix of the stored file.

    A stored file's own name is whatever somebody else chose: a `conftest.py` must not appear where it would be run.
    """
    name = check_entry_name(target.partition("@")[0].replace("::", "-"))
    if entry.mode == FOLDER:
        return Path(name)
    suffix = _suffix(entry.name)
    return Path(name if name.casefold().endswith(suffix.casefold()) else name + suffix)
