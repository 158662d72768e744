"""Data that is not here and can be had: what the refs of a repository elsewhere led to when it was looked at last.

Who fetches brings the lineage alone. So an artifact whose data is not here is lost, or was given up on purpose, or is
promised: by each repository elsewhere that has a version with this value, or to which its data was delivered by who
made it for a run here, though nobody has said so there yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import DamagedError
from ..objects.oid import Oid, is_oid
from ..storage.disk.registers import read_register
from ..storage.layout import COMING, DELIVERED, MERGED, Layout, PackName, is_pack_name
from ..storage.store import ObjectStore
from . import ref_names
from .refs import RefMap


class Promises:
    """What repositories elsewhere have promised one here, as it is noted now.

    Attributes:
        roots: Name of each repository elsewhere → the roots of its refs: as they were brought together with those here,
            and as they were being when somebody was killed.
        delivered: Name of each repository elsewhere → the artifacts whose data was delivered there.
    """

    def __init__(self, store: ObjectStore, layout: Layout) -> None:
        self._store = store
        self.roots: dict[str, tuple[Oid, ...]] = dict(_noted(layout))
        self.delivered = {path.name: found for path in _remotes(layout) if (found := delivered(path).keys())}

    def __bool__(self) -> bool:
        return bool(self.roots or self.delivered)

    @property
    def names(self) -> set[str]:
        """The repositories elsewhere that have promised anything."""
        return self.roots.keys() | self.delivered.keys()

    @property
    def all_roots(self) -> set[Oid]:
        """The roots of the refs of all of them."""
        return {root for roots in self.roots.values() for root in roots}

    def by(self, artifact: Oid) -> list[str]:
        """The repositories elsewhere that have promised the data of an artifact."""
        return sorted(
            name
            for name in self.names
            if artifact in self.delivered.get(name, ())
            or any(self._has(root, artifact) for root in self.roots.get(name, ()))
        )

    def _has(self, root: Oid, artifact: Oid) -> bool:
        refs = RefMap(self._store, root)
        try:
            if refs.get(ref_names.pruned(artifact)) is not None:
                return False
            return refs.get(ref_names.kept(artifact)) is not None or refs.count(ref_names.values_like(artifact)) > 0
        except DamagedError:
            return False  # which fetching it all anew will tell


def delivered(folder: Path) -> Mapping[Oid, tuple[PackName, ...]]:
    """What is noted in the folder of a repository elsewhere: artifact → the packs there that hold its data."""
    found: dict[Oid, dict[PackName, None]] = defaultdict(dict)
    try:
        text = (folder / DELIVERED).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return {}
    for line in text.splitlines():
        artifact, _, name = line.partition(" ")
        if is_oid(artifact) and is_pack_name(name):  # else it was torn
            found[Oid(artifact)][PackName(name)] = None
    return {artifact: tuple(names) for artifact, names in found.items()}


def _remotes(layout: Layout) -> list[Path]:
    return sorted(layout.remotes.glob("*"))


def _noted(layout: Layout) -> Iterator[tuple[str, tuple[Oid, ...]]]:
    for path in _remotes(layout):
        found = {root for note in (MERGED, COMING) for root in _root(path / note)}
        if found:
            yield path.name, tuple(sorted(found))


def _root(register: Path) -> Iterator[Oid]:
    try:
        root = read_register(register).get("root")
    except DamagedError:
        return  # nothing was fetched yet; or the next fetch brings all of it together again
    if isinstance(root, str) and is_oid(root):
        yield Oid(root)
