"""The leaves of one folder's tree: those that did not change are taken over, with one look at each."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence

from ...catalog.stat_cache import Leaf
from ...errors import ArtError
from ...maps.trees import FolderWriter, ends_leaf
from ...objects.names import check_entry_names
from ...objects.nodes import SYMLINK, Entry, Tree
from ..trees import Sink
from .contents import Contents, OpenFolder
from .listing import STATE_SIZE, Listing


class Leaves:
    """Adds the leaves of a folder to its tree.

    Args:
        transaction: Where new ones are put.
        contents: Who reads and stores files.
        folder: The folder.
        listing: What it holds.
        folders: Position in the listing → the folder there, stored already.

    Attributes:
        news: The leaves that are not as they were known: the ones known in their place, and what is known now.
    """

    def __init__(
        self, transaction: Sink, contents: Contents, folder: OpenFolder, listing: Listing,
        folders: Mapping[int, Entry],
    ) -> None:  # fmt: skip
        self.news: list[tuple[Sequence[Leaf], Leaf | None]] = []
        self._transaction = transaction
        self._contents = contents
        self._folder = folder
        self._listing = listing
        self._folders = folders

    def add_to(self, writer: FolderWriter, known: Sequence[Leaf]) -> None:
        """Adds them all; `known` are those of the last time, in order."""
        names, start, at = self._listing.names, 0, 0
        while start < len(names):
            leaf = known[at] if at < len(known) else None
            if leaf is not None and (end := self._unchanged(leaf, start)):
                writer.add_leaf(leaf.last, leaf.leaf, leaf.size, leaf.files)
                self._tell(leaf, start, end)
                at += 1
            else:
                if not self.news:
                    check_entry_names(names[start:])
                end, first = _end(names, start), at
                while at < len(known) and known[at].last <= names[end - 1]:
                    at += 1
                # The one after may have begun here too, before a name came that ends a leaf.
                now = self._read(start, end, known[first : at + 1])
                writer.add_leaf(now.last, now.leaf, now.size, now.files)
                self.news.append((known[first:at], now))
            start = end
        if at < len(known):
            self.news.append((known[at:], None))

    def _unchanged(self, leaf: Leaf, start: int) -> int:
        """Where a leaf that is known ends, if it begins here and is stored, and nothing in it has changed; else 0."""
        listing, end = self._listing, start + len(leaf.states) // STATE_SIZE
        same = (
            leaf.kept
            and end <= len(listing)
            and listing.names[end - 1] == leaf.last
            and bytes(listing.states(start, end)) == leaf.states  # much faster than comparing the view
            and "/".join(listing.names[start:end]) == leaf.names
            and (end == len(listing) or ends_leaf(leaf.last))
        )
        return end if same else 0

    def _read(self, start: int, end: int, known: Sequence[Leaf]) -> Leaf:
        """One leaf, put anew. Only files are read that were changed, or are not stored any more."""
        listing, names = self._listing, self._listing.names[start:end]
        stored = self._stored(start, end, [leaf for leaf in known if leaf.first <= names[-1]])
        entries, states = [], []
        self._contents.progress(sum(entry.size for entry in stored.values() if entry.mode != SYMLINK))
        missing = [at for at in range(start, end) if at not in stored and at not in self._folders]
        read = dict(zip(missing, self._contents.listed(self._folder, listing, missing), strict=True))
        for at in range(start, end):
            if at in read:
                entry, state = read[at]
            else:
                entry, state = stored.get(at) or self._folders[at], bytes(listing.states(at, at + 1))
            entries.append(entry)
            states.append(state)
        leaf = Tree(0, tuple(entries))
        return Leaf(names[-1], "/".join(names), b"".join(states), self._transaction.put(leaf), *leaf.summary)

    def _stored(self, start: int, end: int, known: Sequence[Leaf]) -> dict[int, Entry]:
        """Which files and links are as they were, and stored: position → entry."""
        listing = self._listing
        found: dict[int, Entry] = {}
        unsure: dict[int, Entry] = {}
        before = {name: item for leaf in known for name, item in self._before(leaf).items()}
        for at in range(start, end):
            state, entry, kept = before.get(listing.names[at], _NOTHING)
            if entry is not None and at not in self._folders and listing.states(at, at + 1) == state:
                (found if kept else unsure)[at] = entry
        oids = {entry.id for entry in unsure.values()}
        there = self._transaction.store.kept(oids, self._transaction.seen) if oids else {}
        for at, entry in unsure.items():
            if entry.id in there or self._transaction.has(entry.id):
                found[at] = entry
        return found

    def _before(self, leaf: Leaf) -> dict[str, tuple[bytes, Entry | None, bool]]:
        """What is known of each name in a leaf: its state, what it stood for, and whether that is stored."""
        try:
            entries = self._transaction.store.record(leaf.leaf, Tree).entries
        except ArtError:
            return {}  # it was never published, or was lost since
        states = [leaf.states[at : at + STATE_SIZE] for at in range(0, len(leaf.states), STATE_SIZE)]
        return {entry[0]: (state, Entry._make(entry), leaf.kept) for entry, state in zip(entries, states, strict=False)}

    def _tell(self, leaf: Leaf, start: int, end: int) -> None:
        """Tells the progress of files that were taken over."""
        listing = self._listing
        if not listing.folders and not listing.links:
            self._contents.progress(leaf.size)
        else:
            files = (at for at in range(start, end) if stat.S_ISREG(listing.mode(at)))
            self._contents.progress(sum(listing.size(at) for at in files))


_NOTHING: tuple[bytes, Entry | None, bool] = (b"", None, False)


def _end(names: Sequence[str], start: int) -> int:
    """Where the leaf ends that begins at `start`."""
    return next((at + 1 for at in range(start, len(names)) if ends_leaf(names[at])), len(names))
