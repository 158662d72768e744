"""What refers to what: the graph that gc, fsck and transfers walk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from ..errors import ArtError
from ..objects.kinds import Artifact, Commit, GitState, Op, Order, Promotion, Run, StepRun, Version
from ..objects.nodes import RefsNode, StepsNode, Tree
from ..objects.oid import NULL, Oid
from ..objects.records import Record
from ..storage.packs.table import Location
from ..storage.store import ObjectStore
from . import ref_names
from .refs import RefMap


def references(store: ObjectStore, at: Location) -> Iterator[Oid]:
    """The ids of the objects that one object directly refers to.

    An op refers to its refs but not to the op before it: older states of the refs may be gone.

    Raises:
        UnknownName: The object is not here.
        DamagedError: It cannot be understood.
    """
    if at.kind == "blob":
        return iter(store.chunk_ids(at))
    return references_of(store.record(at.oid, RECORDS[at.kind], keep=False))


def references_of(record: Record) -> Iterator[Oid]:
    """The ids of the objects that a record directly refers to."""
    return iter(_REFERENCES[record.KIND](record))


def reachable(
    store: ObjectStore,
    roots: Iterable[Oid],
    on_error: Callable[[Oid, ArtError], None] | None = None,
    *,
    ends: AbstractSet[Oid] = frozenset(),
) -> Iterator[Location]:
    """Every object that can be reached from `roots`, each once.

    Args:
        store: Where to look.
        roots: Where to begin.
        ends: Objects that are reached but not followed: artifacts whose data was pruned.
        on_error: Told of each object that is missing or damaged; without it, the first one raises as `references`.
    """
    seen = set(roots)
    pending = list(seen)
    while pending:
        oid = pending.pop()
        try:
            at = store.location(oid)
            found = set(references(store, at)) - seen if oid not in ends else set()
        except ArtError as error:
            if on_error is None:
                raise
            on_error(oid, error)
            continue
        seen |= found
        pending.extend(found)
        yield at


def pruned(refs: RefMap) -> set[Oid]:
    """The artifacts whose data was given up on purpose."""
    return {oid for _, oid in refs.items(ref_names.PRUNED)}


def _of_tree(tree: Tree) -> Iterator[Oid]:
    return iter(tree.children)


def _of_artifact(artifact: Artifact) -> Iterator[Oid]:
    yield artifact.payload


def _of_version(version: Version) -> Iterator[Oid]:
    if not version.deleted:
        yield version.artifact
        if version.commit:
            yield version.commit
        yield from (link.artifact for link in version.links)


def _of_commit(commit: Commit) -> Iterator[Oid]:
    yield commit.code.source
    yield commit.trace
    yield from commit.parents
    yield from (source.artifact for sources in commit.inputs.values() for source in sources)
    yield from (source.artifact for source in commit.reads.values())
    yield from (output.artifact for output in commit.outputs.values())
    yield from _of_git(commit.git)
    yield from (oid for oid in (commit.log, commit.curves) if oid)


def _of_run(run: Run) -> Iterator[Oid]:
    yield from _of_git(run.git)
    yield from (model.artifact for model in run.models)
    if run.parts is not None:
        yield run.parts.steps
        yield run.parts.order
        return
    for step in run.steps.values():
        yield from _of_step(step)


def _of_steps(node: StepsNode) -> Iterator[Oid]:
    for _, found, *_ in node.entries:
        yield from _of_step(found) if isinstance(found, StepRun) else (Oid(found),)


def _of_step(step: StepRun) -> Iterator[Oid]:
    yield from (source.artifact for sources in step.inputs.values() for source in sources)
    yield from (output.artifact for output in step.outputs.values())
    yield from (oid for oid in (step.commit, step.attempt, step.log) if oid)


def _of_nothing(_: Order | Promotion) -> Iterator[Oid]:
    return iter(())  # who was promoted once need not be kept for it


def _of_git(git: GitState | None) -> Iterator[Oid]:
    if git is not None and git.diff:
        yield git.diff


def _of_refs(node: RefsNode) -> Iterator[Oid]:
    return (Oid(entry[1]) for entry in node.entries if entry[1] != NULL)


def _of_op(op: Op) -> Iterator[Oid]:
    if op.state.refs:
        yield op.state.refs


RECORDS: dict[str, type[Record]] = {
    cls.KIND: cls for cls in (Artifact, Commit, Op, Order, Promotion, RefsNode, Run, StepRun, StepsNode, Tree, Version)
}
"""Kind → the class of its records; a blob has none."""

_REFERENCES: dict[str, Callable[[Any], Iterable[Oid]]] = {
    "tree": _of_tree,
    "artifact": _of_artifact,
    "version": _of_version,
    "commit": _of_commit,
    "run": _of_run,
    "steps": _of_steps,
    "step": _of_step,
    "order": _of_nothing,
    "promotion": _of_nothing,
    "refs": _of_refs,
    "op": _of_op,
}
