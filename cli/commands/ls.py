"""`art ls`."""

from __future__ import annotations

import click

from artvcs.pipelines import lookup
from artvcs.pipelines.client import Client
from artvcs.pipelines.views import ArtifactVersion
from artvcs.vcs.errors import UnknownName

from .. import completion, output
from ..completion import artifact_names
from ..finding import perhaps
from ..main import terminal


@click.command()
@click.argument("name", required=False, shell_complete=completion.names_only)
@click.option("--tag", help="Only versions with this label.")
@click.option("--type", "type_", help="Only versions of this type, as DataFrame.")
@click.option("--where", "conditions", multiple=True, help="Only where metadata says so, as 'accuracy > 0.9'.")
@click.option("--sort", help="By name, number, created or size; with a - before it downwards.")
@click.option("-n", "limit", type=int, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    name: str | None, tag: str | None, type_: str | None, conditions: tuple[str, ...], sort: str | None,
    limit: int | None, as_json: bool,
) -> None:  # fmt: skip
    """List artifacts with their newest version, or all versions of NAME.

    Example: art ls digits-model --where 'accuracy > 0.9'
    """
    filtered = Client().list_artifact_versions(name, tag=tag, type=type_, metadata=conditions or None, sort=sort)
    if name is not None and not Client().list_artifact_versions(name, limit=1):
        hint = perhaps(name, artifact_names(Client().repository))
        raise UnknownName(f"There is no artifact named {name!r}{hint}; `art ls` lists those there are.")
    rows = filtered if name is not None else _newest(filtered)
    rows = rows[:limit]
    if as_json:
        terminal().document([version_document(version) for version in rows])
        return
    cells = [
        [output.short(each.id), f"{each.name}@{each.version}", each.type.rpartition(".")[2], output.size(each.size),
         output.ago(each.created), ", ".join(each.tags)]
        for each in rows
    ]  # fmt: skip
    terminal().table(["id", "artifact", "type", "size", "made", "tags"], cells)


def version_document(version: ArtifactVersion) -> dict[str, object]:
    """An artifact version as JSON data."""
    record = version.record
    return {
        "id": version.id, "name": version.name, "version": version.version, "number": version.number,
        "type": version.type, "size": version.size, "created": version.created, "tags": version.tags,
        "metadata": version.metadata, "origin": record.origin, "commit": record.commit, "run": record.run,
    }  # fmt: skip


def _newest(versions: list[ArtifactVersion]) -> list[ArtifactVersion]:
    """Of each artifact the version that was made last, or else the one with the greatest number."""
    repository = Client().repository
    refs = repository.refs()
    chosen: dict[str, ArtifactVersion] = {}
    for version in versions:
        before = chosen.get(version.name)
        if before is None or before.number != lookup.find_version(refs, version.name).number:
            chosen[version.name] = version
    return list(chosen.values())
