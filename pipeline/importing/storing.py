"""What an import stores: files that lie elsewhere as artifacts, names as they can be here, and who made what."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from artvcs.vcs import Artifact, Code, InvalidName, Oid, Repository, Transaction, canonical, worktree

from ..define import naming
from ..fingerprint import Fingerprint, to_json
from ..fingerprint.model import Part, digest
from ..values.materializers import type_name
from ..values.materializers.python.paths import PathMaterializer

_SEPARATORS = str.maketrans("/\\@", "---")


def put_files(
    repository: Repository, transaction: Transaction, name: str, files: Mapping[str, Path], progress: worktree.Progress,
    *, is_executable: bool = False,
) -> tuple[Oid, int]:  # fmt: skip
    """Stores a file or folder as `art add` would, read from where its files lie; returns the artifact, and its size.

    Args:
        repository: Where.
        transaction: That in which it is put.
        name: What the file or folder is called.
        files: Path below → the file, or a folder; of a file by itself the only one is `""`.
        progress: Told the bytes of files.
        is_executable: Whether a file by itself is to be run, whatever its mode says where it lies.

    Raises:
        InvalidName: A name cannot be stored.
        StorageError: A file cannot be read.
    """
    base = f"path/{name}"
    extra = {f"{base}/{path}" if path else base: file for path, file in files.items()}
    known = worktree.StatCache(repository.cache, repository.store)
    with tempfile.TemporaryDirectory(prefix="artvcs-") as empty:
        if not files:  # a folder that holds nothing
            (Path(empty) / base).mkdir(parents=True)
        if is_executable and "" in files:
            extra[base] = Path(shutil.copyfile(files[""], Path(empty, "to_run")))
            extra[base].chmod(0o755)
        payload = worktree.add_folder(transaction, Path(empty), extra, progress, known=known)
    materializer = PathMaterializer.NAME, PathMaterializer.VERSION
    artifact = Artifact(type_name(Path()), *materializer, payload.id, payload.size, False)
    return transaction.put(artifact), payload.size


def put_code(transaction: Transaction, tool: str, step: str, file: str, source: str) -> Code:
    """What a tool says that made something, as a commit refers to code."""
    part = Part(f"{file}::{step}", "file", digest(source), file, 1, source)
    code = Fingerprint(digest(f"{tool}\0{source}"), (part,), {}, (), ())
    return Code(Oid(code.id), transaction.put_blob(canonical.dumps(to_json(code))), file, 1)


def as_name(text: str) -> str:
    """A name as it can be here: what separates its parts is a dash; of one that cannot be at all, its hash."""
    try:
        return naming.check_artifact_name(text.translate(_SEPARATORS).strip())
    except InvalidName:
        return digest(text)[:16]
