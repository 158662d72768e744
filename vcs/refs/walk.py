"""What refers to what: the graph that gc, fsck and transfers walk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet

from ..errors import ArtError
from ..objects.kinds import Artifact, Commit, GitState, Op, RefsNode, Run, Tree, Version
from ..objects.oid import Oid
from ..storage.pack import Location
from ..storage.store import ObjectStore
from .map import RefMap
from .names import PRUNED


def references(store: ObjectStore, at: Location) -> Iterator[Oid]:
    """The ids of the objects that one object directly refers to.

    An op refers to its refs but not to the op before it: older states of the refs may be gone.

    Raises:
        UnknownName: The object is not here.
        DamagedError: It cannot be understood.
    """
    yield from _REFERENCES[at.kind](store, at)


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
    return {oid for _, oid in refs.items(PRUNED)}


def op_chain(store: ObjectStore, newest: Oid | None) -> Iterator[tuple[Oid, Op]]:
    """The ops from the newest back to the first. Raises as `references`."""
    while newest is not None:
        op = store.record(newest, Op)
        yield newest, op
        newest = op.parent


def _of_tree(store: ObjectStore, at: Location) -> Iterator[Oid]:
    for entry in store.record(at.oid, Tree).entries:
        yield entry.id


def _of_artifact(store: ObjectStore, at: Location) -> Iterator[Oid]:
    yield store.record(at.oid, Artifact).payload


def _of_version(store: ObjectStore, at: Location) -> Iterator[Oid]:
    version = store.record(at.oid, Version)
    if not version.deleted:
        yield version.artifact
        if version.commit:
            yield version.commit


def _of_commit(store: ObjectStore, at: Location) -> Iterator[Oid]:
    commit = store.record(at.oid, Commit)
    yield commit.code.source
    yield from commit.parents
    yield from (source.artifact for sources in commit.inputs.values() for source in sources)
    yield from (source.artifact for source in commit.reads.values())
    yield from (output.artifact for output in commit.outputs.values())
    yield from _of_git(commit.git)
    if commit.log:
        yield commit.log


def _of_run(store: ObjectStore, at: Location) -> Iterator[Oid]:
    run = store.record(at.oid, Run)
    yield from _of_git(run.git)
    for step in run.steps.values():
        yield from (source.artifact for sources in step.inputs.values() for source in sources)
        yield from (output.artifact for output in step.outputs.values())
        yield from (oid for oid in (step.commit, step.log) if oid)


def _of_git(git: GitState | None) -> Iterator[Oid]:
    if git is not None and git.diff:
        yield git.diff


def _of_refs(store: ObjectStore, at: Location) -> Iterator[Oid]:
    for _, target in store.record(at.oid, RefsNode).entries:
        yield Oid(target)


def _of_op(store: ObjectStore, at: Location) -> Iterator[Oid]:
    op = store.record(at.oid, Op)
    if op.refs:
        yield op.refs


_REFERENCES: dict[str, Callable[[ObjectStore, Location], Iterable[Oid]]] = {
    "blob": lambda store, at: store.chunk_ids(at),
    "tree": _of_tree,
    "artifact": _of_artifact,
    "version": _of_version,
    "commit": _of_commit,
    "run": _of_run,
    "refs": _of_refs,
    "op": _of_op,
}
