"""`art cat`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click

from artvcs.pipelines.errors import ParameterError
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.vcs import FILE, Entry, Location, Repository, UnknownName

from ...main import terminal
from ...shell import completion
from ...stored import finding
from ...stored.files import bring_here, files_of, paths_like
from ...terminal import output


def _names_and_files(repository: Repository, start: str, context: click.Context) -> Iterator[str]:
    """The names and versions that start so; behind a colon, the files of the version."""
    spec, path = _split(start)
    if path is None:
        return completion.find_names_and_versions(repository, start, context)
    version = finding.version(repository, spec)
    return (f"{spec}:{each}" for each in paths_like(repository, version.artifact.payload, path))


@click.command()
@click.argument("target", metavar="NAME[@VERSION][:PATH]|ID", shell_complete=completion.completing(_names_and_files))
def command(target: str) -> None:
    """Write a stored file to standard output, as it is.

    Example: art cat prices@2 > old-prices.csv
    """
    repository = Repository.discover()
    with repository.reading():
        found = _find(repository, target)
        try:
            terminal().content(repository.store.iter_read(found.id))
        except output.NotText:
            raise ParameterError(
                f"{target} is {output.size(found.size)} that are no text; write them to a file, as in "
                f"`{shlex.join(['art', 'cat', target])} > FILE`."
            ) from None


def _find(repository: Repository, target: str) -> Entry:
    spec, path = _split(target)
    found = finding.find(repository, spec)
    if isinstance(found, Location) and found.kind == "blob":
        return Entry("blob", FILE, found.oid, found.size)
    if not isinstance(found, ArtifactVersion):
        raise UnknownName(f"{spec!r} is neither an artifact nor a blob; `art show {spec}` shows what it is.")
    bring_here(found)
    files = files_of(repository, found.artifact.payload)
    if path is None and len(files) == 1:
        return next(iter(files.values()))
    if path not in files:
        names = ", ".join(sorted(files)[:8]) + (", …" if len(files) > 8 else "")
        wanted = f"has no file {path!r}" if path else f"has {output.count(len(files), 'file')}"
        raise UnknownName(f"{spec} {wanted}; choose one as in {spec}:PATH from {names}.")
    return files[path]


def _split(target: str) -> tuple[str, str | None]:
    # `::` is part of default artifact names; a single colon starts a path.
    for at, char in enumerate(target):
        if char == ":" and ":" not in (target[at - 1 : at], target[at + 1 : at + 2]):
            return target[:at], target[at + 1 :]
    return target, None
