"""Whether what is stored can still be read: what is damaged counts as absent, so that it can be stored again.

Reading everything again at each use would cost too much. A pack is vouched for as long as its file is, by all that the
place says about it, the file that was written or verified; otherwise its bytes are hashed once, and if they are not
what was written, each of its objects is judged by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

from ..errors import DamagedError
from .files import Files, Signature
from .layout import PackName
from .packs.pack import Pack

_SMALL = 4 << 20
"""A smaller pack is hashed again by each process that needs it; that costs no more than looking it up."""


class Memo(Protocol):
    """Remembers from process to process which files were seen to be whole. May forget anything."""

    def known(self, name: str) -> Signature | None:
        """The signature that a file had when it was whole."""

    def note(self, name: str, signature: Signature) -> None:
        """A file was whole when it had this signature."""

    def forget(self, name: str) -> None:
        """A file is not whole."""


class NoMemo:
    """Remembers nothing."""

    def known(self, name: str) -> Signature | None:
        """Nothing."""
        return None

    def note(self, name: str, signature: Signature) -> None:
        """Forgets it."""

    def forget(self, name: str) -> None:
        """Nothing to forget."""


class Soundness:
    """What is known of the packs of one repository. A verdict holds as long as the file says the same of itself.

    A file is asked for that once in each use of the repository, see `look_again`.

    Attributes:
        doubts: How often something turned out to be damaged.
    """

    def __init__(self, files: Files, memo: Memo) -> None:
        self._files = files
        self._memo = memo
        self._verdicts: dict[PackName, tuple[Signature | None, bool]] = {}
        self._asked: set[PackName] = set()
        self.doubts = 0

    def look_again(self) -> None:
        """Another use begins: each pack is asked again whether it is the file that it was."""
        self._asked.clear()

    def vouches_for(self, name: PackName) -> bool:
        """Whether every object of a pack can be taken to be as it was written."""
        if name not in self._asked:
            signature = self._signature(name)
            known = self._verdicts.get(name)
            if known is None or known[0] != signature:
                self._verdicts[name] = signature, signature is not None and self._judge(name, signature)
            self._asked.add(name)
        return self._verdicts[name][1]

    def seen(self, names: AbstractSet[PackName]) -> dict[PackName, Signature] | None:
        """What packs say of themselves; None where one is not vouched for."""
        found = {name: self._verdicts[name][0] for name in names if self.vouches_for(name)}
        told = {name: signature for name, signature in found.items() if signature is not None}
        return told if len(told) == len(names) else None

    def is_as_seen(self, packs: Mapping[PackName, Signature]) -> bool:
        """Whether packs say what they said when they were vouched for, and none is known to be damaged."""
        return all(
            self._verdicts.get(name, (None, True))[1] and self._signature(name) == signature
            for name, signature in packs.items()
        )

    def written(self, name: PackName) -> None:
        """A pack was just written by this process."""
        signature = self._signature(name)
        self._verdicts[name] = signature, True
        self._asked.add(name)
        if signature is not None and self._files.size(name) >= _SMALL:
            self._memo.note(name, signature)

    def distrust(self, name: PackName) -> None:
        """An object of a pack turned out to be damaged, though the file looked untouched."""
        self.doubts += 1
        self._verdicts[name] = None, False
        self._asked.add(name)
        self._memo.forget(name)

    def _signature(self, name: PackName) -> Signature | None:
        try:
            return self._files.signature(name)
        except (FileNotFoundError, DamagedError):
            return None

    def _judge(self, name: PackName, signature: Signature) -> bool:
        try:
            large = self._files.size(name) >= _SMALL
            if large and self._memo.known(name) == signature:
                return True
            whole = Pack.open(self._files, name).whole(self._files)
        except (FileNotFoundError, DamagedError):
            return False
        if whole and large:
            self._memo.note(name, signature)
        return whole
