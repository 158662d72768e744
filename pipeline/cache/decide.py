"""Deciding for one step: reuse an earlier result, or run. Nothing is executed here."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artvcs.vcs import Commit, DamagedError, Input, LookupFailed, ObjectStore, Oid, Refs, now_ms, ref_names, values

from ..define.graph import Node
from ..define.policy import CachePolicy
from ..fingerprint import Fingerprint
from ..history import lookup
from ..typing.encode import to_plain
from .key import KeyParts, available, materializer_names, policy_extras


@dataclass(frozen=True)
class Decision:
    """What to do with a step.

    Attributes:
        node: The step in its pipeline.
        inputs: Input name → where its artifacts came from.
        code: The fingerprint of its code.
        parts: What its cache key is made of.
        key: The cache key.
        hit: The commit whose outputs can be used instead of running, if any.
        commit: That commit's record.
    """

    node: Node
    inputs: Mapping[str, tuple[Input, ...]]
    code: Fingerprint
    parts: KeyParts
    key: Oid
    hit: Oid | None = None
    commit: Commit | None = None


def decide(
    node: Node,
    inputs: Mapping[str, tuple[Input, ...]],
    store: ObjectStore,
    refs: Refs,
    root: Path,
    *,
    use_cache: bool,
) -> Decision:
    """Makes the cache key of a step and looks for a result that can be used.

    Args:
        node: The step in its pipeline.
        inputs: Where its inputs' artifacts came from.
        store: Where commits are read from.
        refs: Where the key is looked up.
        root: The project: relative paths of the cache policy start there.
        use_cache: False to run in any case.
    """
    policy = node.step.options.cache
    params = {name: values.encode(to_plain(value, f"{name!r}")) for name, value in node.params.items()}
    artifacts = {name: [source.artifact for source in sources] for name, sources in inputs.items()}
    counted: dict[str, Any] = copy.deepcopy(dict(node.params))
    counted.update({name: ids if name in node.lists else ids[0] for name, ids in artifacts.items()})
    ignored = set(policy.ignore_inputs)
    code = node.step.code()
    parts = KeyParts(
        code=Oid(code.id),
        params={name: value for name, value in params.items() if name not in ignored},
        # A list of one artifact is not that artifact.
        inputs={
            f"{name}[]" if name in node.lists else name: ids for name, ids in artifacts.items() if name not in ignored
        },
        outputs=materializer_names(
            node.step.options.output_materializers, [output.name for output in node.step.signature.outputs]
        ),
        extras=policy_extras(policy, counted) if policy != CachePolicy() else {},
    )
    decision = Decision(node, inputs, code, parts, parts.key())
    return _with_hit(decision, store, refs, root) if use_cache else decision


def _with_hit(decision: Decision, store: ObjectStore, refs: Refs, root: Path) -> Decision:
    oid = refs.get(ref_names.cache(decision.key))
    if oid is None:
        return decision
    try:
        commit = store.record(oid, Commit)
    except (LookupFailed, DamagedError):
        return decision  # collected, never fetched or damaged: then it has to run
    policy = decision.node.step.options.cache
    if policy.expired(commit, now_ms()) or not available(store, commit):
        return decision
    if not _reads_unchanged(commit, refs, root):
        return decision
    return dataclasses.replace(decision, hit=oid, commit=commit)


def _reads_unchanged(commit: Commit, refs: Refs, root: Path) -> bool:
    """Whether what the step asked the Client for while it ran would still be the same."""
    for asked, got in commit.reads.items():
        try:
            if lookup.find_spec(refs, asked, root).artifact != got.artifact:
                return False
        except (LookupFailed, DamagedError):
            return False
    return not any(_exists(asked, refs, root) for asked in commit.config.get("missing", ()))


def _exists(asked: str, refs: Refs, root: Path) -> bool:
    try:
        lookup.find_spec(refs, asked, root)
    except LookupFailed:
        return False
    except DamagedError:
        return True  # there is one, and nobody can say which
    return True
