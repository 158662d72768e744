"""What steps print that run side by side: in whole lines, each with the step's name."""

from __future__ import annotations

_OVER = "\r"


class Lines:
    """What one step prints to one stream.

    Args:
        label: The step's name.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = ""

    def add(self, text: str) -> str:
        """Takes a text; gives the lines that it ends, as they are shown."""
        *lines, self._begun = (self._begun + text).split("\n")
        return "".join(map(self._shown, lines))

    def rest(self) -> str:
        """The line that was not ended, as it is shown."""
        begun, self._begun = self._begun, ""
        return self._shown(begun) if begun else ""

    def _shown(self, line: str) -> str:
        """A line with the name; of what was written over in it, the last."""
        return f"[{self._label}] {line.rstrip(_OVER).rpartition(_OVER)[2]}\n"
