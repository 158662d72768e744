"""Short ways to put things into a repository and to look at it from outside."""

from __future__ import annotations

from pathlib import Path

from artvcs.vcs.refs import names

from artvcs.vcs.changes.transaction import Transaction
from artvcs.vcs.objects.kinds import Artifact, Run, Tree, Version
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.upkeep.fsck import fsck


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


def add_version(transaction: Transaction, name: str, value: str) -> Version:
    """Adds a version of `name`; the same `value` makes the same artifact."""
    artifact = Artifact(
        type=f"tests.{value}",
        materializer="text",
        materializer_version=1,
        payload=transaction.put(Tree(())),
        size=0,
        runs_code=False,
    )
    return transaction.add_version(version_of(name, transaction.put(artifact)))


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


def a_run(run: str, status: str = "running") -> Run:
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
        started=1,
        finished=None,
        metadata={},
    )


def versions(repository: Repository, name: str) -> list[Version]:
    """All versions of a name, in order of their numbers."""
    store = repository.store
    return [store.record(oid, Version) for _, oid in repository.refs().items(names.versions_prefix(name))]


def problems(folder: Path) -> list[str]:
    """What fsck finds, as one line each."""
    return [f"{problem.where}: {problem.what}" for problem in fsck(folder)]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder and its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
