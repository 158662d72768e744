"""The state after a repair: which files hold its objects."""

from __future__ import annotations

from collections.abc import Sequence

from ...changes.publish import RECENT
from ...errors import DamagedError, DiskFull, storage_errors
from ...objects.kinds import State
from ...objects.oid import Oid, hash_bytes
from ...storage.files import Files
from ...storage.layout import PackName, op_name, segment_name
from ...storage.packs import segment
from ...storage.packs.op_file import MAX_LOOSE_NAMES
from ...storage.packs.pack import Pack
from ...storage.snapshot import Snapshot


class NextState:
    """Leaves out files that are damaged or missing, and makes the index anew where it names them or is damaged.

    Args:
        files: Where all is.
        gone: Files that are left out.
        added: Files that are taken in.
        wanted: Where the index is damaged, nobody knows which files it listed: of those there are, these count.
    """

    def __init__(self, files: Files, gone: set[PackName], added: Sequence[PackName], wanted: set[PackName]) -> None:
        self._files = files
        self._gone = gone
        self._added = tuple(added)
        self._wanted = wanted

    def after(self, head: Snapshot, refs: Oid | None, seq: int) -> State:
        """The state that follows one, in an op with this number."""
        old = head.state
        head = head.without_damage()
        loose = [PackName(name) for name in old.loose if name not in old.condemned]
        segments, found = list(head.segments), []
        if len(head.segments) < len(old.segments):
            unlisted = [PackName(pack.name) for pack in head.loose if pack.name not in old.loose]
            found = sorted(self._wanted & set(unlisted))
        touched = [each for each in segments if self._gone & set(each.packs)]
        if touched or found:
            made = self._index(touched, found, old)
            segments_left = [each.name for each in segments if each not in touched]
            if made is None:
                loose += [name for each in touched for name in each.packs] + found
                names = tuple(segments_left)
            else:
                names = (*segments_left, made)
        else:
            names = tuple(each.name for each in segments)
        listed = {name for each in segments if each not in touched for name in each.packs}
        own = op_name(seq)
        kept = [name for name in dict.fromkeys((*loose, *self._added)) if name not in self._gone | listed | {own}]
        if len(kept) >= MAX_LOOSE_NAMES:
            raise DiskFull("There is no space for the index of so many files; free some and repair again.")
        gone = self._gone & set(head.packs()) or len(names) != len(old.segments)
        recent = (head.entry.op.nonce, *old.recent)[:RECENT]
        return State(refs, names, (*kept, own), old.condemned, old.epoch + bool(gone), recent)

    def _index(self, touched: list[segment.Segment], found: list[PackName], old: State) -> Oid | None:
        """A segment in place of others, and for files that none lists; None where the disk is too full for it."""
        tables: list[tuple[Sequence[PackName], segment.Rows]] = [(each.packs, each.raw()) for each in touched]
        for name in found:
            try:
                tables.append(([name], Pack.open(self._files, name).table.raw()))
            except (FileNotFoundError, DamagedError):
                continue
        data = segment.build(tables, frozenset(self._gone | set(map(PackName, old.condemned))))
        made = hash_bytes(data, "index")
        try:
            with storage_errors("writing the index"):
                self._files.put(segment_name(made), data)
        except DiskFull:
            return None
        return made
