"""Short ways to put things into a repository and to look at it from outside."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from artvcs.vcs.changes.draft import Draft
from artvcs.vcs.changes.intents import AddVersion, PutRun
from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.maps import versions as version_refs
from artvcs.vcs.maps.steps import with_steps
from artvcs.vcs.objects.kinds import Artifact, Run, StepRun, Version
from artvcs.vcs.objects.nodes import Tree
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep.check.fsck import fsck


def put_text(repository: Repository, ref: str, text: str) -> Oid:
    """Publishes a text as a blob under a ref."""
    with repository.transaction(f"set {ref}") as transaction:
        oid = transaction.put_blob(text.encode())
        transaction.set_ref(ref, oid)
    return oid


def put_text_in(transaction: Transaction, ref: str, text: str) -> Oid:
    """Puts a text as a blob under a ref of an open transaction."""
    oid = transaction.put_blob(text.encode())
    transaction.set_ref(ref, oid)
    return oid


def artifact_of(transaction: Draft[Any], value: str) -> Oid:
    """Puts an artifact; the same `value` makes the same one."""
    return transaction.put(Artifact(
        type=f"tests.{value}",
        materializer="text",
        materializer_version=1,
        payload=transaction.put(Tree(0, ())),
        size=0,
        runs_code=False,
    ))  # fmt: skip


def add_version(transaction: Draft[Any], name: str, value: str) -> Version:
    """Adds a version of `name`, and returns it with its provisional number; the same `value` is the same artifact."""
    artifact = artifact_of(transaction, value)
    transaction.add(AddVersion(version_of(name, artifact), {}))
    found = version_refs.by_value(transaction, name, artifact)
    assert found is not None, "just added"
    return found


def version_of(name: str, artifact: Oid, number: int = 0) -> Version:
    """A version with nothing special about it."""
    return Version(
        name=name,
        number=number,
        label=None,
        artifact=artifact,
        commit=None,
        output=None,
        run=None,
        origin="saved",
        created=0,
        tags=(),
        metadata={},
    )


def a_run(run: str, status: str = "running", *, started: int = 1) -> Run:
    """A run of no steps."""
    return Run(
        run=run,
        name="a-run",
        pipeline="train",
        file=None,
        status=status,
        params={},
        steps={},
        order=(),
        previous=None,
        git=None,
        author="A <a@example.org>",
        started=started,
        finished=None,
        metadata={},
    )


def of_steps(run: Run, count: int, into: Transaction, **different: Any) -> Run:
    """A run with so many steps, `step_0` and on; its record is put."""
    step = StepRun(**{**dict.fromkeys(field.name for field in dataclasses.fields(StepRun)), **_STEP, **different})
    named = {f"step_{number}": step for number in range(count)}
    return with_steps(dataclasses.replace(run, order=tuple(named)), named, into.store, into.put)


_STEP: dict[str, Any] = {
    "step": "step", "status": "completed", "inputs": {}, "outputs": {}, "metadata": {}, "left": {}, "started": 1,
    "finished": 1,
}  # fmt: skip


def put_run(transaction: Transaction, run: Run, base: Run | None = None) -> None:
    """Writes the record of a run, made from an older one."""
    transaction.add(PutRun(None if base is None else base.oid, transaction.put(run)))


def versions(repository: Repository, name: str) -> list[Version]:
    """All versions of a name, in order of their numbers."""
    return list(version_refs.of(repository.refs(), name))


def tags(repository: Repository) -> dict[str, Oid]:
    """The refs that tests make."""
    return dict(repository.refs().items("tags/"))


def problems(folder: Path) -> list[str]:
    """What fsck finds, as one line each."""
    return [f"{problem.where}: {problem.what}" for problem in fsck(folder)]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder and its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def random_text(seed: int, size: int = 400_000) -> str:
    """A text that no compression makes small enough for an op's own file."""
    return random.Random(seed).randbytes(size).hex()


def sizes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(map(len, files(folder).values()))


def packs(folder: Path) -> list[Path]:
    """The files of all packs."""
    return sorted(path for path in (folder / "packs").rglob("*") if path.is_file())


def process(work: str, *arguments: object) -> subprocess.Popen[str]:
    """Begins a Python process that does `work`, with everything of this module and `arguments` as `args`."""
    script = f"""
import os, signal, sys
from pathlib import Path
from typing import Any
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.vcs.helpers import *
args = sys.argv[1:]
{work}
"""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outputs(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Waits for processes that must succeed, and returns what each printed."""
    ended = [(*process.communicate(timeout=300), process.returncode) for process in processes]
    failed = [(error, code) for _, error, code in ended if (error, code) != ("", 0)]
    assert not failed, failed
    return [output.strip() for output, _, _ in ended]


def killed(folder: Path, work: str) -> None:
    """Runs `work` on `repository` and `transaction` in a process that is then killed."""
    begin = f'repository = Repository(Path({str(folder)!r}))\ntransaction = repository.begin("killed")\n'
    ended = process(f"{begin}{work}\ndie()")
    error = ended.communicate()[1]
    assert ended.returncode == -signal.SIGKILL, error


def die(*_: object, **__: object) -> None:
    """Ends this process at once, as a power cut of its own."""
    os.kill(os.getpid(), signal.SIGKILL)
