"""Code of the user's that is entered, once for each recording (`sys.monitoring`, PEP 669, Python 3.12)."""

from __future__ import annotations

import sys
from typing import Any

from ..owners import every, is_any_open, targets
from . import frames
from .noticing import quietly


class Monitor:
    """Sees each code object of the user's when it is entered."""

    def __init__(self) -> None:
        self._monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self._tool: int | None = None

    def restart(self) -> bool:
        """Begins anew: what was seen before is told again. False where all of Python's monitoring tools are taken."""
        monitoring = self._monitoring
        if self._tool is None:
            free = [each for each in (4, 3) if monitoring.get_tool(each) is None]
            if not free:
                return False
            self._tool = free[0]
            monitoring.use_tool_id(self._tool, "artvcs")
            monitoring.register_callback(self._tool, monitoring.events.PY_START, self._on_start)
            monitoring.set_events(self._tool, monitoring.events.PY_START)
        monitoring.restart_events()
        return True

    def _on_start(self, code: Any, _: int) -> Any:
        """Says whether this code object needs to be told of again."""
        enough = not is_any_open()

        def look() -> None:
            nonlocal enough
            if frames.is_user_code(code.co_filename):
                for recording in targets():
                    recording.entered.add(code)
                enough = all(code in recording.entered for recording in every())
            else:
                enough = True

        quietly(look)  # what it calls itself is code that is entered, too
        return self._monitoring.DISABLE if enough else None
