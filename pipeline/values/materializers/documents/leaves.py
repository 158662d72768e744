"""Parts of a value that have files of their own, in folders beside the document that names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import registry, table
from ..base import Materializer
from ..protocols import Json
from ..typenames import is_known, resolve_type, type_name

PICKLED = "pickled"


class LeafWriter:
    """Saves parts on behalf of the materializer of the whole."""

    def __init__(self, owner: Materializer) -> None:
        self._owner = owner
        self._count = 0
        self._pickled: list[Any] = []

    def save(self, value: Any, materializer: type[Materializer]) -> Json:
        """Saves one part and returns the JSON that refers to it."""
        name = materializer.NAME
        if name == table.FALLBACK.name:
            self._pickled.append(value)
            return {"$pickled": len(self._pickled) - 1}
        folder = str(self._count)
        self._count += 1
        self._save_in(folder, materializer, value)
        kind = type_name(value)
        self._owner.names_modules |= not is_known(name, kind)
        return {"$stored": [folder, name, kind]}

    def finish(self) -> None:
        """Pickles, in one go, the parts that nothing else can save."""
        if self._pickled:
            self._save_in(PICKLED, registry.load_builtin(table.FALLBACK), self._pickled)

    def _save_in(self, name: str, materializer: type[Materializer], value: Any) -> None:
        folder = Path(self._owner.uri) / name
        folder.mkdir()
        part = materializer(str(folder))
        part.save(value)
        self._owner.runs_code |= part.runs_code
        self._owner.names_modules |= part.names_modules
        for inner, existing in part.included.items():
            self._owner.include(existing, f"{name}/{inner}")


class LeafReader:
    """Loads parts on behalf of the materializer of the whole."""

    def __init__(self, owner: Materializer) -> None:
        self._owner = owner
        self._pickled: list[Any] | None = None

    def load(self, reference: Json) -> Any:
        """The part that the JSON refers to."""
        name, materializer, kind = reference
        if not name.isdecimal():
            raise ValueError(f"{name!r} is no folder of a part")
        trust = self._owner.trust
        return self._load_from(name, registry.by_name(materializer, trust), resolve_type(kind, trust))

    def pickled(self, index: Json) -> Any:
        """One of the parts that were pickled together."""
        if self._pickled is None:
            self._pickled = self._load_from(PICKLED, registry.load_builtin(table.FALLBACK), list)
        if not isinstance(index, int) or index < 0:
            raise ValueError(f"{index!r} is no pickled part")
        return self._pickled[index]

    def _load_from(self, name: str, materializer: type[Materializer], kind: type) -> Any:
        folder = Path(self._owner.uri) / name
        if folder.is_symlink() or not folder.is_dir():
            raise ValueError(f"the folder {name} of a part is missing")
        part = materializer(str(folder))
        part.trust = self._owner.trust
        value = part.load(kind)
        self._owner.runs_code |= part.runs_code
        self._owner.keeps_files |= part.keeps_files
        return value
