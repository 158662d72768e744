"""What the Client answers a step, as one hash: which versions or runs these are, and what is noted with them."""

from __future__ import annotations

from collections.abc import Iterable

from artvcs.vcs import Run, Version, canonical, hash_bytes

NOTED = "what is noted with"
RUN = "run"
RUNS = "runs"
STAGES = "in which stages is"
VERSION = "version"
VERSIONS = "versions"
NONE = "none"
"""The answer where there is none."""


def of_versions(found: Iterable[Version]) -> str:
    """Versions as an answer."""
    told = [[each.name, each.number, each.artifact, each.label, list(each.tags), dict(each.metadata)] for each in found]
    return hash_bytes(canonical.dumps(told), "answer")


def of_stages(found: Iterable[str]) -> str:
    """Stages as an answer."""
    return hash_bytes(canonical.dumps(list(found)), "answer")


def of_runs(found: Iterable[Run], without: str) -> str:
    """Runs as an answer, without the one that asks."""
    return hash_bytes(canonical.dumps([each.oid for each in found if each.run != without]), "answer")
