"""How refs are spelt, and what each leads to: the only place that knows.

    runs/<run id>                            → the run
    times/<start>/<run id>                   → nothing: runs in order of their start
    run-names/<name>/<run id>                → nothing: runs by name
    pipelines/<pipeline>/<start>/<run id>    → nothing: the runs of one pipeline in order of their start
    artifacts/<name>/<number>                → the version (ten digits, so that names sort by number)
    values/<artifact id>/<name>/<number>     → nothing: has this value a number already, and under which names?
    labels/<name>/<label>/<number>           → nothing: explicit versions
    links/<artifact id>/<name>/<model>/<number> → nothing: to which versions of models a version belongs
    newest/<name>                            → the artifact that was made, or made again, last
    stages/<name>/<stage>/<time>/<id>        → the promotion with this id: of each stage the last one counts
    cache/<cache key>/<commit id>            → the commit: its result can be used where its trace still holds
    vouched/<object id>/<vouch id>           → the vouch: who has signed that a commit or artifact is of his making
    pruned/<artifact id>                     → that artifact, whose data was given up on purpose
    kept/<artifact id>                       → that artifact, whose data is kept though no version has it
    lost/<object id>                         → nothing: it is referred to and was lost; a repair has said so

What leads to nothing has the id `NULL`: it only has to be there. So each fact stands in one place, and changing a
record changes one ref. Names are percent-encoded, so that no name can leave its place.
"""

from __future__ import annotations

import functools
import reprlib
import sys
from urllib.parse import quote, unquote

from ..errors import DamagedError
from ..objects.oid import Oid

RUNS, TIMES, ARTIFACTS, CACHE, NEWEST = "runs/", "times/", "artifacts/", "cache/", "newest/"
PRUNED, KEPT, LOST, VOUCHED, STAGES = "pruned/", "kept/", "lost/", "vouched/", "stages/"
RUN_NAMES, PIPELINES, VALUES, LABELS, LINKS = "run-names/", "pipelines/", "values/", "labels/", "links/"

MARKS = (TIMES, RUN_NAMES, PIPELINES, VALUES, LABELS, LINKS, LOST)
"""How the refs begin that lead to nothing."""

_DIGITS = 16
"""So many digits a number in a ref may have."""

LAST = chr(sys.maxunicode)
"""After a prefix, greater than all refs that start with it."""


@functools.lru_cache(4096)
def _quoted(text: str) -> str:
    """A text as a part of a ref; what is no Unicode, as no stored name is, is only looked for."""
    return quote(text, safe="", errors="surrogatepass")


def run(run_id: str) -> str:
    """The ref of a run."""
    return RUNS + _quoted(run_id)


def run_time(started: int, run_id: str) -> str:
    """The mark of a run among all, in order of their start (milliseconds since 1970)."""
    return f"{TIMES}{started:016d}/{_quoted(run_id)}"


def named_runs(name: str) -> str:
    """What the marks of the runs of this name start with."""
    return f"{RUN_NAMES}{_quoted(name)}/"


def runs_named_like(start: str) -> str:
    """What the marks of the runs whose names start so start with."""
    return f"{RUN_NAMES}{_quoted(start)}"


def run_name(name: str, run_id: str) -> str:
    """The mark of a run among those of its name."""
    return named_runs(name) + _quoted(run_id)


def pipeline_runs(pipeline: str) -> str:
    """What the marks of a pipeline's runs start with."""
    return f"{PIPELINES}{_quoted(pipeline)}/"


def pipelines_like(start: str) -> str:
    """What the marks of the runs of all pipelines whose names start so start with."""
    return f"{PIPELINES}{_quoted(start)}"


def pipeline_run(pipeline: str, started: int, run_id: str) -> str:
    """The mark of a run among those of its pipeline."""
    return f"{pipeline_runs(pipeline)}{started:016d}/{_quoted(run_id)}"


def versions(name: str) -> str:
    """What the refs of all versions of an artifact name start with."""
    return f"{ARTIFACTS}{_quoted(name)}/"


def version(name: str, number: int) -> str:
    """The ref of one version."""
    return f"{versions(name)}{number:010d}"


def values(name: str, artifact: Oid) -> str:
    """What the mark of the version of `name` that has this artifact starts with."""
    return f"{VALUES}{artifact}/{_quoted(name)}/"


def values_like(start: str) -> str:
    """What the marks of all versions start with whose artifact's id starts so."""
    return VALUES + _quoted(start)


def value(name: str, artifact: Oid, number: int) -> str:
    """The mark that says which version of `name` has this artifact."""
    return f"{values(name, artifact)}{number:010d}"


def labels_of(name: str) -> str:
    """What the marks of all labels of an artifact name start with."""
    return f"{LABELS}{_quoted(name)}/"


def labels(name: str, label: str) -> str:
    """What the mark of the version of `name` with this label starts with."""
    return f"{labels_of(name)}{_quoted(label)}/"


def label(name: str, text: str, number: int) -> str:
    """The mark that says which version of `name` has this label."""
    return f"{labels(name, text)}{number:010d}"


def links(name: str, artifact: Oid) -> str:
    """What the marks of the versions of models start with that the version of `name` with this artifact belongs to."""
    return f"{LINKS}{artifact}/{_quoted(name)}/"


def link(name: str, artifact: Oid, model: str, number: int) -> str:
    """The mark that says that a version belongs to a version of a model."""
    return f"{links(name, artifact)}{_quoted(model)}/{number:010d}"


def newest(name: str) -> str:
    """The ref of the artifact of a name that was made, or made again, last."""
    return NEWEST + _quoted(name)


def newest_like(start: str) -> str:
    """What these refs of all names that start so start with."""
    return NEWEST + _quoted(start)


def stages_of(name: str) -> str:
    """What the refs of all promotions of an artifact name start with."""
    return f"{STAGES}{_quoted(name)}/"


def stage(name: str, stage: str) -> str:
    """What the refs of all promotions to a stage of an artifact name start with."""
    return f"{stages_of(name)}{_quoted(stage)}/"


def stage_of(ref: str) -> tuple[str, str]:
    """The name and the stage in the ref of a promotion, decoded."""
    _, name, stage, *_ = ref.split("/")
    return unquote(name), unquote(stage)


def promotion(name: str, stage_name: str, created: int, promotion: Oid) -> str:
    """The ref of a promotion (at a time in milliseconds since 1970)."""
    return f"{stage(name, stage_name)}{created:016d}/{promotion}"


def results(key: Oid) -> str:
    """What the refs of all results of a cache key start with."""
    return f"{CACHE}{key}/"


def result(key: Oid, commit: Oid) -> str:
    """The ref of a result of a cache key; older ones end with the id of the trace, and are read as well."""
    return results(key) + commit


def vouches(oid: Oid) -> str:
    """What the refs of all vouches for an object start with."""
    return f"{VOUCHED}{oid}/"


def vouch(oid: Oid, vouch: Oid) -> str:
    """The ref of a vouch for an object."""
    return vouches(oid) + vouch


def pruned(artifact: Oid) -> str:
    """The ref that says that an artifact's data was given up on purpose."""
    return PRUNED + artifact


def kept(artifact: Oid) -> str:
    """The ref that keeps an artifact's data without a version."""
    return KEPT + artifact


def lost(oid: Oid) -> str:
    """The ref that says that an object was lost."""
    return LOST + oid


def label_of(ref: str) -> str:
    """The label in the mark of a version, decoded."""
    return unquote(ref.split("/")[2])


def last_part(ref: str) -> str:
    """The last part of a ref, decoded: a run id."""
    return unquote(ref.rpartition("/")[2])


def number_of(ref: str) -> int:
    """The number at the end of a ref. Raises DamagedError where there is none."""
    text = ref.rpartition("/")[2]
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise DamagedError(f"The ref {reprlib.repr(ref)} is not spelt as such a ref is; run `art fsck --repair`.")
    return int(text)


def name_of(ref: str) -> str:
    """The name in the second part of a ref, decoded."""
    return unquote(ref.split("/")[1])


def version_of(ref: str) -> tuple[str, int]:
    """The name and the number in the ref of a version. Raises DamagedError as `number_of`."""
    return name_of(ref), number_of(ref)


def value_of(ref: str) -> tuple[str, int]:
    """The name and the number in the mark of a value. Raises DamagedError as `number_of`."""
    return unquote(ref.rpartition("/")[0].rpartition("/")[2]), number_of(ref)
