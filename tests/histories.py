"""Long histories, written directly: what so many runs of one small pipeline would have left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from artvcs.vcs.changes.intents import AddVersion, PutRun
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.objects import canonical, values
from artvcs.vcs.objects.kinds import Artifact, Code, Commit, Input, Output, Run, StepRun, Version
from artvcs.vcs.objects.nodes import FILE, Entry, Tree
from artvcs.vcs.objects.oid import Oid, hash_bytes
from artvcs.vcs.repository import Repository

START = 1_700_000_000_000
"""When the first run began, in milliseconds since 1970; each next one begins a minute later."""

_MINUTE = 60_000
_TOGETHER = 10_000


def write_runs(repository: Repository, count: int, *, first: int = 0) -> None:
    """Publishes so many runs of a pipeline `training`, few transactions in all.

    Each run has two steps: `load`, executed once and then reused, makes `sales`; `train` takes it and makes another
    version of `model`, with metadata `accuracy` (between 0 and 1), `epochs` and `kind`, and each tenth tagged `good`.

    Args:
        repository: Where to.
        count: How many runs.
        first: The number of the first run; more than 0 to go on where an earlier call ended.
    """
    for start in range(first, first + count, _TOGETHER):
        with repository.begin("a long history") as transaction:
            for number in range(start, min(start + _TOGETHER, first + count)):
                _write_run(transaction, number)


def run_name(number: int) -> str:
    """The name of a run."""
    return f"training-{number:06d}"


def _write_run(transaction: Transaction, number: int) -> None:
    when = START + number * _MINUTE
    run_id = hash_bytes(b"run %d" % number)[:32]
    sales = _artifact(transaction, b"1,2,3")
    load = _commit(transaction, "load", START, {}, {"sales": sales}, {})
    took = (Input(sales, "sales", load, "sales"),)
    model = _artifact(transaction, b"model %d" % number)
    train = _commit(transaction, "train", when, {"data": took}, {"model": model}, {"rate": number / 1000})
    if number == 0:
        transaction.add(AddVersion(_version("sales", sales, load, run_id, when), {}))
    transaction.add(AddVersion(_version("model", model, train, run_id, when, number), {}))
    steps = {
        "load": _step("load", "completed" if number == 0 else "cached", load, {}, {"sales": sales}, when),
        "train": _step("train", "completed", train, {"data": took}, {"model": model}, when),
    }
    run = Run(
        run=run_id, name=run_name(number), pipeline="training", file="flow.py", status="completed",
        params=_encoded({"rate": number / 1000}), steps=steps, order=("load", "train"),
        previous=hash_bytes(b"run %d" % (number - 1))[:32] if number else None, git=None,
        author="Ada <ada@example.org>", started=when, finished=when + 2000, metadata={},
    )  # fmt: skip
    transaction.add(PutRun(None, transaction.put(run)))


def _artifact(transaction: Transaction, data: bytes) -> Oid:
    entry = Entry("value.txt", FILE, transaction.put_blob(data), len(data))
    payload = transaction.put(Tree(0, (entry,)))
    return transaction.put(Artifact("builtins.str", "artvcs.text", 1, payload, len(data), False))


def _commit(
    transaction: Transaction, step: str, when: int, inputs: Mapping[str, tuple[Input, ...]],
    outputs: Mapping[str, Oid], params: Mapping[str, Any],
) -> Oid:  # fmt: skip
    nothing: dict[str, list[Any]] = {"parts": [], "unfollowed": [], "unhashable": []}
    source = transaction.put_blob(canonical.dumps({"id": "0" * 64, "packages": {}, **nothing}))
    commit = Commit(
        step=step, pipeline="training", code=Code(Oid("0" * 64), source, "flow.py", 1), params=_encoded(params),
        config={}, inputs=inputs, reads={}, outputs={name: Output(oid, name) for name, oid in outputs.items()},
        parents=tuple(sorted(each.commit for group in inputs.values() for each in group if each.commit)),
        cache_key=hash_bytes(repr((step, params)).encode()), trace=source, environment={}, git=None,
        author="Ada <ada@example.org>", started=when, finished=when + 1000, metadata={}, log=None,
    )  # fmt: skip
    return transaction.put(commit)


def _step(
    step: str, status: str, commit: Oid, inputs: Mapping[str, tuple[Input, ...]], outputs: Mapping[str, Oid], when: int
) -> StepRun:
    made = {name: Output(oid, name) for name, oid in outputs.items()}
    return StepRun(step, status, commit, inputs, made, None, when, when + 1000, None, None, {})


def _version(name: str, artifact: Oid, commit: Oid, run: str, when: int, number: int | None = None) -> Version:
    facts = {} if number is None else {
        "accuracy": number * 7919 % 10_000 / 10_000, "epochs": number % 90, "kind": ("oak", "elm", "ash")[number % 3],
    }  # fmt: skip
    tags = ("good",) if number is not None and number % 10 == 0 else ()
    return Version(name, 0, None, artifact, commit, name, run, "step", when + 1000, tags, _encoded(facts))


def _encoded(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.encode(value) for name, value in facts.items()}
