"""What an execution was seen to use, as it is stored with its commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args, get_type_hints

from artvcs.vcs import Commit, DamagedError, LookupFailed, ObjectStore, Oid, canonical

from ..escaping import storable

NOT_INSTALLED = "absent"
"""In place of the version of a package that is not there."""

Facets = Mapping[str, str]
"""What was asked of a path (its `content`, the `names` in it, its `kind`, `size` or `stat`), and the answers."""


_DIGITS = 64


def is_hash(text: str | None) -> bool:
    """Whether a text is a hash, and no words."""
    return text is not None and len(text) == _DIGITS and " " not in text


@dataclass(frozen=True)
class Difference:
    """One thing that is not as an execution saw it.

    Attributes:
        kind: `value`, `code`, `file`, `folder`, `env`, `answer` or `context`.
        subject: Which one.
        old: What it was then; None when there was nothing.
        new: What it is now; None when there is nothing.
    """

    kind: str
    subject: str
    old: str | None
    new: str | None

    @property
    def hashed(self) -> bool:
        """Whether one of both is the hash of a content."""
        return is_hash(self.old) or is_hash(self.new)


@dataclass(frozen=True)
class Trace:
    """What one execution was seen to use. All maps are from names to hashes, or to words where these say more.

    Attributes:
        values: Live values that its code reaches, as they were before it ran.
        parts: Code that only those values lead to.
        later_values: Those of modules that were loaded only as it ran, as they were after it.
        later_parts: Code that only those lead to.
        done: What own modules had done to packages that it uses, as they were imported → hash, and where it stands.
        code: Code it entered or loaded that neither its text nor those values lead to → its parts, with all it uses.
        files: Paths → what was asked of each.
        packages: Distributions that it imported or asked for, beside those of the fingerprint → versions.
        env: Environment variables.
        answers: Questions to the Client, as JSON.
        context: What it asked of its own run.
        left: What it left behind beside its outputs: kind (see `left.kinds`) → name → how it left it.
        unverified: What was seen and cannot be compared, in words: the network, the clock, a program.
        refused: Why its result cannot be used again, in sentences; nothing where it can.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    later_values: Mapping[str, str] = field(default_factory=dict)
    later_parts: Mapping[str, str] = field(default_factory=dict)
    done: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: Mapping[str, Facets] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def left_of(self, kind: str) -> Mapping[str, str]:
        """What it left behind of a kind."""
        return self.left.get(kind, {})

    def encode(self) -> bytes:
        """The canonical bytes."""
        return canonical.dumps({each.name: _plain(getattr(self, each.name)) for each in fields(self)})

    @classmethod
    def of(cls, store: ObjectStore, commit: Commit) -> Trace | None:
        """As `read`, of an execution."""
        return cls.read(store, commit.trace)

    @classmethod
    def read(cls, store: ObjectStore, trace: Oid) -> Trace | None:
        """What an execution was seen to use; None where that cannot be read: collected, never fetched, or damaged."""
        try:
            return cls.decode(store.read(trace, "blob"))
        except (DamagedError, LookupFailed):
            return None

    @classmethod
    def decode(cls, data: bytes) -> Trace:
        """Reads what `encode` wrote.

        Raises:
            DamagedError: It is not a trace.
        """
        found = canonical.loads(data)
        if not isinstance(found, dict) or found.keys() != _FIELDS.keys():
            raise DamagedError("A stored trace cannot be understood; run `art fsck`.")
        return cls(**{name: _checked(found[name], shape) for name, shape in _FIELDS.items()})


_FIELDS = {name: get_args(hint) for name, hint in get_type_hints(Trace).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {storable(str(name)): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [storable(each) for each in value]
    return storable(value)


def _checked(data: Any, shape: tuple[Any, ...]) -> Any:
    if shape[-1] is ... and isinstance(data, list) and all(isinstance(each, str) for each in data):
        return tuple(data)
    if shape[-1] is str and isinstance(data, dict) and all(isinstance(each, str) for each in data.values()):
        return data
    if shape[-1] == Facets and isinstance(data, dict):
        return {name: _checked(each, (str, str)) for name, each in data.items()}
    raise DamagedError("A stored trace cannot be understood; run `art fsck`.")
