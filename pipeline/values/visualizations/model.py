"""What a visualization is."""

from __future__ import annotations

from dataclasses import dataclass

from ...units import count

# From the richest to the plainest: where one picture comes in several forms, the first is for a page.
KINDS = ("html", "svg", "image", "markdown", "csv", "json", "text")
_ALIASES = {"png": "image", "jpeg": "image", "jpg": "image", "gif": "image", "md": "markdown", "txt": "text"}

# HTML that this package made of escaped text. Materializers of others cannot claim it.
FRAGMENT = "fragment"


@dataclass(frozen=True)
class Visualization:
    """One picture of a value, or one form of it.

    Two of one name but for the ending, such as `table.html` and `table.txt`, are one picture in two forms.

    Attributes:
        name: Its file name, `/` between folders.
        kind: One of `KINDS`.
        content: Its bytes; text is UTF-8.
        own: True for HTML that can stand in a page as it is: made here, of escaped text, without scripts. All
            other HTML is somebody's, and belongs in a sandbox.
    """

    name: str
    kind: str
    content: bytes
    own: bool = False

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}, {count(len(self.content), 'byte')}>"

    @property
    def text(self) -> str:
        """The content as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def stem(self) -> str:
        """The name without its ending: the same for all forms of one picture."""
        folder, slash, file = self.name.rpartition("/")
        return folder + slash + (file.rpartition(".")[0] or file)


class Shown(list[Visualization]):
    """The pictures of a value that have been shown already: as the last line of a cell they are not shown again."""

    def _ipython_display_(self) -> None:
        """Shows nothing more."""


def known_kind(kind: object) -> str | None:
    """The kind that a materializer meant, or None; enum members such as ZenML's are read by their value."""
    word = str(getattr(kind, "value", kind)).lower()
    word = _ALIASES.get(word, word)
    return word if word in KINDS or word == FRAGMENT else None
