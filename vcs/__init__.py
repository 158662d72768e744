"""The content-addressed store: objects, packs, refs, and who changes them; files and folders; keeping it sound.

Knows nothing of pipelines, pandas or terminals. What these may use of it is named here, and nothing else; besides,
`worktree`, `git` and `tracebacks` are theirs to use. A name is imported when it is first used, so that each command
pays for what it needs. Inside the store modules import each other by their rooms (see docs/architecture.md). Start
reading at `repository`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalog.catalog import Catalog
    from .catalog.tables import watcher
    from .catalog.versions import Wanted
    from .changes.contribution import Contribution, Link
    from .changes.draft import Draft
    from .changes.intents import AddVersion, DeleteRun, DeleteVersion, EditRun, EditVersion, EndStep, Promote, PutRun
    from .changes.lending import Lent
    from .changes.outgoing import Brought
    from .changes.publish import now_ms
    from .changes.transaction import Transaction
    from .counting import count
    from .errors import (
        AmbiguousName,
        ArtError,
        Conflict,
        DamagedError,
        InvalidName,
        LookupFailed,
        NothingPushed,
        RemoteError,
        RemoteRefused,
        RepositoryError,
        RepositoryNotFound,
        SignatureError,
        StorageError,
        UnknownArtifact,
        UnknownName,
        Unstorable,
        UnusableSecret,
        WouldOverwrite,
        disk_is_full,
        storage_errors,
        writing,
    )
    from .maps import damaged, ref_names, runs, stages, uses, versions
    from .maps.damaged import Damaged
    from .maps.refs import RefMap, Refs
    from .maps.steps import has_steps, some_steps, with_steps
    from .objects import canonical, values
    from .objects.kinds import (
        Artifact,
        Code,
        Commit,
        Failure,
        GitState,
        Input,
        Output,
        Promotion,
        Run,
        StepRun,
        Version,
    )
    from .objects.limits import MAX_ITEMS, MAX_RECORD, MAX_REPORT, MAX_TEXT
    from .objects.names import check_entry_name
    from .objects.nodes import FILE, FOLDER, Entry
    from .objects.oid import Oid, hash_bytes, is_oid
    from .remotes import config
    from .remotes.claims import FarClaims
    from .remotes.config import Configured
    from .remotes.exchange import bundles, garbage, parts, supply
    from .remotes.exchange.carrying import Carrier, Stock, objects_from
    from .remotes.exchange.fetch import Fetched, fetch
    from .remotes.exchange.mirror import mirror
    from .remotes.exchange.push import Pushed, push, would_push
    from .remotes.exchange.waiting import Standing, standing
    from .remotes.known import connect
    from .remotes.notes import Notes
    from .remotes.places import address, opening, permissions, traffic
    from .remotes.places.probe import Guarantees
    from .remotes.places.serve import folder_of, serve
    from .remotes.places.traffic import Traffic
    from .remotes.remote import Remote, check_remote_name
    from .repository import ENVIRONMENT_VARIABLE, Repository, making
    from .storage.disk.key_locks import KeyLocks
    from .storage.disk.locks import Lock
    from .storage.layout import FOLDER_NAME, Layout, PackName, op_seq
    from .storage.packs.table import Location
    from .storage.store import ObjectStore
    from .trust import proofs, signatures
    from .trust.policy import Judge
    from .upkeep import gc
    from .upkeep.check.fsck import fsck
    from .upkeep.check.problem import Problem
    from .upkeep.mend.repair import Repaired, repair

_NAMES = {
    "catalog.catalog": "Catalog",
    "catalog.tables": "watcher",
    "catalog.versions": "Wanted",
    "changes.intents": "AddVersion DeleteRun DeleteVersion EditRun EditVersion EndStep Promote PutRun",
    "changes.publish": "now_ms",
    "changes.contribution": "Contribution Link",
    "changes.draft": "Draft",
    "changes.lending": "Lent",
    "changes.outgoing": "Brought",
    "changes.transaction": "Transaction",
    "counting": "count",
    "errors": (
        "AmbiguousName ArtError Conflict DamagedError InvalidName LookupFailed NothingPushed RemoteError"
        " RemoteRefused RepositoryError RepositoryNotFound SignatureError StorageError UnknownArtifact UnknownName"
        " Unstorable UnusableSecret WouldOverwrite disk_is_full storage_errors writing"
    ),
    "maps": "damaged ref_names runs stages uses versions",
    "maps.damaged": "Damaged",
    "maps.refs": "RefMap Refs",
    "maps.steps": "has_steps some_steps with_steps",
    "objects": "canonical values",
    "objects.kinds": "Artifact Code Commit Failure GitState Input Output Promotion Run StepRun Version",
    "objects.limits": "MAX_ITEMS MAX_RECORD MAX_REPORT MAX_TEXT",
    "objects.names": "check_entry_name",
    "objects.nodes": "FILE FOLDER Entry",
    "objects.oid": "Oid hash_bytes is_oid",
    "remotes": "config",
    "remotes.config": "Configured",
    "remotes.exchange": "bundles garbage parts supply",
    "remotes.exchange.carrying": "Carrier Stock objects_from",
    "remotes.exchange.fetch": "Fetched fetch",
    "remotes.exchange.waiting": "Standing standing",
    "remotes.exchange.push": "Pushed push would_push",
    "remotes.exchange.mirror": "mirror",
    "remotes.known": "connect",
    "remotes.notes": "Notes",
    "remotes.places": "address opening permissions traffic",
    "remotes.places.serve": "folder_of serve",
    "remotes.places.probe": "Guarantees",
    "remotes.places.traffic": "Traffic",
    "remotes.claims": "FarClaims",
    "remotes.remote": "Remote check_remote_name",
    "repository": "ENVIRONMENT_VARIABLE Repository making",
    "storage.disk.key_locks": "KeyLocks",
    "storage.disk.locks": "Lock",
    "storage.layout": "FOLDER_NAME Layout PackName op_seq",
    "storage.packs.table": "Location",
    "storage.store": "ObjectStore",
    "trust": "proofs signatures",
    "trust.policy": "Judge",
    "upkeep": "gc",
    "upkeep.check.fsck": "fsck",
    "upkeep.check.problem": "Problem",
    "upkeep.mend.repair": "Repaired repair",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}


__all__ = [
    "ENVIRONMENT_VARIABLE",
    "FILE",
    "FOLDER",
    "FOLDER_NAME",
    "MAX_ITEMS",
    "MAX_RECORD",
    "MAX_REPORT",
    "MAX_TEXT",
    "AddVersion",
    "AmbiguousName",
    "ArtError",
    "Artifact",
    "Brought",
    "Carrier",
    "Catalog",
    "Code",
    "Commit",
    "Configured",
    "Conflict",
    "Contribution",
    "Damaged",
    "DamagedError",
    "DeleteRun",
    "DeleteVersion",
    "Draft",
    "EditRun",
    "EditVersion",
    "EndStep",
    "Entry",
    "Failure",
    "FarClaims",
    "Fetched",
    "GitState",
    "Guarantees",
    "Input",
    "InvalidName",
    "Judge",
    "KeyLocks",
    "Layout",
    "Lent",
    "Link",
    "Location",
    "Lock",
    "LookupFailed",
    "Notes",
    "NothingPushed",
    "ObjectStore",
    "Oid",
    "Output",
    "PackName",
    "Problem",
    "Promote",
    "Promotion",
    "Pushed",
    "PutRun",
    "RefMap",
    "Refs",
    "Remote",
    "RemoteError",
    "RemoteRefused",
    "Repaired",
    "Repository",
    "RepositoryError",
    "RepositoryNotFound",
    "Run",
    "SignatureError",
    "Standing",
    "StepRun",
    "Stock",
    "StorageError",
    "Traffic",
    "Transaction",
    "UnknownArtifact",
    "UnknownName",
    "Unstorable",
    "UnusableSecret",
    "Version",
    "Wanted",
    "WouldOverwrite",
    "address",
    "bundles",
    "canonical",
    "check_entry_name",
    "check_remote_name",
    "config",
    "connect",
    "count",
    "damaged",
    "disk_is_full",
    "fetch",
    "folder_of",
    "fsck",
    "garbage",
    "gc",
    "has_steps",
    "hash_bytes",
    "is_oid",
    "making",
    "mirror",
    "now_ms",
    "objects_from",
    "op_seq",
    "opening",
    "parts",
    "permissions",
    "proofs",
    "push",
    "ref_names",
    "repair",
    "runs",
    "serve",
    "signatures",
    "some_steps",
    "stages",
    "standing",
    "storage_errors",
    "supply",
    "traffic",
    "uses",
    "values",
    "versions",
    "watcher",
    "with_steps",
    "would_push",
    "writing",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"{__name__}.{_HOMES[name]}"
    module = import_module(home)
    # A module of a room is found there only once it is imported.
    value = getattr(module, name, None) or import_module(f"{home}.{name}")
    globals()[name] = value
    return value
