"""What a materializer is: how values of some types become files in a folder, and come back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from artvcs.pipelines.values.folder import Folder
from artvcs.pipelines.values.trust import Trust

from . import typenames

# Every subclass, in the order of declaration; the registry reads it.
declared: list[type[Materializer]] = []


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
        RUNS_CODE: True when `load` may run code held in the files, as pickle does. Such a `load` is not
            even called where `trusted` is False.
        folder: The folder to write into and read from; what goes through it by name may never need a disk.
        included: What `include` was told: path below `uri` → existing file or folder.
        extents: Each of `included` → how many files it has and of how many bytes. Known when `extract_metadata` is
            called: it is stored by then.
        runs_code: Whether loading *this* value may run code. A list is plain JSON, but not if one of its
            items had to be pickled. Right after `save` and after `load`.
        keeps_files: Whether *this* loaded value uses the files under `uri`. Right after `load`.
        names_modules: Whether loading *this* value may import a module that only the value names. Right after `save`.
        trust: Whether `load` may run code, at any depth.
    """

    ASSOCIATED_TYPES: ClassVar[tuple[type, ...]] = ()
    VERSION: ClassVar[int] = 1
    NAME: ClassVar[str] = ""
    KEEPS_FILES: ClassVar[bool] = False
    RUNS_CODE: ClassVar[bool] = False

    def __init__(self, uri: str | Folder) -> None:
        self.folder = uri if isinstance(uri, Folder) else Folder(Path(uri))
        self.included: dict[str, Path] = {}
        self.extents: dict[str, tuple[int, int]] = {}
        self.runs_code: bool = self.RUNS_CODE
        self.keeps_files: bool = self.KEEPS_FILES
        self.names_modules: bool = False
        self.trust = Trust(True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "NAME" not in cls.__dict__:
            cls.NAME = typenames.declared_path(cls)
        if cls.RUNS_CODE:
            # Here and nowhere else, so that no materializer and no caller can forget to ask.
            setattr(cls, "load", _asking_for_trust(cls.load))  # noqa: B010
        declared.append(cls)

    @classmethod
    def accepts(cls, data: Any) -> bool:
        """Whether `save` would keep `data` exactly; False hands it to the next materializer in line."""
        return True

    @classmethod
    def lacking(cls, data: Any) -> list[str]:
        """The types inside `data` because of which `accepts` refuses it, as `module.qualname`, if that is known."""
        return []

    @property
    def uri(self) -> str:
        """The path of the local folder to write into and read from. It exists."""
        return str(self.folder.path)

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
        """Plain facts about `data`, such as its shape: values that `artvcs.vcs.objects.values` can encode."""
        return {}

    @property
    def trusted(self) -> bool:
        """Whether `load` may run code. Set it to False before `load` to refuse what would, at any depth."""
        return self.trust.given

    @trusted.setter
    def trusted(self, given: bool) -> None:
        self.trust = Trust(given)

    def require_trust(self) -> None:
        """Says that `load` is about to run code held in the files, or to hand them to code that trusts them.

        For materializers that do so with some values only; for those with RUNS_CODE it has been said.

        Raises:
            UntrustedData: `trusted` is False.
        """
        self.trust.require(f"by {self.NAME} runs code that came with it, or can crash the process")
        self.runs_code = True

    def class_path(self, cls: type) -> str | None:
        """The name to store for a class, by which `find_class` finds it; None if there is none."""
        path = typenames.class_path(cls)
        if path is not None and not typenames.is_known(path):
            self.names_modules = True
            typenames.tell(cls)
        return path

    def find_class(self, path: object) -> type:
        """The class that `class_path` named.

        Raises:
            MaterializerError: There is no such class now.
            UntrustedData: Finding it imports a module, and `trusted` is False.
        """
        return typenames.import_class(path, self.trust)

    def include(self, existing: Path, name: str) -> None:
        """Makes an existing file or folder part of what is stored, without copying it.

        Args:
            existing: The file or folder, anywhere on this machine.
            name: Its path below `self.uri`, parts separated by `/`.
        """
        self.included[name] = existing


def _asking_for_trust(load: Callable[[Any, type[Any]], Any]) -> Callable[[Any, type[Any]], Any]:
    @functools.wraps(load)
    def trusting(self: Materializer, data_type: type[Any]) -> Any:
        self.require_trust()
        return load(self, data_type)

    return trusting
