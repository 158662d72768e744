"""A value's way into the store and back: materializer → folder → tree → artifact."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from artvcs.vcs import (
    ArtError,
    Artifact,
    Draft,
    Oid,
    Repository,
    UnknownName,
    disk_is_full,
    proofs,
    ref_names,
    storage_errors,
    supply,
    values,
    worktree,
)

from ..errors import MaterializerError
from . import materializers, scratch, trust
from .folder import SMALL, Folder
from .materializers import Materializer
from .trust import Trust

_PANIC = "PanicException"
"""What a library written in Rust raises where it is at a loss; it is no `Exception`."""


@dataclass(frozen=True)
class Saved:
    """A stored value.

    Attributes:
        id: The artifact's id: the same for the same value.
        facts: What its materializer found out about it, in the encoding of `vcs.values`.
        is_proven: Whether it was noted who made it, for loading it runs code or imports modules that it names.
    """

    id: Oid
    facts: Mapping[str, Any]
    is_proven: bool = False


def save(
    draft: Draft[Any], repository: Repository, value: Any, materializer: type[Materializer] | None = None,
    progress: worktree.Progress = worktree.no_progress, *, describe: bool = True,
) -> Saved:  # fmt: skip
    """Stores a value as an artifact.

    Args:
        draft: Where to put it.
        repository: The repository.
        value: The value.
        materializer: Who writes it; by default the one that its type has.
        progress: Told the bytes of files, as they are stored.
        describe: Whether the materializer finds out facts about the value.

    Raises:
        MaterializerError: The value cannot be stored.
        StorageError: The operating system refused.
    """
    cls = materializer or materializers.find_for_value(value)
    _tell(cls)
    type_name = materializers.type_name(value)
    if not materializers.is_known(type_name):
        materializers.tell(type(value))
    with contextlib.ExitStack() as stack:
        writer = cls(_folder(repository, stack))
        with _blaming(cls, f"store a value of type {type_name}"):
            writer.save(value)
        if (files := writer.folder.held) is not None and not writer.included:
            payload = worktree.add_held(draft, files)
        else:
            known = worktree.StatCache(repository.cache, repository.store)
            payload = worktree.add_folder(draft, writer.folder.path, writer.included, progress, known=known)
        for name in writer.included:
            writer.extents[name] = worktree.extent(repository.store, payload.id, name)
        with _blaming(cls, f"describe a value of type {type_name}"):
            found = writer.extract_metadata(value) if describe else {}
            facts = {str(name): values.encode(fact) for name, fact in found.items()}
    artifact = Artifact(type_name, cls.NAME, cls.VERSION, payload.id, payload.size, writer.runs_code)
    oid = draft.put(artifact)
    is_proven = writer.runs_code or writer.names_modules or not materializers.is_known(type_name, cls.NAME)
    if is_proven:
        # Made by this process: whether the same is stored already makes no difference.
        proofs.note_made(repository.layout, oid)
    return Saved(oid, facts, is_proven)


def bring_here(repository: Repository, artifacts: Mapping[Oid, str]) -> None:
    """Sees to it that the data of artifacts is here, also if it is elsewhere so far.

    Args:
        repository: Here.
        artifacts: Their ids → what people call them.

    Raises:
        UnknownName: It was given up on purpose.
        RemoteError: Who has it cannot be reached.
        DamagedError: What came from there is damaged.
    """
    store, promises = repository.store, repository.promises()
    for oid in [oid for oid in artifacts if not store.has(store.record(oid, Artifact).payload)]:
        if repository.refs().get(ref_names.pruned(oid)) and not promises.by(oid):
            raise UnknownName(f"The data of {artifacts[oid]} was pruned; run its pipeline again to make it anew.")
    if promises or repository.supplier is not None:
        supply.bring(repository, artifacts)


def load(
    repository: Repository, oid: Oid, given: Trust | None = None, *, leased: bool = False, is_here: bool = False
) -> Any:
    """The value of an artifact, made anew: changing it changes nothing stored.

    Args:
        repository: Where it is stored.
        oid: The artifact's id.
        given: Whether code that comes with it may run; by default if it was made here.
        leased: Whether the caller sees to it that it is not collected meanwhile, as a transaction does.
        is_here: Whether the caller has seen to it that its data is here, see `bring_here`.

    Raises:
        MaterializerError: The files cannot be turned into the value here.
        UntrustedData: That runs code which came from elsewhere.
        UnknownName: Its data is not here, nor elsewhere.
        DamagedError: Its data is not what was stored.
        RemoteError: Its data is elsewhere, and cannot be reached.
    """
    artifact = repository.store.record(oid, Artifact)
    given = given or trust.of(repository, oid)
    cls = materializers.by_name(artifact.materializer, given)
    _tell(cls)
    if artifact.materializer_version > cls.VERSION:
        raise MaterializerError(
            f"The artifact {oid[:12]} was written by a newer {artifact.materializer}; upgrade what provides it."
        )
    if not is_here:
        bring_here(repository, {oid: f"artifact {oid[:12]}"})
    with contextlib.ExitStack() as stack:
        with contextlib.nullcontext() if leased else repository.reading():
            held = worktree.read_held(repository.store, artifact.payload, SMALL)
            folder = _folder(repository, stack, held)
            if held is None:
                worktree.write_tree(repository.store, artifact.payload, folder.path)
        reader = cls(folder)
        reader.trust = given
        with _blaming(cls, f"load the artifact {oid[:12]} of type {artifact.type}"):
            value = reader.load(materializers.resolve_type(artifact.type, given))
        if reader.keeps_files and folder.held is None:
            scratch.of(repository.layout).keep(folder.path)
    return value


def _folder(repository: Repository, stack: contextlib.ExitStack, held: Mapping[str, bytes] | None = None) -> Folder:
    """A folder of which there is one on disk, until the stack ends, only if somebody asks for its path."""
    return Folder(lambda: stack.enter_context(scratch.of(repository.layout).folder()), held)


def _tell(cls: type[Materializer]) -> None:
    """Tells whoever watches the step that a user's materializer is used: its code counts."""
    if not materializers.is_builtin(cls):
        materializers.tell(cls)


@contextlib.contextmanager
def _blaming(cls: type[Materializer], doing: str) -> Iterator[None]:
    """Makes whatever a materializer raises an error that says whose it is."""
    try:
        yield
    except ArtError:
        raise
    except OSError as error:
        if not disk_is_full(error):
            raise _blame(cls, doing, error) from error
        with storage_errors(f"trying to {doing}"):
            raise
    except BaseException as error:  # other people's code: it may raise anything
        if not isinstance(error, Exception) and type(error).__name__ != _PANIC:
            raise
        raise _blame(cls, doing, error) from error


def _blame(cls: type[Materializer], doing: str, error: BaseException) -> MaterializerError:
    reason = f"{type(error).__name__}: {error}".rstrip(".")
    return MaterializerError(f"{cls.__name__} could not {doing} ({reason}); mend it or use another materializer.")
