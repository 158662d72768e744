"""The names under which refs are kept: one place that knows how each is spelt.

    runs/<run id>                     → run
    artifacts/<name>/<number>         → version (ten digits, so that names sort by number)
    values/<name>/<artifact id>       → the same version: has this value a number already?
    cache/<cache key>                 → commit
    newest/<name>                     → the version of the name that was made, or made again, last
    latest/<pipeline>                 → the pipeline's newest run
    pruned/<artifact id>              → that artifact, whose data was given up on purpose
    kept/<artifact id>                → that artifact, whose data is kept though no version has it

Names are percent-encoded, so that no name can leave its place.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from ..objects.oid import Oid

RUNS, ARTIFACTS, VALUES, CACHE, LATEST = "runs/", "artifacts/", "values/", "cache/", "latest/"
PRUNED, KEPT, NEWEST = "pruned/", "kept/", "newest/"


def run_ref(run: str) -> str:
    """The ref of a run."""
    return RUNS + quote(run, safe="")


def cache_ref(key: Oid) -> str:
    """The ref of the commit that a cache key leads to."""
    return CACHE + key


def latest_ref(pipeline: str) -> str:
    """The ref of a pipeline's newest run."""
    return LATEST + quote(pipeline, safe="")


def newest_ref(name: str) -> str:
    """The ref of the version of an artifact name that was made, or made again, last."""
    return NEWEST + quote(name, safe="")


def pruned_ref(artifact: Oid) -> str:
    """The ref that says that an artifact's data was given up on purpose."""
    return PRUNED + artifact


def kept_ref(artifact: Oid) -> str:
    """The ref that keeps an artifact's data without a version."""
    return KEPT + artifact


def versions_prefix(name: str) -> str:
    """What the refs of all versions of an artifact name start with."""
    return f"{ARTIFACTS}{quote(name, safe='')}/"


def version_ref(name: str, number: int) -> str:
    """The ref of one version."""
    return f"{versions_prefix(name)}{number:010d}"


def value_ref(name: str, artifact: Oid) -> str:
    """The ref that says which version of `name` holds this artifact."""
    return f"{VALUES}{quote(name, safe='')}/{artifact}"


def artifact_name(ref: str) -> str:
    """The artifact name in a ref made by `version_ref`."""
    return unquote(ref.split("/")[1])
