"""A small project on disk whose steps are fingerprinted, edited and fingerprinted again."""

import importlib.util
import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from artvcs.pipelines.fingerprint import Fingerprint, Followed, Reach, fingerprint, follow

_numbers = itertools.count()


class Project:
    """A Git project in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._others = set(sys.modules)
        (folder / ".git").mkdir(parents=True)

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def load(self, file: str = "pipeline.py", module: str | None = None) -> Any:
        """Imports a file afresh, as if in a new process."""
        for name in sys.modules.keys() - self._others:  # of all others there may be thousands
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(self.folder)):
                del sys.modules[name]
        importlib.invalidate_caches()
        name = module or f"loaded_{next(_numbers)}"
        spec = importlib.util.spec_from_file_location(name, self.folder / file)
        assert spec is not None
        assert spec.loader is not None
        loaded = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded

    def fingerprint(self, step: str = "train", reach: Reach = "project") -> Fingerprint:
        return fingerprint(getattr(self.load(), step), reach=reach)

    def follow(self, step: str = "train") -> Followed:
        return follow(getattr(self.load(), step))

    def names(self, step: str = "train") -> set[str]:
        return {part.name for part in self.fingerprint(step).parts}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    folder = tmp_path / "project"
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield Project(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
