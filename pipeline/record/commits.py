"""What a commit says of an execution: what it came of, what it used, and what came of it."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from artvcs.vcs import Code, Commit, GitState, Input, Oid, Repository, Run, Transaction, canonical

from ..cache import reasons
from ..cache.decide import Decision
from ..fingerprint import Fingerprint, to_json
from ..history import curves
from ..typing.encode import encode_all, encode_metadata
from .outcome import Outcome

_MOST_CHANGES = 20
"""So many reasons are noted why an earlier result could not be used."""


def unmade(decision: Decision, source: Oid, trace: Oid) -> Commit:
    """The commit of a step as far as it is known before the step runs.

    Args:
        decision: What is decided for the step.
        source: Its code, stored.
        trace: What it was seen to use, stored.
    """
    code = decision.code
    own = next((part for part in code.parts if part.kind == "function"), None)
    return Commit(
        step=decision.node.step.name,
        pipeline="",
        code=Code(Oid(code.id), source, (own and own.file) or "", own.line if own else 0),
        params=encode_all(decision.node.params),
        config=config(decision, ()),
        inputs=decision.inputs,
        reads={},
        outputs={},
        parents=(),
        cache_key=decision.key,
        trace=trace,
        environment=environment(code),
        git=None,
        author="",
        started=0,
        finished=0,
        metadata={},
        log=None,
    )


def executed(transaction: Transaction, run: Run, decision: Decision, outcome: Outcome, source: Oid) -> Commit:
    """The commit of an execution, without its outputs.

    Args:
        transaction: Where what it leads to is put.
        run: The run that it is of.
        decision: What was decided for the step.
        outcome: How it ended.
        source: Its code, stored.
    """
    return dataclasses.replace(
        unmade(decision, source, transaction.put_blob(outcome.trace.encode())),
        pipeline=run.pipeline,
        reads=outcome.noted.reads,
        config=config(decision, outcome.noted.missing),
        parents=_parents(decision.inputs, outcome.noted.reads),
        environment=environment(decision.code) | ({"worker": outcome.worker} if outcome.worker else {}),
        git=run.git,
        author=run.author,
        started=outcome.started,
        finished=outcome.finished,
        metadata=encode_metadata(outcome.noted.metadata),
        of_model=encode_metadata(outcome.noted.of_model) or None,
        curves=transaction.put_blob(curves.encode(outcome.noted.curves)) if outcome.noted.curves else None,
        log=transaction.put_blob(outcome.log.encode()) if outcome.log else None,
        cache_key=None,
    )


def config(decision: Decision, missing: Iterable[str]) -> dict[str, Any]:
    """What else there is to say of how an execution came about; `missing` it asked for, and there was none of it."""
    return {
        "missing": sorted(missing),
        "against": decision.against,
        **({} if decision.use_cache else {"cache": "off"}),
        "changed": [list(dataclasses.astuple(reasons.of(each))[:4]) for each in decision.changed[:_MOST_CHANGES]],
        "outputs": dict(decision.parts.outputs),
        "extras": dict(decision.parts.extras),
        "ignored": sorted(decision.node.step.options.cache.ignore_inputs),
    }


def put_source(transaction: Transaction, code: Fingerprint) -> Oid:
    """Stores the code of a step, as commits refer to it."""
    return transaction.put_blob(canonical.dumps(to_json(code)))


def git_state(repository: Repository, transaction: Transaction) -> GitState | None:
    """What Git says about the project now, its dirty diff stored."""
    from artvcs.vcs import git

    seen = git.snapshot(repository.project)
    if seen is None:
        return None
    return GitState(seen.commit, seen.branch, seen.remote, transaction.put_blob(seen.diff) if seen.diff else None)


def environment(code: Fingerprint) -> dict[str, Any]:
    """What the step ran with: Python, platform, and the packages its code reaches."""
    system = os.uname()
    return {
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "platform": f"{system.sysname} {system.machine}",
        "packages": dict(code.packages),
    }


def _parents(inputs: Mapping[str, tuple[Input, ...]], reads: Mapping[str, Input]) -> tuple[Oid, ...]:
    sources = [source for group in inputs.values() for source in group] + list(reads.values())
    return tuple(sorted({source.commit for source in sources if source.commit}))
