"""What a materializer is: how values of some types become files in a folder, and come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from . import registry


class Materializer:
    """Turns values of `ASSOCIATED_TYPES` into files under `self.uri` and back.

    Subclass it, name the types and write `save` and `load`; declaring the class registers it. The most
    derived type of a value that has a materializer decides, and a later registration of the same type
    wins over an earlier one.

    Saving the same value twice must write the same bytes: the artifact's id is their hash.

    Attributes:
        ASSOCIATED_TYPES: The types it handles, subclasses included.
        VERSION: Raise it when `save` starts to write different bytes; `load` must still read the old.
        NAME: How stored artifacts refer to it; by default `module:qualname` of the class.
        KEEPS_FILES: True when a loaded value goes on using the files under `uri`.
        RUNS_CODE: True when `load` may run code held in the files, as pickle does.
        uri: The local folder to write into and read from. It exists.
    """

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = ()
    VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = ""
    KEEPS_FILES: ClassVar[bool] = False
    RUNS_CODE: ClassVar[bool] = False

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.included: dict[str, Path] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "NAME" not in cls.__dict__:
            cls.NAME = f"{cls.__module__}:{cls.__qualname__}"
        registry.register(cls)

    def save(self, data: Any) -> None:
        """Writes `data` as files under `self.uri`."""
        raise NotImplementedError

    def load(self, data_type: type[Any]) -> Any:
        """Reads the value that `save` wrote; `data_type` is the type it had."""
        raise NotImplementedError

    def save_visualizations(self, data: Any) -> dict[str, str]:
        """Writes pictures of `data` under `self.uri`; returns file path → kind (html, image, …)."""
        return {}

    def extract_metadata(self, data: Any) -> dict[str, Any]:
        """Plain facts about `data`, such as its shape: values that `artvcs.vcs.values` can encode."""
        return {}

    def include(self, existing: Path, name: str) -> None:
        """Makes an existing file or folder part of what is stored, as `name`, without copying it."""
        self.included[name] = existing
