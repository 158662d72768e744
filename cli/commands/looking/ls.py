"""`art ls`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import click

from artvcs.pipelines.client import Client
from artvcs.pipelines.history.finding import filters, meant
from artvcs.pipelines.history.listing import VERSION_KEYS
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.vcs import Damaged, DamagedError, RefMap, UnknownName, Version, ref_names, versions

from ... import elsewhere
from ...main import terminal
from ...shell import completion
from ...stored import finding
from ...stored.versions import kind
from ...terminal import output

T = TypeVar("T")

_PAGE = 50
"""So many lines are written where nobody asks for another number."""


@dataclass(frozen=True)
class _Filter:
    """What versions are to be like."""

    tag: str | None
    type: str | None
    conditions: tuple[str, ...]
    sort: str | None


_ALL = _Filter(None, None, (), None)


@dataclass(frozen=True)
class _Page:
    """What is listed, and what is said of the rest: empty where that is all."""

    rows: Sequence[ArtifactVersion | Damaged]
    rest: str


@click.command()
@click.argument("name", required=False, shell_complete=completion.names_only)
@click.option("--tag", help="Only versions with this label.")
@click.option("--type", "type_", help="Only versions of this type, as DataFrame.")
@click.option("--where", "conditions", multiple=True, help="Only where it is noted so, as 'accuracy > 0.9'.")
@click.option(
    "--sort", help="By name, number, created or size; with a - before it downwards.",
    shell_complete=completion.one_of(*VERSION_KEYS),
)  # fmt: skip
@click.option("-n", "limit", type=click.IntRange(min=1), help=f"At most so many, instead of {_PAGE}; of NAME the last.")
@click.option("--all", "everything", is_flag=True, help="However many there are.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, of all unless -n.")
def command(
    name: str | None, tag: str | None, type_: str | None, conditions: tuple[str, ...], sort: str | None,
    limit: int | None, everything: bool, as_json: bool,
) -> None:  # fmt: skip
    """List artifacts with their newest version, or the versions of NAME.

    Example: art ls accuracy --where 'value > 0.9'
    """
    if limit is not None and everything:
        raise click.UsageError("Say how many with -n, or --all.")
    client, wanted = Client(), _Filter(tag, type_, conditions, sort)
    refs = client.repository.refs()
    finding.say_model_too(terminal(), client.repository, name)
    name = name if name is None else meant.named(refs, name)
    if name is not None and not versions.exists(refs, name):
        if versions.exists(refs, meant.named(refs, name.partition("@")[0])):
            raise click.UsageError(f"All versions of a name are listed; `art show {name}` shows one.")
        raise meant.no_artifact(refs, name)
    count = None if everything or (as_json and limit is None) else limit or _PAGE
    page = _artifacts(client, refs, wanted, count) if name is None else _versions(client, refs, name, wanted, count)
    if as_json:
        terminal().document([_either(each, version_document, _damaged_document) for each in page.rows])
        return
    rows = [_either(each, _cells, _damaged_cells) for each in page.rows]
    heads = ["id", "artifact", "stage", "type", "size", "made", "tags"]
    if not any(row[2] for row in rows):
        heads, rows = heads[:2] + heads[3:], [row[:2] + row[3:] for row in rows]
    spare = [head for head in ("id", "size", "made", "type", "stage") if head in heads]
    terminal().table(heads, rows, whole="artifact", spare=spare)
    if page.rest:
        terminal().note(f"… and {page.rest}; --all lists them")
    if not rows and wanted != _ALL:
        _say_why_none(client, name, conditions)
    elif not rows:
        elsewhere.say_none(terminal(), "artifacts", "`art run FILE` and `art add PATH --name NAME` make some")


def _say_why_none(client: Client, name: str | None, conditions: tuple[str, ...]) -> None:
    """Says that no version fits, and which condition asks for what is noted of none."""
    repository = client.repository
    whose = "version" if name is None else f"version of {name}"
    for key in dict.fromkeys(key for key, _, _ in filters.parse(conditions)):
        if not repository.catalog().versions.has_fact(key, name):
            hint = meant.near(repository.catalog().versions.fact_names, key)
            terminal().warn(f"Nothing is noted as {key!r} of any {whose}{hint}; `art show` lists what is.")
    terminal().tell(f"No {whose} is like that.")


def _artifacts(client: Client, refs: RefMap, wanted: _Filter, count: int | None) -> _Page:
    """Artifacts by name, each with its newest version."""
    if wanted == _ALL:
        newest = itertools.islice(versions.newest_of_each(refs), count)
        page, total = [_as_shown(client, each) for each in newest], refs.count(ref_names.NEWEST)
    else:
        found: Sequence[ArtifactVersion | Damaged] = _newest(refs, _listed(client, None, wanted, wanted.sort, None))
        page, total = list(found[:count]), len(found)
    return _Page(page, f"{total - len(page)} more" if total > len(page) else "")


def _versions(client: Client, refs: RefMap, name: str, wanted: _Filter, count: int | None) -> _Page:
    """Versions of one artifact: the last ones, in order, unless they are to be sorted."""
    if wanted == _ALL:
        rows = [_as_shown(client, each) for each in itertools.islice(versions.listed(refs, name, reverse=True), count)]
        older = versions.count(refs, name) - len(rows)
        return _Page(rows[::-1], output.count(older, "older one") if older > 0 else "")
    more = None if count is None else count + 1
    if wanted.sort is not None:
        found = _listed(client, name, wanted, wanted.sort, more)
        return _Page(found[:count], "more" if len(found) == more else "")
    found = _listed(client, name, wanted, "-number", more)
    return _Page(found[:count][::-1], "older ones" if len(found) == more else "")


def _listed(
    client: Client, name: str | None, wanted: _Filter, sort: str | None, limit: int | None
) -> list[ArtifactVersion]:
    return client.list_artifact_versions(
        name, tag=wanted.tag, type=wanted.type, metadata=wanted.conditions or None, sort=sort, limit=limit
    )


def _newest(refs: RefMap, found: list[ArtifactVersion]) -> list[ArtifactVersion]:
    """Of each artifact the version that was made last, or else the one with the greatest number."""
    chosen: dict[str, ArtifactVersion] = {}
    for version in found:
        before = chosen.get(version.name)
        if before is None or before.number != versions.newest_number(refs, version.name):
            chosen[version.name] = version
    return list(chosen.values())


def _as_shown(client: Client, found: Version | Damaged) -> ArtifactVersion | Damaged:
    return found if isinstance(found, Damaged) else ArtifactVersion(client.repository, found)


def _either(version: ArtifactVersion | Damaged, show: Callable[[ArtifactVersion], T], stand_in: Callable[..., T]) -> T:
    """What `show` makes of a version; where it cannot be read, what `stand_in` makes of name, number and reason."""
    if isinstance(version, Damaged):
        return stand_in(*ref_names.version_of(version.ref), version.why)
    try:
        return show(version)
    except (DamagedError, UnknownName) as error:
        return stand_in(version.name, version.number, str(error))


def _cells(version: ArtifactVersion) -> list[str]:
    return [
        output.short(version.id), f"{version.name}@{version.version}", output.stages(version.stages), kind(version),
        output.size(version.size), output.ago(version.created), ", ".join(version.tags),
    ]  # fmt: skip


def _damaged_cells(name: str, number: int, why: str) -> list[str]:
    return ["", f"{name}@{number}", "", "", "", "", output.damaged(why)]


def _damaged_document(name: str, number: int, why: str) -> dict[str, object]:
    return {"name": name, "number": number, "damaged": why}


def version_document(version: ArtifactVersion) -> dict[str, object]:
    """An artifact version as JSON data."""
    record = version.record
    return {
        "id": version.id, "name": version.name, "version": version.version, "number": version.number,
        "type": version.type, "size": version.size, "created": version.created, "tags": version.tags,
        "stages": version.stages,
        "metadata": version.metadata, "origin": record.origin, "commit": record.commit, "run": record.run,
    }  # fmt: skip
